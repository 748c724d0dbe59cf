// SPDX-License-Identifier: Apache-2.0
// Counts of work times rates. The rates were fitted to the landscapes, which hold times of a Zen 3 core
// (QUERNEL_TEST_FIT=1 test_tune model_regret prints them); MACs are scaled to other instruction sets by what their
// registers can do in a cycle.
#include "plan/model.h"

#include "cpu/cpu.h"
#include "plan/conv.h"

enum { SQUARE = 4 };

const double quernel_i_model_rates[QUERNEL_I_WORK_COUNT] = {
    [QUERNEL_I_WORK_MACS] = 0.426,    [QUERNEL_I_WORK_CALLS] = 0,        [QUERNEL_I_WORK_TILES] = 48.1,
    [QUERNEL_I_WORK_WIDENED] = 0.058, [QUERNEL_I_WORK_B_L2] = 0.00678,   [QUERNEL_I_WORK_B_FAR] = 0.0122,
    [QUERNEL_I_WORK_A_FAR] = 0.261,   [QUERNEL_I_WORK_PREPARED] = 0.014, [QUERNEL_I_WORK_COPIED] = 0.0171,
    [QUERNEL_I_WORK_PACKED] = 0.473,  [QUERNEL_I_WORK_QUANTIZED] = 0.22, [QUERNEL_I_WORK_STORED] = 0.265,
};

static double macs_per_ns(const quernel_i_kernel *k) { return quernel_i_isas[k->isa].macs_per_ns; }
static double words_per_ns(const quernel_i_kernel *k) { return quernel_i_isas[k->isa].words_per_ns; }

static double up(double total, double piece) {
    const double whole = (double)(uint64_t)(total / piece);
    return (whole + (whole * piece < total)) * piece;
}

// A task's share: a strip by a part of the units, in numbers of pixels that need not be whole.
typedef struct share {
    double tasks, strips;      // per thread; strips of the whole layer
    double pixels, line_calls; // of a strip: output pixels, calls per unit
    double tiles;              // register tiles of rows in a strip
    double squares;            // of 4x4 output pixels in a strip
    double staged;             // bytes of a strip
    double units;              // of a task
} share;

static share share_of(const quernel_i_layer *l, double mr) {
    share s = {.units = (double)l->units / l->parts};
    s.strips = (double)l->x.n * l->strips_h * l->strips_w;
    s.tasks = up(s.strips * l->parts, l->threads) / l->threads;
    // Means over strips, so that the last, smaller ones count as what they are.
    const double lines = (double)l->grid_h / l->strips_h, width = (double)l->grid_w / l->strips_w;
    const double chunks = up(width, l->chunk) / l->chunk, chunk = width / chunks;
    s.pixels = lines * width;
    s.line_calls = lines * chunks;
    s.tiles = s.line_calls * up(chunk, mr) / mr;
    s.squares = up(lines, SQUARE) * up(width, SQUARE) / (SQUARE * SQUARE);
    const double in_lines = (lines - 1) * l->stride_h + (l->kernel_h - 1) * l->dilation_h + 1;
    const double in_width = (width - 1) * l->stride_w + (l->kernel_w - 1) * l->dilation_w + 1;
    s.staged = in_lines * in_width * l->x.c;
    return s;
}

static double block_columns(const quernel_i_layer *l) {
    return up((double)l->weights->shape.columns / l->units_per_job, l->gemm->nr);
}

// Direct products: rows by columns, k deep.
static void count_direct(const quernel_i_layer *l, const share *s, double *work) {
    const quernel_i_kernel *k = l->gemm;
    const double columns = block_columns(l), depth = 4.0 * l->weights->shape.k_groups,
                 tiles = s->tasks * s->tiles * s->units;
    work[QUERNEL_I_WORK_MACS] = tiles * k->mr * columns * depth / macs_per_ns(k);
    work[QUERNEL_I_WORK_CALLS] = s->tasks * s->line_calls * s->units;
    work[QUERNEL_I_WORK_TILES] = tiles * columns / k->nr;
    work[QUERNEL_I_WORK_WIDENED] = tiles * k->mr * depth;
}

// Winograd's products: rows for each square of 4x4 outputs, made from its inputs and back.
static void count_winograd(const quernel_i_layer *l, const share *s, double *work) {
    const quernel_i_kernel *k = l->gemm;
    const quernel_i_conv_work conv = quernel_i_plan_conv_work(l, k);
    const double columns = block_columns(l), rows = conv.rows * s->tasks * s->squares * s->units;
    work[QUERNEL_I_WORK_MACS] = rows * conv.depth * columns / words_per_ns(k);
    work[QUERNEL_I_WORK_CALLS] = s->tasks * s->units;
    work[QUERNEL_I_WORK_TILES] = rows / k->mr * columns / k->nr;
    work[QUERNEL_I_WORK_WIDENED] = rows * l->x.c;
}

