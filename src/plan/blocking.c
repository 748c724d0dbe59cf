// SPDX-License-Identifier: Apache-2.0
// Block sizes: a block of weights takes half of L2 at most, and no more than what keeps a worker's
// slice below 3.5 MiB (large products on tiles: plan/tiled.c). Where k is so long that few rows and
// output channels fit, and the kernel prepares both, more of them are worth reading from beyond L2.
// Blocks of k, with sums kept in L2, gave no more on AVX2: 0.96 to 0.99 of the speed with K = 4096;
// with a loop three times as fast 0.93 to 0.98, 1.00 to 1.05 with K = 11008.
#include "plan/blocking.h"

#include "base/error.h"
#include "cpu/cpu.h"
#include "plan/sizes.h"
#include "plan/tiled.h"

// Most bytes of a block of weights, and of a chunk's im2col rows: with the largest strip (strip.c)
// 1504 KiB, so that a slice keeps room for the kernel's scratch and tables. Half of an L2 of 512
// KiB is less; the bound is that of larger ones, and of long k: measured with OC_PAY. A chunk
// is a quarter of such an L2, not measured against other sizes.
#define BLOCK_MAX (768 * QUERNEL_I_KiB)
#define CHUNK_MAX (128 * QUERNEL_I_KiB)
// Output channels that pay for the kernel's preparing a row. With ROWS_PAY (strip.c) and against a
// third and half of L2, Zen 1, paired: 512x4096x4096 1.10, 128x768x3072 1.06, 512 channels of 7x7
// as a product 1.10.
#define OC_PAY 64
// Floats that a bf16 piece becomes before it is quantized: what is written is read back at once, so
// an eighth of an L2 of 512 KiB. Not measured against other sizes.
#define FLOATS_MAX (64 * QUERNEL_I_KiB)
// Sums of a fused line before their epilogue: an eighth of L2 too, and no more than this. A whole
// line is worth it, 1.05: it ends fewer cache lines in the middle (Sapphire Rapids, 256:256 k2).
#define TILE_MAX (256 * QUERNEL_I_KiB)
#define TILE_ROWS 24 // the most rows that a vector kernel takes at a time; most others divide it
// Phases whose weights are prepared together: fused lines were measured with strides 2 and 4
// (1.25, 1.07), this is room.
#define FUSED_MAX 16
// A GEMV's weights of no more than twice an L2 of 512 KiB, Zen's, may still be there in part from
// call to call. The bound itself was not measured, prefetching beyond it was: 1.19 times as fast as
// none (Zen 1, 1x4096x4096, 1x11008x4096).
#define PREFETCHED_MIN (1024 * QUERNEL_I_KiB)
// The best distance on Zen 3, and on Zen 5, as good as 8 KiB; 1 and 2 KiB are 3 to 5 % faster on
// Zen 1, which the tuner finds.
#define PREFETCH (16 * QUERNEL_I_KiB)
// Cycles of a call for a line, beside its pixels: 110 to 190 measured on Zen 5 with 8 to 24
// channels of 20 to 112 pixels.
#define CALL_CYCLES 150
_Static_assert(BLOCK_MAX + CHUNK_MAX + TILE_MAX + FLOATS_MAX <= QUERNEL_I_SLICE_MAX,
               "blocks fit a slice");
_Static_assert(OC_PAY % 16 == 0, "output channels come in sub-panels of 16");

size_t quernel_i_plan_scratch_bytes(const quernel_i_plan_base *b) {
    const quernel_i_kernel *k = b->kernels->main;
    const quernel_i_weights_shape *s = &b->problem->weights->shape;
    if (!k->scratch) return 0;
    return k->scratch(quernel_i_problem_depthwise(b->problem) ? s->oc : s->k_quads);
}

static size_t panel_bytes(const quernel_i_plan_base *b) {
    return quernel_i_panel_bytes(b->kernels->main, b->problem->weights->shape.k_quads);
}

// 4096x4096, 16 MiB, is still served by what lies behind an L2 of 2 MiB: larger strips gain
// nothing.
bool quernel_i_plan_walks(const quernel_i_plan_base *b) {
    const size_t panels = b->problem->weights->shape.oc16 / 16;
    return !quernel_i_plan_prepares(b) && panel_bytes(b) * panels > 8 * b->machine->l2_bytes;
}

