// SPDX-License-Identifier: Apache-2.0
// What kernels of tile registers cost, by a model of one line of output (cpu/isas.def): its
// products, results, and gathered rows. Then how large products go through L1 and L2.
#include "plan/tiled.h"

#include "cpu/cpu.h"
#include "registry/registry.h"

// Of L1, what one operand may fill: the other one is streamed through the rest.
static size_t held_max(size_t l1d_bytes) { return l1d_bytes * 7 / 8; }

static size_t weights_bytes(const quernel_i_problem *p, size_t oc) {
    return oc * p->weights->shape.k_quads * 4;
}
static uint64_t pieces(uint64_t total, uint64_t piece) { return (total + piece - 1) / piece; }

static uint64_t max(uint64_t a, uint64_t b) { return a > b ? a : b; }

static const quernel_i_isa_tile *tile_of(const quernel_i_kernel *k) {
    return &quernel_i_isas[k->isa].tile;
}

// Cycles of a step of k of a block of m x n tiles; `load`: of a tile of weights.
static uint64_t step(const quernel_i_isa_tile *t, uint64_t m, uint64_t n, uint64_t load) {
    if (!m || !n) return 0;
    return max(max(m * n * t->product, t->latency), max((m + n) * t->load, n * load));
}

static uint64_t step_of_line(const quernel_i_problem *p, const quernel_i_kernel *k,
                             size_t l1d_bytes) {
    const quernel_i_isa_tile *t = tile_of(k);
    const uint64_t m = k->mr / t->rows, n = k->nr / 16, rows = pieces(p->grid_w, t->rows);
    const uint64_t oc = p->weights->shape.oc16 / 16;
    const bool far = weights_bytes(p, p->weights->shape.oc16) > held_max(l1d_bytes);
    const uint64_t load = far ? t->load_l2 : t->load;
    return rows / m * (oc / n * step(t, m, n, load) + step(t, m, oc % n, load)) +
           oc / n * step(t, rows % m, n, load) + step(t, rows % m, oc % n, load);
}

// Runs of k that are no whole steps are gathered, once for all output channels.
static uint64_t gather_of_row(const quernel_i_problem *p, const quernel_i_isa_tile *t) {
    const quernel_i_weights_shape *s = &p->weights->shape;
    if (s->run_k_quads % t->k_quads == 0) return 0;
    const uint64_t runs = s->k_quads / s->run_k_quads, steps = pieces(s->k_quads, t->k_quads),
                   gathered = steps < runs ? steps : runs;
    return gathered * t->gathered + (runs + gathered) * t->run;
}

// Lines of planes of floats that L2 does not hold: they take tiles longer than vectors, which write
// them past the caches, unless products give them the time. Phases are sums in L2 first.
static bool fills_planes(const quernel_i_problem *p, const quernel_i_machine *m) {
    return p->weights->shape.phases == 1 && quernel_i_problem_planes(p) &&
           quernel_i_machine_past(m->l2_bytes, quernel_i_problem_y_bytes(p));
}

double quernel_i_tiled_cycles(const quernel_i_problem *p, const quernel_i_kernel *k,
                              const quernel_i_machine *m) {
    const quernel_i_isa_tile *t = tile_of(k);
    const quernel_i_weights_shape *s = &p->weights->shape;
    const uint64_t steps = pieces(s->k_quads, t->k_quads), rows = p->grid_w,
                   line = steps * step_of_line(p, k, m->l1d_bytes) +
                          rows * (s->oc16 / 16 * t->outputs + gather_of_row(p, t)) + t->call,
                   planes = fills_planes(p, m) ? rows * (s->oc16 / 16) * t->planes : 0;
    return (double)p->x.n * p->grid_h * s->subproblems * (double)max(line, planes) / p->threads;
}

// The first one, of 2 x 2 tiles, loads least for what it multiplies: others have to promise more.
const quernel_i_kernel *quernel_i_tiled_kernel(const quernel_i_problem *p,
                                               const quernel_i_machine *m, int32_t a_type) {
    const quernel_i_kernel *best = NULL;
    for (const quernel_i_kernel *k = quernel_i_kernels; k->name; k++) {
        if (!k->tiles || k->op != QUERNEL_I_OP_GEMM || k->a_type != a_type ||
            !(m->isas >> k->isa & 1))
            continue;
        if (!best ||
            20 * step_of_line(p, k, m->l1d_bytes) < 19 * step_of_line(p, best, m->l1d_bytes))
            best = k;
    }
    return best;
}

