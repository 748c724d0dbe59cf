// SPDX-License-Identifier: Apache-2.0
// Strips: how many output pixels a task makes. Their rows take at most a third of L2, so that a
// block of weights (half of it) and results have room beside them (large products on tiles:
// plan/tiled.c).
#include "plan/blocking.h"
#include "plan/cost.h"
#include "plan/sizes.h"
#include "plan/tiled.h"

// Most bytes of a strip: about a third of an L2 of 2 MiB. The largest block of weights and a chunk
// fit beside it (blocking.c).
#define STRIP_MAX (608 * QUERNEL_I_KiB)
// Of a convolution kernel, which makes its transformed weights anew for each strip: chosen with 3x3
// layers of 64 to 256 channels on Zen 3. Where that is fewer tiles of 4x4 outputs than pay for
// making the weights, as with 512 channels, it is as many, up to STRIP_MAX: 512 to 64 channels at
// 180x180, f32, a Xeon of 2 MiB of L2: 45 tiles 1.13 [1.10, 1.16] times as fast as 23.
#define CONV_STRIP_MAX (384 * QUERNEL_I_KiB)
#define CONV_TILES_PAY 45 // measured, as said above
// Rows that pay for preparing a block of weights, or for reading it from beyond L2. Measured on Zen
// 1: 512x4096x4096 1.10 times as fast as with a third of L2; on Emerald Rapids, which prepares
// nothing: 512x11008x4096 1.08, 512x4096x4096 0.99.
#define ROWS_PAY 256
#define TASKS_PER_THREAD 4 // the last task of a thread is at most a quarter of its work
_Static_assert(STRIP_MAX <= QUERNEL_I_SLICE_MAX && CONV_STRIP_MAX < QUERNEL_I_SLICE_MAX,
               "a strip fits a slice");

typedef struct extent {
    uint32_t h, w;
} extent;

bool quernel_i_plan_far(const quernel_i_plan_base *b) {
    return quernel_i_tiled_far(b->problem, b->kernels->main, b->rows->path, b->machine->l2_bytes);
}

size_t quernel_i_plan_strip_pixel(const quernel_i_plan_base *b) {
    if (b->rows->path != QUERNEL_I_PATH_IM2COL) return (size_t)b->rows->pixel;
    return b->problem->x.c * (quernel_i_problem_float_input(b->problem) ? sizeof(float) : 1);
}

size_t quernel_i_plan_strip_bytes(const quernel_i_plan_base *b, uint32_t h, uint32_t w) {
    return (size_t)quernel_i_problem_lines(b->problem, h) *
           quernel_i_problem_pixels(b->problem, w) * quernel_i_plan_strip_pixel(b);
}

// Output lines of a register tile: convolution kernels work in tiles of 4, of each lattice of a
// dilation.
static uint32_t line_step(const quernel_i_plan_base *b) {
    return quernel_i_plan_kernel_is_conv(b->kernels->main) ? 4 * b->problem->dilation_h : 1;
}

static size_t conv_strip(const quernel_i_plan_base *b) {
    const uint32_t pixels = CONV_TILES_PAY * 4 * b->problem->dilation_w;
    return max(CONV_STRIP_MAX, min(quernel_i_plan_strip_bytes(b, line_step(b), pixels), STRIP_MAX));
}

// Prepared weights are made anew for every strip, and many are read from beyond L2. Transformed
// ones are dear, so strips are large; rows of one run are read once for each block, so that strips
// may be larger than L2. Where taps are read in place strips cost nothing.
static size_t strip_budget(const quernel_i_plan_base *b) {
    const quernel_i_plan_rows *r = b->rows;
    const bool in_place = r->path == QUERNEL_I_PATH_INPLACE,
               packed = r->path == QUERNEL_I_PATH_IM2COL;
    const size_t pixel = quernel_i_plan_strip_pixel(b);
    if (in_place && quernel_i_problem_depthwise(b->problem)) return SIZE_MAX;
    if (quernel_i_plan_kernel_is_conv(b->kernels->main)) return in_place ? SIZE_MAX : conv_strip(b);
    if (quernel_i_plan_far(b) && !(packed && r->has_strip))
        return quernel_i_plan_far_strip(b) / (size_t)r->pixel * pixel;
    const bool dear = quernel_i_plan_prepares(b) || quernel_i_plan_walks(b);
    const size_t pays = dear && r->n_k_runs == 1 && !packed ? ROWS_PAY * pixel : 0;
    return max(min(b->machine->l2_bytes / 3, STRIP_MAX), in_place ? pays : min(pays, STRIP_MAX));
}

// `pixels` of a line, in whole tiles where the kernel works in tiles: of each lattice of a
// dilation.
static uint32_t whole_tiles(const quernel_i_plan_base *b, uint32_t pixels) {
    const uint32_t tile =
        quernel_i_plan_kernel_is_conv(b->kernels->main) ? 4 * b->problem->dilation_w : 1;
    return pieces(pixels, tile) * tile;
}

static uint32_t half_line(const quernel_i_plan_base *b, uint32_t pixels) {
    return whole_tiles(b, (pixels + 1) / 2);
}

// As many whole lines as fit; of lines that are too long, as many pixels of one.
static extent fit(const quernel_i_plan_base *b) {
    const quernel_i_problem *p = b->problem;
    const size_t budget = strip_budget(b);
    const uint32_t step = line_step(b);
    extent e = {(uint32_t)min(step, p->grid_h), p->grid_w};
    while (e.w > 16 && half_line(b, e.w) < e.w && quernel_i_plan_strip_bytes(b, e.h, e.w) > budget)
        e.w = half_line(b, e.w);
    while (e.h < p->grid_h && quernel_i_plan_strip_bytes(b, e.h + step, e.w) <= budget)
        e.h = (uint32_t)min(e.h + step, p->grid_h);
    return e;
}

