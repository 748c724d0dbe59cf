// SPDX-License-Identifier: Apache-2.0
// The plan: kernels, path and block sizes for a problem, from the caller's demands and the machine.
// None of it changes a bit of the result.
//
// Each part is made by one function from the parts before it (plan.c, blocking.c): kernels, rows,
// strip, n_blocks, streams, then what a chunk holds and where a worker's pieces of workspace lie.
// No part is written twice.
#ifndef QUERNEL_PLAN_PLAN_H
#define QUERNEL_PLAN_PLAN_H

#include "cpu/machine.h"
#include "pack/stage.h"
#include "plan/problem.h"

/// Where the rows that the micro-kernel reads come from.
typedef enum quernel_i_path {
    QUERNEL_I_PATH_INPLACE = 0, ///< taps read in the caller's own int8 tensor
    QUERNEL_I_PATH_STAGED = 1,  ///< a strip of input lines is quantized or copied, taps read there
    QUERNEL_I_PATH_IM2COL = 2   ///< im2col rows are gathered from a strip, chunk by chunk
} quernel_i_path;

/// The kernels, and what follows from their choice alone. NULL: the problem has no such role.
typedef struct quernel_i_plan_kernels {
    const quernel_i_kernel *main;     // of the product; of a depthwise layer: that
    const quernel_i_kernel *quantize; // rows of a strip
    const quernel_i_kernel *gather;   // float rows of the im2col path; of the same set
    const quernel_i_kernel *range;
    const quernel_i_kernel *epilogue_kernel; // of fused lines
    quernel_i_turn turn;
    int32_t a_offset;  // added to quantized values, which then have the kernel's type
    uint32_t ic_split; // of a convolution kernel's channels
} quernel_i_plan_kernels;

/// The rows that the kernel reads.
typedef struct quernel_i_plan_rows {
    quernel_i_path path;
    bool has_strip;    // they are made in, or gathered from, a strip in the workspace
    bool whole;        // one run covers a kernel row, else each tap is a run
    uint32_t n_k_runs; // of a phase at most
    ptrdiff_t pixel;   // bytes from pixel to pixel; packed: from row to row
} quernel_i_plan_rows;

/// A strip of output pixels, the rows of a task.
typedef struct quernel_i_plan_strip {
    uint32_t h, w;
    uint32_t step; // lines come in this multiple: the register tile of a convolution kernel
    uint32_t count_h, count_w; // strips of an image
    uint32_t pixels;           // input pixels of a line
    ptrdiff_t line;            // bytes from line to line of the rows; packed: 0
} quernel_i_plan_strip;

/// Output channels, in blocks whose weights are prepared at a time.
typedef struct quernel_i_plan_n_blocks {
    uint32_t oc;    // output channels of a block
    uint32_t fused; // phases of a block: all of a line of y whose epilogue runs at once, else 1
    uint32_t per_subproblem, count; // count = subproblems / fused · per_subproblem
    uint32_t n_split;               // tasks that share out the blocks of a strip
} quernel_i_plan_n_blocks;

/// Where whole cache lines of the output go.
typedef enum quernel_i_stores {
    QUERNEL_I_STORES_CACHED = 0,
    QUERNEL_I_STORES_PAST
} quernel_i_stores;

/// How operands and the output pass through the caches.
typedef struct quernel_i_plan_streams {
    quernel_i_streamed operand; // the one that is streamed past L1
    uint32_t l1_resident;       // quads of k of a tile kernel's rows that stay in L1; 0: all
    uint32_t prefetch;          // bytes ahead; 0: none
    quernel_i_stores stores;    // of f32 in planes, and of a tile kernel's codes
    bool near;                  // planes that are quantized are fetched into L1
} quernel_i_plan_streams;

/// Where a worker's pieces of workspace begin, in bytes from its slice of `bytes`.
typedef struct quernel_i_slice {
    size_t strip;    // staged rows, or the float strip of the im2col path
    size_t packed;   // im2col rows of one chunk
    size_t block;    // a block of weights in the kernel's own form
    size_t scratch;  // the micro-kernel's
    size_t dedup;    // a flag for each block of a strip
    size_t floats;   // bf16 pieces as f32
    size_t tile;     // a chunk of interleaved phases: results; of fused ones: their sums
    size_t residual; // interleaved phases: residuals of a chunk
    size_t row_scale, row_term, row_sum; // one chunk
    size_t init, scale;                  // dynamic: this image's tables
    size_t bytes;
} quernel_i_slice;

/// Quantization parameters of one image, computed in the run.
typedef struct quernel_i_image_quant {
    float d, g;
    int32_t z;
} quernel_i_image_quant;

/// Range of a piece of an image.
typedef struct quernel_i_piece_range {
    float min, max;
} quernel_i_piece_range;