size_t quernel_i_plan_block_budget(const quernel_i_plan_base *b, uint32_t h, uint32_t w) {
    if (quernel_i_plan_far(b))
        return max(quernel_i_plan_far_block(b), panel_bytes(b) * (b->kernels->main->nr / 16));
    if (!quernel_i_plan_kernel_is_conv(b->kernels->main)) {
        const size_t pays = quernel_i_plan_prepares(b) ? panel_bytes(b) * (OC_PAY / 16) : 0;
        // beside larger strips
        const size_t share = b->machine->l2_bytes / (quernel_i_plan_walks(b) ? 4 : 2);
        return min(max(share, pays), BLOCK_MAX);
    }
    const size_t strip =
        b->rows->path == QUERNEL_I_PATH_INPLACE ? 0 : quernel_i_plan_strip_bytes(b, h, w);
    const size_t others = strip + quernel_i_plan_scratch_bytes(b);
    return others < QUERNEL_I_SLICE_MAX ? QUERNEL_I_SLICE_MAX - others : 0;
}

// Results of a phase lie apart along the lines of y; the epilogue takes a line as a whole where its
// pixels do not.
uint32_t quernel_i_plan_fused_phases(const quernel_i_problem *p) {
    const bool pays = p->weights->shape.phases > 1 && p->up_w <= FUSED_MAX && p->y.stride_c != 1;
    return pays ? p->up_w : 1;
}

// Output channels of a block by its budget alone, in whole register tiles.
static size_t fitting_oc(const quernel_i_plan_base *b, const quernel_i_plan_strip *strip,
                         uint32_t fused, uint32_t nr) {
    if (b->config->n_block) return quernel_i_round_up(b->config->n_block, 16);
    size_t oc =
        max(1, quernel_i_plan_block_budget(b, strip->h, strip->w) / (panel_bytes(b) * fused)) * 16;
    // A GEMV walks the weights once: nothing is there to be kept.
    if (b->kernels->main->op == QUERNEL_I_OP_GEMV) oc = b->problem->weights->shape.oc16;
    return oc > nr ? oc / nr * nr : oc;
}

// Output channels of a block: what its budget allows, no more than a thread's share, and as even as
// whole register tiles can be. A demanded size stays as it is.
static uint32_t block_oc(const quernel_i_plan_base *b, const quernel_i_plan_strip *strip,
                         uint32_t fused, uint32_t n_split) {
    const quernel_i_weights_shape *s = &b->problem->weights->shape;
    const uint32_t subproblems = s->subproblems / fused,
                   nr = b->kernels->main->nr > 16 ? b->kernels->main->nr : 16;
    const size_t fitting = fitting_oc(b, strip, fused, nr);
    if (b->config->n_block) return (uint32_t)min(fitting, s->oc16);
    const uint32_t share = pieces(s->oc16, pieces(n_split, subproblems));
    const size_t most = n_split > 1 ? min(fitting, quernel_i_round_up(share, nr)) : fitting;
    uint32_t blocks = pieces(s->oc, (uint32_t)min(most, s->oc16));
    // as many for each thread
    if (subproblems == 1) blocks = (uint32_t)quernel_i_round_up(blocks, n_split);
    return (uint32_t)min(quernel_i_round_up(pieces(s->oc, blocks), nr), s->oc16);
}

quernel_i_plan_n_blocks quernel_i_plan_n_blocks_of(const quernel_i_plan_base *b,
                                                   const quernel_i_plan_strip *strip) {
    const quernel_i_problem *p = b->problem;
    const quernel_i_weights_shape *s = &p->weights->shape;
    const uint32_t fused = quernel_i_plan_fused_phases(p);
    if (quernel_i_problem_depthwise(p)) return (quernel_i_plan_n_blocks){s->oc16, fused, 1, 1, 1};
    // Output channels are split among threads where rows are too few.
    const uint32_t strips = p->x.n * strip->count_h * strip->count_w,
                   n_split = strips >= p->threads ? 1 : pieces(p->threads, strips);
    quernel_i_plan_n_blocks n = {
        .oc = block_oc(b, strip, fused, n_split), .fused = fused, .n_split = 1};
    n.per_subproblem = pieces(s->oc, n.oc);
    n.count = s->subproblems / fused * n.per_subproblem;
    if (p->threads == 1) return n; // nobody to share them with
    n.n_split = (uint32_t)min(b->config->n_split ? b->config->n_split : n_split, n.count);
    return n;
}

