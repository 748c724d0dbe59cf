// SPDX-License-Identifier: Apache-2.0
// The contract between the drivers and the micro-kernels. kernels/README.md draws the formats.
//
// A kernel is a leaf: it calls nothing but memcpy, memset, memmove (ref also fmaf), keeps no state,
// reads no byte outside what is said here (guard pages check it) and writes no byte outside its
// result and its scratch. The caller has set MXCSR or FPCR to the default (round to nearest even,
// nothing flushed, exceptions masked).
#ifndef QUERNEL_UKR_H
#define QUERNEL_UKR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quernel/common.h"

/// The activation that ends an epilogue. Bounds and slopes are per channel because a folded layer
/// scales them per channel.
typedef enum quernel_i_act {
    QUERNEL_I_ACT_NONE = 0,
    QUERNEL_I_ACT_RELU,  // t > 0 ? t : +0          (NaN -> +0)
    QUERNEL_I_ACT_CLAMP, // min(max(t, lo), hi)      (NaN -> lo)
    QUERNEL_I_ACT_PRELU, // t >= 0 ? t : t·slope
    // Functions of base/num.h: no bounds, no slopes; a NaN stays one
    QUERNEL_I_ACT_HSWISH,
    QUERNEL_I_ACT_HSIGMOID,
    QUERNEL_I_ACT_SILU,
    QUERNEL_I_ACT_GELU,
    QUERNEL_I_ACT_SIGMOID,
    QUERNEL_I_ACT_TANH,
    QUERNEL_I_ACT_COUNT
} quernel_i_act;

/// The kinds of activations lie side by side, so that kernels tell them apart by one comparison:
/// clamps below SLOPES, functions from FUNCTIONS on.
enum { QUERNEL_I_ACT_SLOPES = QUERNEL_I_ACT_PRELU, QUERNEL_I_ACT_FUNCTIONS = QUERNEL_I_ACT_HSWISH };

/// Epilogue: what becomes of the int32 sums of one line of rows. All tables run over the output
/// channels of the call (index n from 0), and may be read up to the next multiple of 16 output
/// channels. For row m, output channel n, in this order:
///     acc += row_term[i][m]·col_term[i][n]           i = 0, 1 where not NULL; modulo 2^32
///     out S32: acc (+ residual of type S32, modulo 2^32) is stored, nothing else happens
///     f = (float)acc;  c = scale[n] (times row_scale[m], rounded);  t = fma(f, c, bias[n])
///     residual S8/U8: t = fma((float)(r − r_zero), r_scale[n], t)
///     residual F32, BF16 (its value): t = r_scale ? fma(r, r_scale[n], t) : t + r
///     activation; with residual_last the residual comes after it instead
///     out_scale: t = t·out_scale[n]
///     F32: t.  BF16: quernel_i_bf16(t).  S8/U8: low byte of rne(clamp(t, q_lo, q_hi)) + q_zero,
///     NaN as 0
typedef struct quernel_i_epilogue {
    void *y;                // element (row 0, column 0)
    ptrdiff_t y_row, y_col; // bytes from row to row, from output channel to output channel
    int32_t out;            // quernel_type
    int32_t act;            // quernel_i_act
    const int32_t *row_term[2], *col_term[2];
    const float *scale, *bias; // never NULL unless out is S32
    const float *row_scale;    // or NULL
    const float *slope, *act_lo, *act_hi;
    const float *out_scale; // or NULL
    // element (row 0, column 0), or NULL; never overlaps y unless identical with it
    const void *residual;
    ptrdiff_t r_row, r_col; // bytes
    int32_t r_type;         // S8, U8, F32, BF16; S32 only where out is S32
    int32_t r_zero;
    const float *r_scale; // never NULL for S8 and U8
    bool residual_last;
    float q_lo, q_hi; // lo − z, hi − z
    int32_t q_zero;
    // a hint: y is more than L2 keeps, and whole cache lines of it may be written past the caches,
    // or asked for before they are written
    bool past_caches;
} quernel_i_epilogue;

/// One stretch of contiguous k: 4·k_quads bytes of a row, `offset` bytes from the row's address.
typedef struct quernel_i_k_run {
    ptrdiff_t offset;
    uint32_t k_quads;
} quernel_i_k_run;