/// The workspace: first what all workers share, then a slice for each.
typedef struct quernel_i_plan_workspace {
    quernel_i_slice slice;
    size_t shared; // bytes: quantization and ranges of every image
    size_t bytes;
} quernel_i_plan_workspace;

typedef struct quernel_i_plan {
    quernel_i_plan_kernels kernels;
    quernel_i_plan_rows rows;
    quernel_i_plan_strip strip;
    quernel_i_plan_n_blocks n_blocks;
    quernel_i_plan_streams streams;
    uint32_t dedup;        // output pixels of a block whose rows may be equal; 0: off
    bool collapse;         // a strip's lines are one line; pixels between land in y's border
    uint32_t chunk;        // output pixels that are packed, or multiplied, at a time
    uint32_t float_pixels; // pixels of a bf16 piece
    uint32_t range_tasks;  // per image; 0: not dynamic over the image
    uint32_t threads;      // that take part in a run; 1: nobody is woken
    uint32_t workers;      // slices of workspace: one, or one for each of the operator's threads
    quernel_i_plan_workspace workspace;
} quernel_i_plan;

/// Whether the kernel takes strips of pixels, not rows.
static inline bool quernel_i_plan_kernel_is_conv(const quernel_i_kernel *k) {
    return k->call == QUERNEL_I_CALL_CONV;
}
static inline bool quernel_i_plan_conv(const quernel_i_plan *plan) {
    return quernel_i_plan_kernel_is_conv(plan->kernels.main);
}
/// Bytes from row to row of the tile of a fused line's sums: an odd number of lines, so that rows
/// spread over the sets of L1.
static inline size_t quernel_i_plan_tile_row(const quernel_i_plan_n_blocks *n) {
    return (n->oc * sizeof(int32_t) / 64 | 1) * 64;
}
/// Blocks of pixels of a strip's line that are looked at for equal rows.
static inline uint32_t quernel_i_plan_dedup_blocks(const quernel_i_plan *plan) {
    return plan->dedup ? (plan->strip.w + plan->dedup - 1) / plan->dedup : 0;
}

/// What a caller demands, from a config string "key=value …". 0 or NULL: no demand; a choice holds
/// its index + 1, a set its quernel_isa + 1.
typedef struct quernel_i_config {
    const quernel_i_kernel *kernel;
#define COUNT(key, member, tries, meaning) uint32_t key;
#define CHOICE(key, member, words, meaning) uint32_t key;
#define SET(key, member, meaning) uint32_t key;
#include "plan/knobs.def"
} quernel_i_config;

/// A line of knobs.def.
typedef struct quernel_i_knob {
    const char *key;
    const char *words, *tries; // of a choice, of a count; else NULL: both are of a set
    const char *meaning;
    size_t in_config; // offset of a uint32_t
} quernel_i_knob;

/// Every knob but "kernel", in the order of knobs.def; ends where `key` is NULL.
extern const quernel_i_knob quernel_i_knobs[];

static inline uint32_t *quernel_i_knob_demand(const quernel_i_knob *knob,
                                              quernel_i_config *config) {
    return (uint32_t *)((char *)config + knob->in_config);
}
static inline uint32_t quernel_i_knob_get(const quernel_i_knob *knob,
                                          const quernel_i_config *config) {
    return *(const uint32_t *)((const char *)config + knob->in_config);
}

/// Reads a config string (NULL: no demands). Refuses unknown keys, kernels and values, naming them.
int quernel_i_config_parse(const char *text, const char *where, quernel_i_config *ret_config,
                           quernel_error *error);

/// Writes the demands as a config string, terminated where capacity > 0; returns its whole length.
size_t quernel_i_config_print(const quernel_i_config *config, char *text, size_t capacity);

/// Every choice of a plan as a demand.
quernel_i_config quernel_i_config_of(const quernel_i_plan *plan);

/// Makes the plan for a problem. A pure function: it reads its arguments and nothing else, and no
/// permission is asked for. Refuses a config that is not legal for this problem, or on this
/// machine, and sizes that overflow.
int quernel_i_plan_make(const quernel_i_problem *problem, const quernel_i_config *config,
                        const quernel_i_machine *machine, quernel_i_plan *ret_plan,
                        quernel_error *error);

/// The same, with the permission asked for where the instruction set of the plan's kernel needs
/// one: where it is refused, the plan of this machine without that set.
int quernel_i_plan_make_permitted(const quernel_i_problem *problem, const quernel_i_config *config,
                                  const quernel_i_machine *machine, quernel_i_plan *ret_plan,
                                  quernel_error *error);

/// Writes the plan as a config string; returns its whole length.
size_t quernel_i_plan_explain(const quernel_i_plan *plan, char *text, size_t capacity);

#endif
