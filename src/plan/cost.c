// SPDX-License-Identifier: Apache-2.0
// Counts what a kernel does for a layer.
#include "plan/cost.h"

#include "cpu/cpu.h"
#include "plan/algorithm.h"
#include "plan/tiled.h"
#include "threads/parallel.h"

#define CYCLES_A_NS 3.0 // of the CPUs that were measured
// Of an output of a set that was not: of those that were 0.32 to 0.75.
#define CYCLES_AN_OUTPUT 0.5
// Adding up the lanes of a narrow kernel's output takes as long as so many of its products,
// measured with tiles side by side.
#define LANES_ADDED 200
// And a slot of 2 values of a pixel that is read, by a grouped layer on an Emerald Rapids.
#define SLOT_PRODUCTS 6.3
#define NS_A_FLOAT 0.1 // 0.25 to 0.42 cycles measured for numbers that become codes, or sums floats
#define WEIGHTS_A_NS 60 // bytes from memory, which is all that products of few rows take

// Of the set's kernel for products as they are.
static double direct(const quernel_i_problem *p, const quernel_i_isa *isa) {
    const quernel_i_weights_shape *s = &p->weights->shape;
    const double pixels = (double)p->grid_h * p->grid_w * p->x.n / p->threads;
    return pixels * s->subproblems *
           (4.0 * s->k_quads * s->oc16 / isa->products_a_cycle + s->oc * isa->cycles_an_output);
}

// Of an image, a thread's share.
static double outputs_of(const quernel_i_problem *p) {
    const quernel_i_weights_shape *s = &p->weights->shape;
    return (double)p->grid_h * p->grid_w / p->threads * s->oc * s->subproblems;
}

double quernel_i_cost_narrow(const quernel_i_problem *p) {
    return outputs_of(p) * (4.0 * p->weights->shape.k_quads + LANES_ADDED);
}

// In products of the set's direct kernel.
static double slots(const quernel_i_problem *p, const quernel_i_kernel *k) {
    const double read = (double)p->stride_h * p->stride_w,
                 depth = quernel_i_algorithm_work(p, k).depth;
    return outputs_of(p) * depth * (1 + read) * SLOT_PRODUCTS;
}

double quernel_i_cost_cycles(const quernel_i_problem *p, const quernel_i_kernel *k,
                             const quernel_i_machine *m) {
    const quernel_i_isa *isa = &quernel_i_isas[k->isa];
    if (k->tiles) return quernel_i_tiled_cycles(p, k, m);
    if (isa->products_a_cycle <= 0) return 0;
    if (k->costs.product > 0)
        return p->x.n * quernel_i_algorithm_products(p, k, m) / isa->products_a_cycle;
    if (k->multiplies == QUERNEL_I_MULTIPLIES_SLOTS)
        return p->x.n * slots(p, k) / isa->products_a_cycle;
    if (k->op != QUERNEL_I_OP_GEMM) return 0;
    return k->nr >= 16 ? direct(p, isa) : p->x.n * quernel_i_cost_narrow(p) / isa->products_a_cycle;
}

static double pixels_of(const quernel_i_problem *p) {
    return (double)p->grid_h * p->grid_w * p->x.n;
}

// The products alone.
static double products_ns(const quernel_i_problem *p, const quernel_i_kernel *k) {
    const quernel_i_isa *isa = &quernel_i_isas[k->isa];
    const quernel_i_weights_shape *s = &p->weights->shape;
    const double outputs = pixels_of(p) * s->subproblems * s->oc16;
    quernel_i_problem alone = *p;
    alone.threads = 1;
    if (quernel_i_problem_depthwise(p)) return outputs * s->taps / isa->macs_per_ns;
    if (k->multiplies == QUERNEL_I_MULTIPLIES_DIRECT)
        return outputs * 4.0 * s->k_quads / isa->macs_per_ns;
    if (k->costs.product > 0)
        return p->x.n * quernel_i_algorithm_products(&alone, k, NULL) / isa->macs_per_ns;
    const quernel_i_algorithm_cost work = quernel_i_algorithm_work(p, k);
    return outputs / 16 * work.rows * work.depth / isa->words_per_ns; // work is that of 16 outputs
}

static double floats_of(const quernel_tensor *t) {
    return t->type == QUERNEL_TYPE_F32 || t->type == QUERNEL_TYPE_BF16
               ? (double)t->n * t->c * t->h * t->w
               : 0;
}

static double cost_ns(const quernel_i_problem *p, const quernel_i_kernel *k) {
    const quernel_i_isa *isa = &quernel_i_isas[k->isa];
    const quernel_i_weights_shape *s = &p->weights->shape;
    const double cycles = isa->cycles_an_output > 0 ? isa->cycles_an_output : CYCLES_AN_OUTPUT;
    const double outputs = pixels_of(p) * s->subproblems * s->oc,
                 weights = (double)s->subproblems * s->oc16 * s->k_quads * 4;
    return products_ns(p, k) + outputs * cycles / CYCLES_A_NS + weights / WEIGHTS_A_NS +
           (floats_of(&p->x) + floats_of(&p->y)) * NS_A_FLOAT;
}

uint32_t quernel_i_cost_pieces(const quernel_i_problem *p, const quernel_i_kernel *k,
                               uint32_t shares, uint32_t most) {
    const double pieces = cost_ns(p, k) / shares / QUERNEL_I_PARALLEL_WAKE_NS;
    return pieces >= most ? most : pieces < 1 ? 1 : (uint32_t)pieces;
}