/// Which operand is streamed while the other one should stay in L1.
typedef enum quernel_i_streamed {
    QUERNEL_I_STREAMED_NONE = 0,
    QUERNEL_I_STREAMED_ROWS,
    QUERNEL_I_STREAMED_WEIGHTS
} quernel_i_streamed;

/// Weights that are read after a call's own, [at, end). A kernel may ask for as many bytes of them
/// in the time of each register tile as a sub-panel has; so that they come neither early nor late,
/// it lets `wait` bytes pass first.
typedef struct quernel_i_ahead {
    const int8_t *at, *end;
    size_t wait;
} quernel_i_ahead;

/// What to ask for in the time of a tile, or NULL.
static inline const int8_t *quernel_i_ahead_take(quernel_i_ahead *ahead, size_t bytes) {
    if (!ahead || ahead->at >= ahead->end) return NULL;
    if (ahead->wait >= bytes) {
        ahead->wait -= bytes;
        return NULL;
    }
    const int8_t *at = ahead->at;
    ahead->at = bytes < (size_t)(ahead->end - at) ? at + bytes : ahead->end;
    return at;
}

/// GEMM, GEMV: for every row m < rows and output channel n < oc
///     acc = init[n] + Σ_run Σ_k a[m][run.offset + k] · b[n][k]      modulo 2^32, then the
///     epilogue.
/// Rows are bytes, u8 or s8 as the kernel's entry says. Row m starts at a + m·a_row; exactly
/// 4·k_quads bytes of every run are read. B is w16x4: sub-panel p holds output channels 16p …
/// 16p+15 at b + p·b_panel; the quads of all runs follow one another, each 64 bytes: [16 oc][4 k].
/// Output channels are padded to 16 with zeros, also in init. Kernels whose entry has a b_prepare
/// read the panels that it made from w16x4 instead. b and scratch are 64-byte aligned, a is not.
typedef struct quernel_i_gemm {
    const void *a;
    ptrdiff_t a_row;
    uint32_t rows, oc;
    const quernel_i_k_run *k_runs;
    uint32_t n_k_runs;
    uint32_t k_quads; // sum over the runs
    const void *b;
    size_t b_panel;      // bytes from sub-panel to sub-panel
    const int32_t *init; // [oc rounded up to 16]
    const quernel_i_epilogue *epilogue;
    void *scratch;    // as many bytes as the entry's scratch(k_quads) says
    int32_t streamed; // quernel_i_streamed: a hint that some kernels take
    // likewise, of GEMV: bytes ahead at which weights are prefetched, whatever lies there; 0: they
    // are not
    uint32_t prefetch;
    // likewise: quads of k of each row that stay in L1 while the others are streamed with the
    // weights; 0: all
    uint32_t l1_resident;
    quernel_i_ahead *ahead; // a hint that some GEMM kernels take; or NULL
} quernel_i_gemm;

/// Depthwise: for every line of outputs
///     acc[m][c] = init[c] + Σ_i,j x(line·a_line + i·tap_line − top, m·a_row + j·tap_pixel − left)
///     · w[(i·kernel_w + j)·w_tap + c], rows are pixels, i < kernel_h, j < kernel_w, then the
///     epilogue, without row terms and row scale, as of quernel_i_conv.
///     x(l, p) = a[l + p + c] where 0 <= l < height and 0 <= p < width, else `outside`
/// Weights and init may be read up to the next multiple of 16 channels; rows not.
typedef struct quernel_i_depthwise {
    const void *a;
    ptrdiff_t a_line, a_row;       // from output to output
    ptrdiff_t tap_line, tap_pixel; // bytes, positive
    ptrdiff_t top, left;           // bytes of padding; negative: of a that is passed over
    ptrdiff_t height, width;       // bytes: the lines of a, the pixels of a line
    uint8_t outside;
    uint32_t kernel_h, kernel_w;
    uint32_t lines, rows, oc; // rows: pixels of a line; oc: channels
    const int8_t *w;
    size_t w_tap; // bytes from tap to tap
    const int32_t *init;
    const quernel_i_epilogue *epilogue;
    ptrdiff_t y_line, r_line;
    void *scratch; // as many bytes as scratch(oc) says
} quernel_i_depthwise;

/// What a convolution reads for a pixel: kernel_h lines of kernel_w pixels of `channels` bytes;
/// strides in pixels. Channels are `k_quads` groups side by side, each of which has group_oc output
/// channels of its own: all other weights of these are 0.
typedef struct quernel_i_window {
    uint32_t kernel_h, kernel_w, stride_h, stride_w, channels, groups, group_oc;
} quernel_i_window;

