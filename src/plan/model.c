// SPDX-License-Identifier: Apache-2.0
// Counts of work times rates. The rates were fitted to the landscapes, which hold times of a Zen 3
// core (QUERNEL_TEST_FIT=1 test_tune model_regret prints them); MACs are scaled to other
// instruction sets by what their registers can do in a cycle.
#include "plan/model.h"

#include "cpu/cpu.h"
#include "plan/algorithm.h"
#include "threads/parallel.h"

// A product of a kernel for few output channels, in the time of one of its set's GEMM: counted 1.1
// (NEON) to 2.5 (i8mm) on Arm, about 1.6 (dot products), measured 1.9 (AVX-512-VNNI). It loads
// nearly as much as it multiplies.
#define NARROW_COSTS 1.6

enum { SQUARE = 4 }; // side of the outputs that quernel_i_algorithm_work counts for

const double quernel_i_model_rates[QUERNEL_I_WORK_COUNT] = {
    [QUERNEL_I_WORK_MACS] = 0.426,     [QUERNEL_I_WORK_CALLS] = 0,
    [QUERNEL_I_WORK_TILES] = 48.1,     [QUERNEL_I_WORK_WIDENED] = 0.058,
    [QUERNEL_I_WORK_B_L2] = 0.00678,   [QUERNEL_I_WORK_B_FAR] = 0.0122,
    [QUERNEL_I_WORK_A_FAR] = 0.261,    [QUERNEL_I_WORK_PREPARED] = 0.014,
    [QUERNEL_I_WORK_COPIED] = 0.0171,  [QUERNEL_I_WORK_PACKED] = 0.473,
    [QUERNEL_I_WORK_QUANTIZED] = 0.22, [QUERNEL_I_WORK_STORED] = 0.265,
};

static double macs_per_ns(const quernel_i_kernel *k) { return quernel_i_isas[k->isa].macs_per_ns; }
static double words_per_ns(const quernel_i_kernel *k) {
    return quernel_i_isas[k->isa].words_per_ns;
}

// `total` rounded up to whole pieces.
static double up(double total, double piece) {
    const double whole = (double)(uint64_t)(total / piece);
    return (whole + (whole * piece < total)) * piece;
}

// A task's share: a strip by a part of the n-blocks. Means, so that pixels need not be whole.
typedef struct share {
    double tasks, strips;      // per thread; strips of the whole layer
    double pixels, line_calls; // of a strip: output pixels, calls per n-block
    double tiles;              // register tiles of rows in a strip
    double squares;            // of 4x4 output pixels in a strip
    double staged;             // bytes of a strip
    double n_blocks;           // of a task
} share;

static share share_of(const quernel_i_problem *p, const quernel_i_plan *plan, double mr) {
    share s = {.n_blocks = (double)plan->n_blocks.count / plan->n_blocks.n_split};
    s.strips = (double)p->x.n * plan->strip.count_h * plan->strip.count_w;
    s.tasks = up(s.strips * plan->n_blocks.n_split, plan->threads) / plan->threads;
    // Means over strips, so that the last, smaller ones count as what they are.
    const double lines = (double)p->grid_h / plan->strip.count_h,
                 width = (double)p->grid_w / plan->strip.count_w;
    const double chunks = up(width, plan->chunk) / plan->chunk, chunk = width / chunks;
    s.pixels = lines * width;
    s.line_calls = lines * chunks;
    s.tiles = s.line_calls * up(chunk, mr) / mr;
    s.squares = up(lines, SQUARE) * up(width, SQUARE) / (SQUARE * SQUARE);
    const double in_lines = (lines - 1) * p->stride_h + (p->kernel_h - 1) * p->dilation_h + 1;
    const double in_width = (width - 1) * p->stride_w + (p->kernel_w - 1) * p->dilation_w + 1;
    s.staged = in_lines * in_width * p->x.c;
    return s;
}

// Output channels that a block computes, tails of register tiles included.
static double n_block_oc(const quernel_i_problem *p, const quernel_i_plan *plan) {
    return up((double)p->weights->shape.oc / plan->n_blocks.per_subproblem, plan->kernels.main->nr);
}

// Direct products: rows by output channels, k deep.
static void count_direct(const quernel_i_problem *p, const quernel_i_plan *plan, const share *s,
                         double *work) {
    const quernel_i_kernel *k = plan->kernels.main;
    const double oc = n_block_oc(p, plan), depth = 4.0 * p->weights->shape.k_quads,
                 tiles = s->tasks * s->tiles * s->n_blocks;
    const double macs = s->tasks * s->pixels * s->n_blocks * oc * depth;
    work[QUERNEL_I_WORK_MACS] = (k->nr < 16 ? NARROW_COSTS : 1) * macs / macs_per_ns(k);
    work[QUERNEL_I_WORK_CALLS] = s->tasks * s->line_calls * s->n_blocks;
    work[QUERNEL_I_WORK_TILES] = tiles * oc / k->nr;
    work[QUERNEL_I_WORK_WIDENED] = tiles * k->mr * depth;
}

// Winograd's products: rows for each square of 4x4 outputs, made from its inputs and back.
static void count_winograd(const quernel_i_problem *p, const quernel_i_plan *plan, const share *s,
                           double *work) {
    const quernel_i_kernel *k = plan->kernels.main;
    const quernel_i_algorithm_cost conv = quernel_i_algorithm_work(p, k);
    const double oc = n_block_oc(p, plan), rows = conv.rows * s->tasks * s->squares * s->n_blocks;
    work[QUERNEL_I_WORK_MACS] = rows * conv.depth * oc / words_per_ns(k);
    work[QUERNEL_I_WORK_CALLS] = s->tasks * s->n_blocks;
    work[QUERNEL_I_WORK_TILES] = rows / k->mr * oc / k->nr;
    work[QUERNEL_I_WORK_WIDENED] = rows * p->x.c;
}