// A dilation's taps lie so far apart that a small strip would read, and quantize, little else than
// what its neighbours read again.
static bool mostly_halo(const quernel_i_plan_base *b, extent e) {
    const quernel_i_problem *p = b->problem;
    const uint64_t read =
        (uint64_t)quernel_i_problem_lines(p, e.h) * quernel_i_problem_pixels(p, e.w);
    return b->rows->path == QUERNEL_I_PATH_STAGED &&
           read > 4 * (uint64_t)e.h * p->stride_h * e.w * p->stride_w;
}

// Twice the pixels, or else lines, where there are more and they fit; else as it was.
static extent twice(const quernel_i_plan_base *b, extent e) {
    const quernel_i_problem *p = b->problem;
    extent larger = e;
    if (e.w < p->grid_w) larger.w = (uint32_t)min(2 * (size_t)e.w, p->grid_w);
    else larger.h = (uint32_t)min(2 * (size_t)e.h, p->grid_h);
    return quernel_i_plan_strip_bytes(b, larger.h, larger.w) > QUERNEL_I_SLICE_MAX ? e : larger;
}

static extent grow(const quernel_i_plan_base *b, extent e) {
    while (mostly_halo(b, e)) {
        const extent larger = twice(b, e);
        if (larger.h == e.h && larger.w == e.w) break;
        e = larger;
    }
    return e;
}

// Output channels that need several blocks of transformed weights are better split among threads
// than lines: no block is made twice.
static bool splits_n(const quernel_i_plan_base *b, extent e) {
    const quernel_i_weights_shape *s = &b->problem->weights->shape;
    if (!quernel_i_plan_kernel_is_conv(b->kernels->main) || b->rows->path != QUERNEL_I_PATH_INPLACE)
        return false;
    const size_t weights = quernel_i_panel_bytes(b->kernels->main, s->k_quads) * (s->oc16 / 16);
    return weights > quernel_i_plan_block_budget(b, e.h, e.w);
}

// Fewer where they would be shorter than waking a thread: each reads lines of its neighbours.
static uint32_t tasks_per_thread(const quernel_i_plan_base *b) {
    const quernel_i_problem *p = b->problem;
    return quernel_i_cost_pieces(p, b->kernels->main, p->threads, TASKS_PER_THREAD);
}

// More threads want more strips, in a multiple of their count; a strip stays at least two register
// tiles high.
static extent split(const quernel_i_plan_base *b, extent e) {
    const quernel_i_problem *p = b->problem;
    uint32_t h = pieces(p->grid_h, e.h), w = pieces(p->grid_w, e.w);
    const uint32_t others = p->x.n * w;
    const bool far = quernel_i_plan_far(b); // no more than needed: each reads all weights
    const uint32_t want =
        far ? pieces(h * others, p->threads) * p->threads : p->threads * tasks_per_thread(b);
    if (h * others < want) h = (uint32_t)min(p->grid_h, pieces(want, others));
    e.h = (uint32_t)min(quernel_i_round_up(pieces(p->grid_h, h), line_step(b)), p->grid_h);
    h = pieces(p->grid_h, e.h);
    if (h * others >= want) return e;
    const uint32_t tile = quernel_i_problem_depthwise(p) ? 16 : 2u * b->kernels->main->mr;
    const uint32_t by_width = pieces(want, h * p->x.n),
                   fitting = (uint32_t)max(1, p->grid_w / tile);
    w = (uint32_t)max(w, min(by_width, fitting));
    e.w = (uint32_t)min(whole_tiles(b, pieces(p->grid_w, w)), p->grid_w);
    return e;
}

static extent choose(const quernel_i_plan_base *b) {
    const quernel_i_problem *p = b->problem;
    extent e = grow(b, fit(b));
    if (b->config->strip_h) e.h = (uint32_t)min(b->config->strip_h, p->grid_h);
    if (b->config->strip_w) e.w = (uint32_t)min(b->config->strip_w, p->grid_w);
    const bool demanded = b->config->strip_h || b->config->strip_w;
    return p->threads == 1 || demanded || splits_n(b, e) ? e : split(b, e);
}

static ptrdiff_t line_bytes(const quernel_i_plan_base *b, uint32_t pixels) {
    switch (b->rows->path) {
    case QUERNEL_I_PATH_INPLACE: return (ptrdiff_t)b->problem->x.stride_h;
    case QUERNEL_I_PATH_STAGED: return (ptrdiff_t)pixels * b->rows->pixel;
    default: return 0;
    }
}

quernel_i_plan_strip quernel_i_plan_strip_of(const quernel_i_plan_base *b) {
    const quernel_i_problem *p = b->problem;
    const extent e = choose(b);
    const uint32_t pixels = quernel_i_problem_pixels(p, e.w);
    return (quernel_i_plan_strip){.h = e.h,
                                  .w = e.w,
                                  .step = line_step(b),
                                  .count_h = pieces(p->grid_h, e.h),
                                  .count_w = pieces(p->grid_w, e.w),
                                  .pixels = pixels,
                                  .line = line_bytes(b, pixels)};
}

uint32_t quernel_i_plan_range_tasks(const quernel_i_problem *p) {
    if (!quernel_i_problem_by_image(p)) return 0;
    const uint32_t lines = p->x.h > 1 ? p->x.h : p->x.w;
    return p->threads == 1 ? 1 : (uint32_t)min(lines, p->threads * TASKS_PER_THREAD);
}