/// Convolution: for every pixel (y, x) of `lines` x `pixels` outputs and output channel n < oc
///     acc = init[n] + Σ_i,j,c a[(stride_h·y + i)·a_line + (stride_w·x + j)·a_pixel + c] ·
///     w[n][i][j][c], i < kernel_h, j < kernel_w, c < channels, then the epilogue.
/// Exactly those bytes are read. B as for GEMM: kernel lines, then kernel pixels, then channels; a
/// kernel line is padded with zeros to a multiple of 4 k. The epilogue, without row terms and row
/// scale, counts the pixels of a line as its rows; line y begins y·y_line bytes from the first one,
/// in the residual y·r_line. The kernel's line says which windows it takes and what bound |Σ a·w|
/// has to keep.
typedef struct quernel_i_conv {
    const void *a;
    ptrdiff_t a_line, a_pixel;
    quernel_i_window window;
    uint32_t lines, pixels, oc;
    // 3x3: runs of channels, as even as multiples of 4 can be, each of which stays below the bound;
    // else 1, and always where the channels are too few to pass it
    uint32_t ic_split;
    const void *b;
    size_t b_panel;
    const int32_t *init; // [oc rounded up to 16]
    const quernel_i_epilogue *epilogue;
    ptrdiff_t y_line, r_line;
    void *scratch; // as many bytes as scratch(quads of all kernel lines) says
} quernel_i_conv;

/// Quantize kernels, float to rows in one pass: y[p][c] = low byte of quantize(x[p][c], mult[c], g,
/// lo, hi, zero). `zero` already holds the encoding of the rows (+128 where s8 values are stored as
/// u8, −128 where u8 are stored as s8). rows_nhwc: x_channel is 1 (also row-major matrices: a pixel
/// is a row). rows_nchw: x_pixel is 1.
typedef struct quernel_i_quantize_args {
    const float *x;
    ptrdiff_t x_pixel, x_channel; // elements
    uint32_t pixels, channels;
    uint8_t *y;
    // bytes; channels are contiguous; nothing is written between the pixels
    ptrdiff_t y_pixel;
    const float *mult; // [channels]
    float g;
    float lo, hi; // lo − z, hi − z
    int32_t zero;
    bool near; // a hint: what is read soon is fetched into L1, not L2
} quernel_i_quantize_args;

/// Range kernels: minimum and maximum of y = x·mult[c] over all pixels and channels, NaN and
/// infinite y left out; results are merged into *min (≤ 0) and *max (≥ 0), which the caller sets to
/// 0 first.
typedef struct quernel_i_range {
    const float *x;
    ptrdiff_t x_pixel, x_channel;
    uint32_t pixels, channels;
    const float *mult;
    float *min, *max;
} quernel_i_range;

/// What quernel_i_eltwise makes of two values.
typedef enum quernel_i_combine {
    QUERNEL_I_COMBINE_COPY = 0, // x alone
    QUERNEL_I_COMBINE_ADD,
    QUERNEL_I_COMBINE_SUB,
    QUERNEL_I_COMBINE_MUL,
    QUERNEL_I_COMBINE_DIV,
    QUERNEL_I_COMBINE_COUNT
} quernel_i_combine;

/// An operand of quernel_i_eltwise: rows and columns of elements. The value of an int8 one is
/// (float)(q − zero)·scale, rounded once; of the others the element.
typedef struct quernel_i_elements {
    const void *at;      // element (row 0, column 0)
    ptrdiff_t row, col;  // bytes; 0: one element for all rows, for all columns
    int32_t type;        // F32, BF16, S8, U8
    int32_t zero;        // int8
    float scale;         // int8
    const float *scales; // int8: in place of `scale`, one for each p, or NULL
} quernel_i_elements;

/// ELTWISE: for every row m < rows and column n < columns, p = m·p_row + n·p_col
///     t = x; x + z; x − z; x·z; x / z     as values
///     then of the epilogue: activation, out_scale, output type. Its tables run over p; its scale,
///     bias, terms and residual are not looked at, and out is not S32.
/// p_row and p_col are 0 or 1, one of them 0. With p_col 1 the tables may be read up to the next
/// multiple of 16 columns. x and z may be y, element for element; they do not overlap it otherwise.
typedef struct quernel_i_eltwise {
    int32_t combine; // quernel_i_combine
    uint32_t rows, columns;
    uint32_t p_row, p_col;
    quernel_i_elements x, z; // COPY: z is not looked at
    const quernel_i_epilogue *epilogue;
} quernel_i_eltwise;