// Weights of the next block, where L2 does not keep those of all. Zen 5: 16 rows 1.48 times as
// fast, 128 0.98, 256 1.07, 512 1.06; Zen 4: 16 rows 1.38, 28 1.18, 256 1.02.
static uint32_t next_block(const quernel_i_plan_base *b, const quernel_i_plan_n_blocks *n) {
    const size_t panels = b->problem->weights->shape.oc16 / 16, bytes = panel_bytes(b);
    return bytes * panels <= b->machine->l2_bytes ? 0 : (uint32_t)(bytes * (n->oc / 16));
}

// Only weights that no L2 keeps from call to call are prefetched.
static uint32_t prefetch_distance(const quernel_i_plan_base *b, const quernel_i_plan_n_blocks *n) {
    const quernel_i_kernel *k = b->kernels->main;
    if (!k->prefetches && !(k->prefetches_near && b->machine->near)) return 0;
    if (k->op == QUERNEL_I_OP_GEMM) return next_block(b, n);
    if ((size_t)n->oc * b->problem->weights->shape.k_quads * 4 <= PREFETCHED_MIN) return 0;
    return b->config->prefetch ? b->config->prefetch : PREFETCH;
}

// Output that L2 cannot keep for whoever reads it next is better written past the caches: half of
// the traffic, and no line is waited for. Codes, and all that tile kernels write, are not whole
// lines when they leave: their lines are asked for a block ahead instead. So codes are 1.04 to 1.2
// times as fast on a Zen 4, 1.05 to 1.3 times on an Emerald Rapids' tiles, whose planes are 1.2 to
// 2.1 times; where L2 holds them, 0.96.
static quernel_i_stores stores_of(const quernel_i_plan_base *b) {
    const quernel_i_problem *p = b->problem;
    if (b->config->stores) return (quernel_i_stores)(b->config->stores - 1);
    const bool pays =
        quernel_i_problem_planes(p) || quernel_type_size((quernel_type)p->y.type) == 1;
    const bool past = quernel_i_machine_past(b->machine->l2_bytes, quernel_i_problem_y_bytes(p));
    return pays && past ? QUERNEL_I_STORES_PAST : QUERNEL_I_STORES_CACHED;
}

// Kernels without tiles read both operands in one way: a demand changes nothing there.
quernel_i_plan_streams quernel_i_plan_streams_of(const quernel_i_plan_base *b,
                                                 const quernel_i_plan_n_blocks *n) {
    const quernel_i_kernel *k = b->kernels->main;
    const size_t l1d_bytes = b->machine->l1d_bytes;
    if (!k->tiles)
        return (quernel_i_plan_streams){QUERNEL_I_STREAMED_NONE, 0, prefetch_distance(b, n),
                                        stores_of(b), b->machine->near};
    const quernel_i_streamed operand =
        b->config->streamed
            ? (quernel_i_streamed)(b->config->streamed - 1)
            : quernel_i_tiled_streamed(b->problem, k, b->rows->path, n->oc, l1d_bytes);
    const uint32_t own =
        quernel_i_tiled_l1_resident(b->problem, k, b->rows->path, operand, l1d_bytes);
    const size_t demanded = min(b->config->l1_resident, b->problem->weights->shape.k_quads);
    return (quernel_i_plan_streams){operand, own && demanded ? (uint32_t)demanded : own, 0,
                                    stores_of(b), b->machine->near};
}

uint32_t quernel_i_plan_float_pixels(const quernel_i_problem *p) {
    if (p->x.type != QUERNEL_TYPE_BF16) return 0;
    return (uint32_t)min(max(1, FLOATS_MAX / sizeof(float) / p->x.c), p->x.w);
}

// Pixels from line to line of the rows.
static int64_t pitch_of(const quernel_i_plan_base *b, const quernel_i_plan_strip *strip) {
    return strip->line / b->rows->pixel;
}