static void count_product(const quernel_i_layer *l, const share *s, double *work) {
    const quernel_i_weights_shape *w = &l->weights->shape;
    const quernel_i_kernel *k = l->gemm;
    const bool winograd = k->multiplies != QUERNEL_I_MULTIPLIES_DIRECT;
    const quernel_i_conv_work conv = winograd ? quernel_i_plan_conv_work(l, k) : (quernel_i_conv_work){0, 0, 1};
    (winograd ? count_winograd : count_direct)(l, s, work);
    const double tiles = s->tasks * s->units * (winograd ? conv.rows * s->squares / k->mr : s->tiles),
                 depth = 4.0 * w->k_groups;
    const double block = block_columns(l) / 16 * (double)quernel_i_panel_bytes(k, w->k_groups),
                 l2 = (double)quernel_i_cpu()->l2_bytes;
    // A tile of rows walks the block, a tile of points its part; it comes from L1 where it fits there beside the rows.
    const double walked = tiles * block / conv.matrices;
    if (block > l2 / 2) work[QUERNEL_I_WORK_B_FAR] = walked;
    else if (block > (double)quernel_i_cpu()->l1d_bytes / 2) work[QUERNEL_I_WORK_B_L2] = walked;
    if (k->b_prepare.any) work[QUERNEL_I_WORK_PREPARED] = (s->units > 1 ? s->tasks * s->units : 1) * block;
    // Rows that do not stay in L2 come again for every unit.
    const double rows = l->path == QUERNEL_I_PATH_PACKED ? l->chunk * depth : s->staged;
    const double again = rows + block > l2 ? s->units : 1;
    work[QUERNEL_I_WORK_A_FAR] = s->tasks * s->staged * again;
    if (l->path == QUERNEL_I_PATH_PACKED) work[QUERNEL_I_WORK_PACKED] = s->tasks * s->pixels * depth * w->groups;
}

static void count_depthwise(const quernel_i_layer *l, const share *s, double *work) {
    const quernel_i_weights_shape *w = &l->weights->shape;
    const double macs = s->tasks * s->pixels * w->columns16 * w->taps;
    // A tap of a channel takes a lane by itself: a quarter of the product's rate at best.
    work[QUERNEL_I_WORK_MACS] = 4 * macs / macs_per_ns(l->depthwise);
    work[QUERNEL_I_WORK_CALLS] = s->tasks * s->line_calls;
    work[QUERNEL_I_WORK_A_FAR] = s->tasks * s->staged;
}

void quernel_i_model_count(const quernel_i_layer *l, double work[QUERNEL_I_WORK_COUNT]) {
    for (int i = 0; i < QUERNEL_I_WORK_COUNT; i++) work[i] = 0;
    const bool depthwise = quernel_i_layer_depthwise(l);
    const share s = share_of(l, depthwise ? 1 : l->gemm->mr);
    if (depthwise) count_depthwise(l, &s, work);
    else count_product(l, &s, work);
    const bool floats = l->x.type == QUERNEL_TYPE_F32 || l->x.type == QUERNEL_TYPE_BF16;
    const double staged = l->path != QUERNEL_I_PATH_INPLACE && l->strip_lines ? s.tasks * s.staged : 0;
    // On the packed path a strip of floats is copied, and quantized as its rows are gathered.
    if (!floats) work[QUERNEL_I_WORK_COPIED] = staged;
    else if (l->path == QUERNEL_I_PATH_PACKED)
        work[QUERNEL_I_WORK_COPIED] = 4 * staged, work[QUERNEL_I_WORK_QUANTIZED] = work[QUERNEL_I_WORK_PACKED];
    else work[QUERNEL_I_WORK_QUANTIZED] = staged;
    work[QUERNEL_I_WORK_STORED] =
        (double)l->y.n * l->y.c * l->y.h * l->y.w * (double)quernel_type_size((quernel_type)l->y.type) / l->threads;
}

double quernel_i_model_ns(const quernel_i_layer *l) {
    double work[QUERNEL_I_WORK_COUNT], ns = 0;
    quernel_i_model_count(l, work);
    for (int i = 0; i < QUERNEL_I_WORK_COUNT; i++) ns += work[i] * quernel_i_model_rates[i];
    return ns;
}