/// Whether a call is one of lines: elements side by side, of z perhaps one for a row or for all
/// rows; sums, products or copies of codes and floats, which become floats, or codes after none,
/// ReLU or clamp. Kernels with the trait `lines` take no others.
static inline bool quernel_i_eltwise_lines(const quernel_i_eltwise *e) {
    const quernel_i_epilogue *f = e->epilogue;
    const int32_t x_size = e->x.type == QUERNEL_TYPE_F32 ? 4 : 1,
                  z_size = e->z.type == QUERNEL_TYPE_F32 ? 4 : 1,
                  y_size = f->out == QUERNEL_TYPE_F32 ? 4 : 1;
    const bool plain = y_size == 4 ? !f->act && !f->out_scale : f->act < QUERNEL_I_ACT_SLOPES;
    if (f->out == QUERNEL_TYPE_BF16 || f->y_col != y_size || !plain ||
        e->x.type == QUERNEL_TYPE_BF16 || e->x.col != x_size)
        return false;
    if (e->combine == QUERNEL_I_COMBINE_COPY) return true;
    if (e->combine != QUERNEL_I_COMBINE_ADD && e->combine != QUERNEL_I_COMBINE_MUL) return false;
    if (!e->z.col) return !e->z.scales || !e->p_col;
    const bool shared = e->rows > 1 && !e->z.row;
    return shared || (e->z.type != QUERNEL_TYPE_BF16 && e->z.col == z_size);
}

/// LOOKUP: y[m][n] = table[x[m][n]] for every row and column of bytes; without a table x itself.
/// Strides are bytes. Row m's table begins table_row bytes behind the one before it, column n's
/// table_col. y may be x, byte for byte, and does not overlap it otherwise.
typedef struct quernel_i_lookup {
    const uint8_t *x;
    ptrdiff_t x_row, x_col;
    uint8_t *y;
    ptrdiff_t y_row, y_col;
    uint32_t rows, columns;
    const uint8_t *table; // [256], or NULL
    ptrdiff_t table_row, table_col;
} quernel_i_lookup;

/// Pools: for every row (output pixel) m < rows and channel c < channels, over the elements
///     e(i, j) = a[m·a_row + i·tap_line + j·tap_pixel + c], i < kernel_h, j < kernel_w
/// in the order of lines, then pixels. Floats are F32 or BF16, as the kernel's line says.
///     POOLMAX: u = the least code (−Inf of floats); u = e > u ? e : u. Bytes of bytes, F32 of
///     floats. POOLSUM: of bytes init + Σ e, S32, modulo 2^32; of floats (Σ_i (Σ_j e))·factor, F32,
///     each sum from +0 on.
/// Exactly those elements are read.
typedef struct quernel_i_pool {
    const void *a;
    ptrdiff_t a_row, tap_line, tap_pixel; // bytes, not negative
    uint32_t kernel_h, kernel_w, rows, channels;
    void *y;         // channels are contiguous
    ptrdiff_t y_row; // bytes; nothing is written between the rows
    int32_t init;
    float factor;
} quernel_i_pool;

/// Blends: for every row m < rows and channel c < channels
///     t = share[m][0]·x[at[m][0] + c]; t = fma(share[m][i], x[at[m][i] + c], t), i = 1 … taps − 1
/// as floats: bytes less `zero`, F32 and BF16 as they are. Exactly those elements are read.
typedef struct quernel_i_blend {
    const void *x;
    const ptrdiff_t *at; // [rows][taps], bytes
    const float *share;  // [rows][taps]
    uint32_t taps;       // 1 or more
    uint32_t rows, channels;
    int32_t zero;
    float *y;        // channels are contiguous
    ptrdiff_t y_row; // elements; nothing is written between the rows
} quernel_i_blend;

/// Samples: for every i < count
///     t = share[i]·x[at[i]]; t = fma(share[j·step + i], x[at[j·step + i]], t), j = 1 … taps − 1
///     y[i] = t
/// Exactly those elements are read.
typedef struct quernel_i_sample {
    const float *x;
    const int32_t *at; // elements
    const float *share;
    size_t step;   // from tap to tap
    uint32_t taps; // 1 or more
    uint32_t count;
    float *y;
} quernel_i_sample;