// Lines lie at one distance in x's rows, in y, and in the residual, and what lies between them is
// y's own border: then a strip is one line, without a tail of rows at the end of each of its lines.
// Tasks of one strip would write each other's borders.
static bool can_collapse(const quernel_i_plan_base *b, const quernel_i_plan_strip *strip,
                         const quernel_i_plan_n_blocks *n, uint32_t dedup) {
    const quernel_i_problem *p = b->problem;
    if (b->rows->path == QUERNEL_I_PATH_IM2COL || b->kernels->main->op != QUERNEL_I_OP_GEMM ||
        dedup)
        return false;
    if (p->stride_h != 1 || p->stride_w != 1 || p->up_h != 1 || p->up_w != 1) return false;
    if (strip->w != p->grid_w || n->n_split != 1 || strip->line % b->rows->pixel) return false;
    const int64_t pitch = pitch_of(b, strip), between = pitch - p->grid_w;
    const quernel_tensor *y = &p->y, *r = &p->residual;
    if (pitch * strip->h > INT32_MAX || between != 2 * (int64_t)y->border_w ||
        y->stride_h != pitch * y->stride_w)
        return false;
    if (!p->epilogue.residual) return true;
    return r->stride_h == pitch * r->stride_w &&
           (!r->stride_w || between <= 2 * (int64_t)r->border_w);
}

// Whether so many pixels of a block take no longer than a call; not where that was not measured.
static bool below_call(const quernel_i_plan_base *b, const quernel_i_plan_n_blocks *n,
                       size_t pixels) {
    const quernel_i_weights_shape *s = &b->problem->weights->shape;
    const quernel_i_isa *isa = &quernel_i_isas[b->kernels->main->isa];
    if (isa->products_a_cycle <= 0) return pixels == 0;
    const double output = 4.0 * s->k_quads / isa->products_a_cycle + isa->cycles_an_output;
    return (double)(pixels * min(s->oc, n->oc)) * output <= CALL_CYCLES;
}

// Vector kernels split a line evenly among register tiles, so that pixels between lines are lost
// time, unless they take less than the calls that are saved; tile kernels do not split tiles.
static bool collapse_pays(const quernel_i_plan_base *b, const quernel_i_plan_strip *strip,
                          const quernel_i_plan_n_blocks *n) {
    const quernel_i_kernel *k = b->kernels->main;
    const size_t rows = quernel_i_isas[k->isa].tile.rows, lines = strip->h,
                 width = b->problem->grid_w, between = (size_t)pitch_of(b, strip) - width;
    if (lines < 2 || !k->tiles) return lines > 1 && below_call(b, n, between);
    return quernel_i_round_up(lines * (width + between) - between, rows) <=
           lines * quernel_i_round_up(width, rows);
}

int quernel_i_plan_collapse_of(const quernel_i_plan_base *b, const quernel_i_plan_strip *strip,
                               const quernel_i_plan_n_blocks *n, uint32_t dedup, bool *ret_collapse,
                               quernel_error *error) {
    const bool legal = can_collapse(b, strip, n, dedup), demanded = b->config->collapse == 2;
    *ret_collapse = b->config->collapse ? demanded : legal && collapse_pays(b, strip, n);
    if (!demanded || legal) return QUERNEL_OK;
    return quernel_i_error_set(error, QUERNEL_E_VALUE, "config", -1,
                               "%s: config: collapse: not legal for this layer", b->problem->where);
}

// Pixels of a tile of a fused line, at most `most`: else as many whole blocks of rows as may be,
// which kernels take by 24 or what divides it.
static size_t tile_pixels(const quernel_i_plan_base *b, const quernel_i_plan_n_blocks *n,
                          size_t most) {
    const size_t bytes = min(b->machine->l2_bytes / 8, TILE_MAX);
    const size_t fit = max(1, bytes / (n->fused * quernel_i_plan_tile_row(n)));
    if (fit >= most) return most;
    return fit > TILE_ROWS ? fit / TILE_ROWS * TILE_ROWS : fit;
}

uint32_t quernel_i_plan_chunk_of(const quernel_i_plan_base *b, const quernel_i_plan_strip *strip,
                                 const quernel_i_plan_n_blocks *n, bool collapse) {
    const size_t pixels = collapse ? (size_t)strip->h * (size_t)pitch_of(b, strip) : strip->w;
    if (b->config->chunk) return (uint32_t)min(b->config->chunk, pixels);
    size_t chunk = pixels;
    if (b->rows->path == QUERNEL_I_PATH_IM2COL) {
        const size_t bytes = quernel_i_plan_far(b) ? quernel_i_plan_far_strip(b) : CHUNK_MAX;
        chunk = min(strip->w, max(1, bytes / (size_t)b->rows->pixel));
    }
    return (uint32_t)(n->fused > 1 ? tile_pixels(b, n, chunk) : chunk);
}