// Large products. Counted by a model of L1 and L2 (48 KiB in 12 ways, 2 MiB in 16, LRU;
// `tileloaddt1` takes no room in L1) that ran through the kernel's loads: lines that a step of 2 x
// 2 tiles, 64 cycles of products, waits for. Nothing here is timed.
//
//   M, N, K            strip x block  pitch of rows  rows that stay  from L2  from beyond
//   512, 512, 512      512 x 512       512           all             36.0     6.0 (4 of them cold,
//                                                                             2 results)
//   1024, 1024, 1024   512 x 512      1024           all             38.1     3.1
//   2048, 2048, 2048   256 x 352      2048           all             67.0     5.4
//                      512 x 128      2048           half            66.1     3.8
//                      512 x 128      2112           half            53.7     3.7
//   512, 4096, 4096    128 x 192      4096           all             65.5     8.8
//                      256 x 64       4160           a quarter       64.2     4.9
//                      256 x 64       4416           a quarter       60.8     4.9
//   128, 3072, 768     128 x 1024      768           all             37.9     9.7 (8 of them the
//                                                                             weights, once)
//
// L2 gives about 0.75 lines a cycle, what lies beyond it 0.14, so that 64 lines of one or 9 of the
// other take as long as the products. Hence:
//   l1_resident  Rows that L1 does not hold, read again for every 32 output channels, are never
//                there when they come again. So L1's share of them is kept, and the others are
//                streamed as the weights are.
//   copy         Rows a multiple of 2048 bytes apart fall into two sets of L1, or one: nothing
//                would stay. They are copied to a pitch that spreads them (rows.c), where that many
//                output channels read them.
//   far          Weights are read again for every strip, rows for every block. Strips of half of L2
//                and small blocks beside them halve what comes from beyond L2; weights that stay in
//                L2 altogether want neither.
// Sums of blocks of k, kept in L2 as int32, would take 44 lines from L2 with K = 2048 and 45 with
// 4096, at no fewer from beyond. They are not built: their stores come on top, and what they save
// is bound by what lies beyond L2.

// 8 blocks of output channels, each of which reads about half of the rows from L2, pay for a copy.
#define COPIED_OC 256
#define ALIASED_BYTES 2048 // half a way of L1

// Of L1, what rows that stay may fill: the kernel's sums, and streamed weights, have the rest.
static size_t resident_max(size_t l1d_bytes) { return l1d_bytes * 3 / 4; }

// Rows that do not overlap: taps of a larger window meet their neighbours' lines in L1 anyway.
static bool apart(const quernel_i_problem *p, const quernel_i_kernel *k, quernel_i_path path) {
    return k->tiles && (path == QUERNEL_I_PATH_IM2COL || p->kernel_h * p->kernel_w == 1);
}

// Bytes of the rows of a block that all output channels meet: taps share most of theirs.
static size_t block_bytes(const quernel_i_problem *p, const quernel_i_kernel *k,
                          quernel_i_path path) {
    if (apart(p, k, path)) return (size_t)k->mr * p->weights->shape.k_quads * 4;
    return ((size_t)k->mr * p->stride_w + p->kernel_w) * p->kernel_h * p->x.c;
}

// An Emerald Rapids, 32 x 32 blocks: 128x128x1152 is 1.09 times as fast with streamed weights as
// with neither, 256x64x576 1.24 times with streamed rows, 64x64x256, which L1 holds, 1.15 times
// with neither.
quernel_i_streamed quernel_i_tiled_streamed(const quernel_i_problem *p, const quernel_i_kernel *k,
                                            quernel_i_path path, uint32_t oc, size_t l1d_bytes) {
    const size_t weights = weights_bytes(p, oc), held = held_max(l1d_bytes);
    if (weights > held) return QUERNEL_I_STREAMED_WEIGHTS;
    return weights + block_bytes(p, k, path) > held ? QUERNEL_I_STREAMED_ROWS
                                                    : QUERNEL_I_STREAMED_NONE;
}

uint32_t quernel_i_tiled_l1_resident(const quernel_i_problem *p, const quernel_i_kernel *k,
                                     quernel_i_path path, quernel_i_streamed streamed,
                                     size_t l1d_bytes) {
    const size_t rows = (size_t)k->mr * p->weights->shape.k_quads * 4;
    if (!apart(p, k, path) || streamed != QUERNEL_I_STREAMED_WEIGHTS || rows <= held_max(l1d_bytes))
        return 0;
    const uint64_t k_quads = tile_of(k)->k_quads,
                   steps = resident_max(l1d_bytes) / (k->mr * 4 * k_quads);
    return (uint32_t)(max(steps, 1) * k_quads);
}

bool quernel_i_tiled_copy(const quernel_i_problem *p, const quernel_i_kernel *k,
                          int64_t row_bytes) {
    return apart(p, k, QUERNEL_I_PATH_INPLACE) && row_bytes % ALIASED_BYTES == 0 &&
           p->weights->shape.oc16 >= COPIED_OC;
}

bool quernel_i_tiled_far(const quernel_i_problem *p, const quernel_i_kernel *k, quernel_i_path path,
                         size_t l2_bytes) {
    return apart(p, k, path) && weights_bytes(p, p->weights->shape.oc16) > l2_bytes / 2;
}