/// What quernel_i_normalize makes of a row.
typedef enum quernel_i_normalize_kind {
    QUERNEL_I_NORMALIZE_SOFTMAX = 0,
    QUERNEL_I_NORMALIZE_LAYER,
    QUERNEL_I_NORMALIZE_RMS,
    QUERNEL_I_NORMALIZE_COUNT
} quernel_i_normalize_kind;

/// NORMALIZE: for every row m < rows, over its values v[c], c < C = channels: a code's is
/// (float)(q − zero)·scales[c], rounded once. A sum is of 16 lanes, s[l] = Σ over c = l modulo 16,
/// in order, from +0 on; then s[l] += s[l + 8], l < 8, and so by 4, 2 and 1.
///     SOFTMAX: e[c] = e^(v[c] − max v), 0 where that is below −87; y[m][c] = e[c]·(1/Σ e)
///     LAYER: u[c] = v[c] − (Σ v)/C.  RMS: u[c] = v[c].  Both: d = 1/sqrt((Σ u²)/C + epsilon), the
///     squares added by fma; y[m][c] = fma(u[c]·d, factor[c], shift[c])
/// Tables may be read up to the next multiple of 16 channels, rows of x not.
typedef struct quernel_i_normalize {
    int32_t kind; // quernel_i_normalize_kind
    uint32_t rows, channels;
    quernel_i_elements x;        // side by side: col and scale are not looked at; scales never NULL
                                 // for codes
    const float *factor, *shift; // not of SOFTMAX
    float epsilon;
    float *line;     // scratch: [channels up to a multiple of 16], 64-byte aligned
    float *y;        // channels are contiguous
    ptrdiff_t y_row; // elements; nothing is written between the rows
} quernel_i_normalize;

/// Permutations: y[m·y_row + k] = x[m·x_row + index[k]] for every row m < rows and byte k < count.
/// index[k] < source; of each row the bytes [0, source) may be read.
typedef struct quernel_i_permute {
    const uint8_t *x;
    uint8_t *y;
    ptrdiff_t x_row, y_row;
    const uint32_t *index; // [count]
    uint32_t rows, count, source;
} quernel_i_permute;

/// What a kernel computes: the lines of ops.def.
typedef enum quernel_i_op {
#define OP(op, call, typed) QUERNEL_I_OP_##op,
#include "kernels/ops.def"
    QUERNEL_I_OP_COUNT
} quernel_i_op;

/// How it is called.
typedef enum quernel_i_kernel_call {
#define CALL(call, member, prepare, arguments) QUERNEL_I_CALL_##call,
#include "kernels/ops.def"
    QUERNEL_I_CALL_COUNT
} quernel_i_kernel_call;

/// Makes the kernel's own form of a sub-panel of 16 output channels, once per block of output
/// channels.
typedef void quernel_i_prepare_gemm(const int8_t *panel, uint32_t k_quads, void *dst);
typedef void quernel_i_prepare_conv(const int8_t *panel, const quernel_i_window *window, void *dst);
typedef void quernel_i_prepare_none(void);

typedef struct quernel_i_limits {
    uint8_t min, max; // most 0: without limit
} quernel_i_limits;

/// Which windows a convolution kernel takes.
typedef struct quernel_i_fits {
    quernel_i_limits kernel_h, kernel_w, stride_h, stride_w;
    // the values of a kernel line lie side by side: no groups, no dilation along it, stride_w <=
    // kernel_w
    bool whole_lines;
    // 2 groups or more share 16 output channels, with so many channels at most; 0: groups do not
    // matter
    uint8_t group_channels;
    // a group has 2, 4 or 8 channels, and as many output channels: whole lanes of four, or halves
    bool group_lanes;
} quernel_i_fits;

/// The bound of Winograd's algorithm for 3x3 with stride 1 (quernel_i_kernel.bound), which its
/// transforms give and its template counts with.
enum { QUERNEL_I_CONV3X3_BOUND = 25 };

/// What a convolution kernel multiplies for 4x4 outputs.
typedef enum quernel_i_multiplies {
    QUERNEL_I_MULTIPLIES_DIRECT = 0, // each output's k, as it is
    // `points` points of Winograd's algorithm in two dimensions, each as deep as the channels
    QUERNEL_I_MULTIPLIES_POINTS,
    // points of F(4, r) down the lines, for each of 4 pixels; each as deep as a kernel line, or two
    QUERNEL_I_MULTIPLIES_LINES,
    // each output's k of its own group alone, `kr` channels at a time
    QUERNEL_I_MULTIPLIES_SLOTS
} quernel_i_multiplies;

