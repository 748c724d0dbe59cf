// SPDX-License-Identifier: Apache-2.0
// Counts what a kernel does for a layer.
#include "plan/cost.h"

#include "cpu/cpu.h"
#include "plan/algorithm.h"

// Of the set's kernel for products as they are.
static double direct(const quernel_i_problem *p, const quernel_i_isa *isa) {
    const quernel_i_weights_shape *s = &p->weights->shape;
    const double pixels = (double)p->grid_h * p->grid_w * p->x.n / p->threads;
    return pixels * s->subproblems *
           (4.0 * s->k_quads * s->oc16 / isa->products_a_cycle + s->oc * isa->cycles_an_output);
}

double quernel_i_cost_cycles(const quernel_i_problem *p, const quernel_i_kernel *k) {
    const quernel_i_isa *isa = &quernel_i_isas[k->isa];
    if (isa->products_a_cycle <= 0) return 0;
    if (k->multiplies == QUERNEL_I_MULTIPLIES_POINTS)
        return p->x.n * quernel_i_algorithm_products(p, k) / isa->products_a_cycle;
    const bool is_direct = k->op == QUERNEL_I_OP_GEMM && k->nr >= 16 && !k->tiles;
    return is_direct ? direct(p, isa) : 0;
}
