// SPDX-License-Identifier: Apache-2.0
// Counts what a kernel does for a layer. Threads share outputs, but each prepares the weights.
#include "plan/cost.h"

#include "cpu/cpu.h"
#include "plan/algorithm.h"

enum { SIDE = 4 /* of the tiles of outputs that points make */ };

// Lines or pixels that are computed: each of the dilation's lattices rounded up to tiles.
static double tiled(uint32_t size, uint32_t dilation) {
    const uint32_t lattice = (size + dilation - 1) / dilation;
    return (double)((lattice + SIDE - 1) / SIDE * SIDE) * dilation;
}

static double outputs(const quernel_i_problem *p, double pixels) {
    const quernel_i_weights_shape *s = &p->weights->shape;
    return (double)p->x.n * pixels * s->subproblems * s->oc / p->threads;
}

static double direct(const quernel_i_problem *p, const quernel_i_isa_cost *c) {
    const quernel_i_weights_shape *s = &p->weights->shape;
    const double all = outputs(p, (double)p->grid_h * p->grid_w);
    return all * (4.0 * s->k_quads * s->oc16 / s->oc / c->products + c->output);
}

static double points(const quernel_i_problem *p, const quernel_i_kernel *k,
                     const quernel_i_isa_cost *c) {
    const quernel_i_weights_shape *s = &p->weights->shape;
    const quernel_i_algorithm_cost work = quernel_i_algorithm_work(p, k);
    const double pixels = tiled(p->grid_h, p->dilation_h) * tiled(p->grid_w, p->dilation_w),
                 all = outputs(p, pixels), channels = s->subproblem_in;
    const double products = all / (SIDE * SIDE) * work.rows * work.depth * s->oc16 / s->oc,
                 inputs = all / s->oc * channels,
                 weights = (double)s->subproblems * s->taps * channels * s->oc16;
    return products / c->products + all * c->output + inputs * c->input + weights * c->weight;
}

double quernel_i_cost_cycles(const quernel_i_problem *p, const quernel_i_kernel *k) {
    const quernel_i_isa *isa = &quernel_i_isas[k->isa];
    const bool narrow = k->nr < 16, is_points = k->multiplies == QUERNEL_I_MULTIPLIES_POINTS;
    const quernel_i_isa_cost *c = is_points ? &isa->points : &isa->direct;
    const bool is_direct = k->op == QUERNEL_I_OP_GEMM && !narrow && !k->tiles;
    if (c->products <= 0 || !(is_points || is_direct)) return 0;
    return is_points ? points(p, k, c) : direct(p, c);
}