/// What a kernel of POINTS or LINES takes, in the time of a product of its set's GEMM: a product of
/// a point; beside the products an input channel and an output channel of a tile of 4x4 outputs;
/// nine weights that are prepared.
typedef struct quernel_i_costs {
    float product, input, output, weight; // product 0: not measured so
} quernel_i_costs;

/// One line of kernels.def.
typedef struct quernel_i_kernel {
    const char *name;   // quernel_uk_<op>_<types>_<MR>x<NR>x<KR>_<isa>
    uint8_t op;         // quernel_i_op
    uint8_t call;       // quernel_i_kernel_call, the op's
    uint8_t isa;        // quernel_isa
    bool typed;         // a_type matters
    uint8_t a_type;     // quernel_type of the rows: U8 or S8; of pools and blends any but S32
    uint8_t mr, nr, kr; // rows and oc of a register tile, k of a step
    uint16_t krev;      // revision: a tuning row lives as long as it is equal
    union {
#define CALL(call, member, prepare, arguments) void(*member) arguments;
#include "kernels/ops.def"
        void (*any)(void);
    } run; // epilogue: acc_row in elements, acc 4-byte aligned, read exactly rows x oc
    // bytes, a multiple of 64, never less for more quads; NULL: none
    size_t (*scratch)(uint32_t k_quads);

    // The kernel's own form of a sub-panel: quernel_i_panel_bytes of it. NULL and 64: it reads
    // w16x4 as it is.
    union {
        quernel_i_prepare_gemm *gemm;
        quernel_i_prepare_conv *conv;
        void (*any)(void);
    } b_prepare;
    uint16_t b_quad_bytes, b_head; // bytes for 4 k, and of what lies before or among them
    // each of so many taps begins with a group of its own; 0: groups follow one another
    uint8_t b_taps;

    // Of a convolution
    quernel_i_fits fits;
    // |Σ a·w| of every output channel stays below 2^bound, whatever the bytes of a are; 0: no bound
    uint8_t bound;
    // other sums are computed in parts of the channels, each of which stays below it
    bool in_parts;
    uint8_t multiplies; // quernel_i_multiplies
    uint8_t points;     // of QUERNEL_I_MULTIPLIES_POINTS
    // measured: pays from so many channels on; a narrow GEMM kernel for a block and a half of
    // output channels
    uint8_t pays_channels;
    uint8_t pays_oc;     // of a narrow one: tiles side by side pay for so many output channels
    float pays_computed; // where it computes at most so many outputs for one that is kept
    // of QUERNEL_I_MULTIPLIES_SLOTS that reads pixels as they are: a product, in the time of one of
    // its set's GEMM; 0: pixels are spread
    float slot_costs;
    quernel_i_costs costs; // measured: decides in place of both, and ranks sets
    // the same on cores where what is not multiplied is light; 0: no other
    quernel_i_costs costs_light;

    // Traits
    // rows and oc in tiles of 16 that the thread configures; one operand stays in L1
    bool tiles;
    bool lines;           // ELTWISE: takes calls of lines alone
    bool prefetches;      // takes the hints of quernel_i_gemm: prefetch, ahead
    bool prefetches_near; // likewise, where lines are best fetched into L1
    uint8_t oc_tail;      // a last register tile of at most so many oc multiplies no more; 0: 16
    // weights are prepared with less work than those of the set's first kernel, for few rows
    bool few_rows;
    // fewer multiplications than the set's first kernel, for cores with one multiplier
    bool one_multiplier;
    bool vbmi; // needs AVX-512 VBMI, which not every CPU of the set has
} quernel_i_kernel;

/// Bytes of a sub-panel of `k_quads` quads of k in the kernel's own form.
static inline size_t quernel_i_panel_bytes(const quernel_i_kernel *k, uint32_t k_quads) {
    const size_t taps = k->b_taps ? k->b_taps : 1;
    return k->b_head + (k_quads + taps - 1) / taps * taps * k->b_quad_bytes;
}

/// Every kernel that was compiled, in the order of kernels.def. Ends where `name` is NULL.
extern const quernel_i_kernel quernel_i_kernels[];

#endif