// Weights that points of `bytes` are made from, 64 a quad of 16 output channels.
static double weights_of(const quernel_i_kernel *k, double bytes) {
    return bytes / (k->b_quad_bytes * k->b_taps) * 64;
}

// Weights: `walked` bytes are read from where the block stays; it comes from L1 where it fits there
// beside the rows. A kernel with a form of its own makes it, once where there is one block.
static void count_weights(const quernel_i_plan *plan, const quernel_i_machine *m, const share *s,
                          double block, double walked, double *work) {
    if (block > (double)m->l2_bytes / 2) work[QUERNEL_I_WORK_B_FAR] = walked;
    else if (block > (double)m->l1d_bytes / 2) work[QUERNEL_I_WORK_B_L2] = walked;
    const quernel_i_kernel *k = plan->kernels.main;
    const double times = s->n_blocks > 1 ? s->tasks * s->n_blocks : 1;
    if (k->b_prepare.any) work[QUERNEL_I_WORK_PREPARED] = times * block;
    // Points take more than their bytes.
    if (k->multiplies == QUERNEL_I_MULTIPLIES_POINTS)
        work[QUERNEL_I_WORK_MACS] +=
            times * k->costs.weight * weights_of(k, block) / macs_per_ns(k);
}

// Rows that do not stay in L2 beside a block of weights come again for every n-block.
static void count_rows(const quernel_i_problem *p, const quernel_i_plan *plan,
                       const quernel_i_machine *m, const share *s, double block, double *work) {
    const bool packed = plan->rows.path == QUERNEL_I_PATH_IM2COL;
    const double depth = 4.0 * p->weights->shape.k_quads,
                 rows = packed ? plan->chunk * depth : s->staged,
                 again = rows + block > (double)m->l2_bytes ? s->n_blocks : 1;
    work[QUERNEL_I_WORK_A_FAR] = s->tasks * s->staged * again;
    if (packed)
        work[QUERNEL_I_WORK_PACKED] = s->tasks * s->pixels * depth * p->weights->shape.groups;
}

static void count_product(const quernel_i_problem *p, const quernel_i_plan *plan,
                          const quernel_i_machine *m, const share *s, double *work) {
    const quernel_i_kernel *k = plan->kernels.main;
    const bool winograd = k->multiplies != QUERNEL_I_MULTIPLIES_DIRECT;
    const quernel_i_algorithm_cost conv =
        winograd ? quernel_i_algorithm_work(p, k) : (quernel_i_algorithm_cost){0, 0, 1};
    (winograd ? count_winograd : count_direct)(p, plan, s, work);
    const double tiles =
        s->tasks * s->n_blocks * (winograd ? conv.rows * s->squares / k->mr : s->tiles);
    const double block =
        n_block_oc(p, plan) / 16 * (double)quernel_i_panel_bytes(k, p->weights->shape.k_quads);
    // A tile of rows walks the whole block, a tile of points its part.
    count_weights(plan, m, s, block, tiles * block / conv.matrices, work);
    count_rows(p, plan, m, s, block, work);
}

static void count_depthwise(const quernel_i_problem *p, const quernel_i_plan *plan, const share *s,
                            double *work) {
    const quernel_i_weights_shape *w = &p->weights->shape;
    const double macs = s->tasks * s->pixels * w->oc16 * w->taps;
    // A tap of a channel takes a lane by itself: a quarter of the product's rate at best.
    work[QUERNEL_I_WORK_MACS] = 4 * macs / macs_per_ns(plan->kernels.main);
    work[QUERNEL_I_WORK_CALLS] = s->tasks * s->line_calls;
    work[QUERNEL_I_WORK_A_FAR] = s->tasks * s->staged;
}

void quernel_i_model_count(const quernel_i_problem *p, const quernel_i_plan *plan,
                           const quernel_i_machine *m, double work[QUERNEL_I_WORK_COUNT]) {
    for (int i = 0; i < QUERNEL_I_WORK_COUNT; i++) work[i] = 0;
    const bool depthwise = quernel_i_problem_depthwise(p);
    const share s = share_of(p, plan, depthwise ? 1 : plan->kernels.main->mr);
    if (depthwise) count_depthwise(p, plan, &s, work);
    else count_product(p, plan, m, &s, work);
    const bool floats = quernel_i_problem_float_input(p);
    const double staged = plan->rows.has_strip ? s.tasks * s.staged : 0;
    // On the im2col path a strip of floats is copied, and quantized as its rows are gathered.
    if (!floats) work[QUERNEL_I_WORK_COPIED] = staged;
    else if (plan->rows.path == QUERNEL_I_PATH_IM2COL)
        work[QUERNEL_I_WORK_COPIED] = 4 * staged,
        work[QUERNEL_I_WORK_QUANTIZED] = work[QUERNEL_I_WORK_PACKED];
    else work[QUERNEL_I_WORK_QUANTIZED] = staged;
    work[QUERNEL_I_WORK_STORED] = (double)p->y.n * p->y.c * p->y.h * p->y.w *
                                  (double)quernel_type_size((quernel_type)p->y.type) /
                                  plan->threads;
}

double quernel_i_model_ns(const quernel_i_problem *p, const quernel_i_plan *plan,
                          const quernel_i_machine *m) {
    double work[QUERNEL_I_WORK_COUNT], ns = 0;
    quernel_i_model_count(p, plan, m, work);
    for (int i = 0; i < QUERNEL_I_WORK_COUNT; i++) ns += work[i] * quernel_i_model_rates[i];
    return plan->threads > 1 ? ns + QUERNEL_I_PARALLEL_WAKE_NS : ns;
}
