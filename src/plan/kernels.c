// SPDX-License-Identifier: Apache-2.0
// Which kernels run a problem: of the best instruction set that has one, unless another is
// demanded.
#include "plan/kernels.h"

#include "base/error.h"
#include "plan/algorithm.h"
#include "plan/blocking.h"
#include "plan/cost.h"
#include "plan/tiled.h"
#include "registry/registry.h"

static int32_t a_offset_for(const quernel_i_problem *p, const quernel_i_kernel *kernel) {
    if (kernel->a_type == p->quant.type) return 0;
    return p->quant.type == QUERNEL_TYPE_S8 ? 128 : -128;
}

// Of kernels of the best instruction set the one that reads the values as they are, if there is
// one.
static const quernel_i_kernel *typed_kernel(const quernel_i_problem *p, quernel_i_op op,
                                            uint32_t sets) {
    const quernel_i_kernel *typed = quernel_i_registry_best(op, sets, p->quant.type),
                           *any = quernel_i_registry_best(op, sets, -1);
    return typed && typed->isa == any->isa ? typed : any;
}

static bool demands_packed(const quernel_i_config *config) {
    return config->path == QUERNEL_I_PATH_IM2COL + 1;
}

// Values of rows up to which a kernel of the trait `few_rows` is faster, fitted to 30 products and
// 1x1 layers on Zen 4: of all rows of a thread, for which weights are prepared once (from twice as
// many on nothing is gained), and of a call's rows, which the other kernel brings into its own
// form.
#define FEW_VALUES 6144 // fitted, as said above
#define CALL_VALUES 896 // likewise

static bool has_few_rows(const quernel_i_problem *p) {
    const quernel_i_weights_shape *s = &p->weights->shape;
    const double line = 4.0 * s->k_quads * p->grid_w, lines = (double)p->x.n * p->grid_h;
    // Lines that are read in place, with a border between them.
    const bool apart = s->taps == 1 && p->x.stride_h != p->x.stride_w * p->x.w;
    return lines * line / p->threads <= FEW_VALUES || (apart && line <= CALL_VALUES);
}

// Tiles of a narrow kernel side by side, measured with 5 to 12 output channels on Zen 5: from 9
// vectors of k on, where a fifth of what `gemm` multiplies is padding.
static bool pays_side_by_side(const quernel_i_weights_shape *s, const quernel_i_kernel *k,
                              const quernel_i_kernel *gemm) {
    return 5 * s->oc <= 4 * quernel_i_algorithm_oc(s, gemm) && 4 * s->k_quads >= 9u * k->kr &&
           s->k_run_length >= 3u * k->kr;
}

// Vectors of a narrow kernel are filled by one run of k, and their lanes are added up for every
// output channel: measured with AVX-512-VNNI, two need 16 k to be faster than 16 of which most are
// padding, three 32 and four 48, as many as have 3/4 of a vector. A block and a half pays where the
// kernel's line says so, weights are prepared for many rows, and no other algorithm fits.
static bool pays_narrow(const quernel_i_problem *p, const quernel_i_kernel *k,
                        const quernel_i_kernel *gemm) {
    const quernel_i_weights_shape *s = &p->weights->shape;
    if (s->oc <= k->nr) return s->k_run_length * 4 >= (s->oc - 1) * k->kr;
    if (s->oc <= k->pays_oc) return pays_side_by_side(s, k, gemm);
    return 2 * s->oc <= 3 * k->nr && s->taps == 1 && k->pays_channels &&
           s->subproblem_in >= k->pays_channels && !has_few_rows(p);
}

// The instruction set's kernel of fewer output channels than a sub-panel has, where the layer has
// hardly more: it multiplies no padding. NULL where there is none.
static const quernel_i_kernel *narrow_kernel(const quernel_i_problem *p,
                                             const quernel_i_kernel *gemm) {
    const quernel_i_kernel *other = NULL; // reads the values as another type
    for (const quernel_i_kernel *k = quernel_i_kernels; k->name; k++) {
        if (k->op != QUERNEL_I_OP_GEMM || k->nr >= 16 || k->isa != gemm->isa ||
            !pays_narrow(p, k, gemm))
            continue;
        if (k->a_type == p->quant.type) return k;
        other = k;
    }
    return other;
}

// Whether a narrow kernel takes more than another algorithm; one tile is always faster.
static bool costs_more(const quernel_i_problem *p, const quernel_i_kernel *narrow,
                       const quernel_i_kernel *conv, const quernel_i_machine *m) {
    return p->weights->shape.oc > narrow->nr &&
           quernel_i_cost_narrow(p) > quernel_i_algorithm_products(p, conv, m);
}

// Of the kernels of an instruction set the one for this core, or else for so many rows.
static const quernel_i_kernel *suited_kernel(const quernel_i_problem *p, const quernel_i_machine *m,
                                             const quernel_i_kernel *gemm) {
    const bool one = m->one_multiplier >> gemm->isa & 1, few = !one && has_few_rows(p);
    for (const quernel_i_kernel *k = quernel_i_kernels; k->name; k++)
        if (((one && k->one_multiplier) || (few && k->few_rows)) && k->op == gemm->op &&
            k->isa == gemm->isa && k->a_type == gemm->a_type)
            return k;
    return gemm;
}

// Few rows walk the weights once: the GEMV kernel of the same instruction set. Some convolutions
// have a kernel of their own on some.
static const quernel_i_kernel *product_kernel(const quernel_i_problem *p,
                                              const quernel_i_config *config,
                                              const quernel_i_machine *m) {
    const bool few = (uint64_t)p->x.n * p->grid_h * p->grid_w <= 4;
    const quernel_i_kernel *tiles = few ? NULL : quernel_i_tiled_kernel(p, m, p->quant.type);
    if (tiles) return tiles;
    const quernel_i_kernel *gemm = suited_kernel(p, m, typed_kernel(p, QUERNEL_I_OP_GEMM, m->isas));
    const quernel_i_kernel *narrow = narrow_kernel(p, gemm);
    const quernel_i_kernel *conv =
        demands_packed(config) ? NULL : quernel_i_algorithm_kernel(p, gemm, m);
    if (narrow && !(conv && costs_more(p, narrow, conv, m))) return narrow;
    if (conv) return conv;
    const quernel_i_kernel *gemv = few ? typed_kernel(p, QUERNEL_I_OP_GEMV, 1u << gemm->isa) : NULL;
    return gemv ? gemv : gemm;
}

// A lower set's kernel has to promise so much over a higher one's: as far as counts are off.
#define LOWER_PROMISES 1.1

// The sets of a mask below `isa`.
static uint32_t below(uint32_t isas, uint8_t isa) { return isas & ((1u << isa) - 1); }

// Of what each instruction set would take the cheapest.
static const quernel_i_kernel *cheapest_kernel(const quernel_i_problem *p,
                                               const quernel_i_config *config,
                                               const quernel_i_machine *m) {
    const quernel_i_kernel *best = product_kernel(p, config, m);
    double least = quernel_i_cost_cycles(p, best, m) / LOWER_PROMISES;
    quernel_i_machine rest = *m;
    for (rest.isas = below(m->isas, best->isa); least > 0 && rest.isas;) {
        const quernel_i_kernel *k = product_kernel(p, config, &rest);
        const double cycles = quernel_i_cost_cycles(p, k, m);
        if (cycles > 0 && cycles < least) best = k, least = cycles;
        rest.isas = below(rest.isas, k->isa);
    }
    return best;
}

static bool can_run(const quernel_i_problem *p, const quernel_i_config *config) {
    const quernel_i_kernel *k = config->kernel;
    if (quernel_i_problem_depthwise(p)) return k->op == QUERNEL_I_OP_DEPTHWISE;
    switch (k->op) {
    case QUERNEL_I_OP_GEMM: return true;
    case QUERNEL_I_OP_GEMV: return p->grid_w <= 4;
    default: return !demands_packed(config) && quernel_i_algorithm_fits(p, k);
    }
}

int quernel_i_plan_kernel_check(const quernel_i_problem *p, const quernel_i_config *config,
                                const quernel_i_machine *m, quernel_error *error) {
    const quernel_i_kernel *k = config->kernel;
    if (!can_run(p, config))
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "config", -1,
                                   "%s: config: kernel %s cannot run this layer", p->where,
                                   k->name);
    if (!(m->isas >> k->isa & 1))
        return quernel_i_error_set(error, QUERNEL_E_ISA, "config", -1,
                                   "%s: config: kernel %s cannot run here", p->where, k->name);
    return QUERNEL_OK;
}

static const quernel_i_kernel *main_kernel(const quernel_i_problem *p,
                                           const quernel_i_config *config,
                                           const quernel_i_machine *m) {
    if (config->kernel) return config->kernel;
    return quernel_i_problem_depthwise(p) ? typed_kernel(p, QUERNEL_I_OP_DEPTHWISE, m->isas)
                                          : cheapest_kernel(p, config, m);
}

// Of the demanded set (quernel_isa + 1), or else of the best one. NULL where the role is not there,
// or the set has no kernel for it.
static const quernel_i_kernel *role_kernel(bool there, quernel_i_op op, uint32_t demand,
                                           const quernel_i_machine *m) {
    const uint32_t sets = demand ? m->isas & 1u << (demand - 1) : m->isas;
    return there ? quernel_i_registry_best(op, sets, -1) : NULL;
}

quernel_i_plan_kernels quernel_i_plan_kernels_of(const quernel_i_problem *p,
                                                 const quernel_i_config *config,
                                                 const quernel_i_machine *m) {
    const quernel_i_kernel *k = main_kernel(p, config, m);
    const bool nhwc = p->x.layout == QUERNEL_LAYOUT_NHWC, floats = quernel_i_problem_float_input(p),
               by_row = quernel_i_problem_by_row(p);
    // Ranges of im2col rows are read from a strip with channels contiguous; those of an image, from
    // x.
    return (quernel_i_plan_kernels){
        .main = k,
        .quantize =
            role_kernel(floats, nhwc ? QUERNEL_I_OP_QUANTIZE_NHWC : QUERNEL_I_OP_QUANTIZE_NCHW,
                        config->quantize, m),
        .gather = role_kernel(floats, QUERNEL_I_OP_QUANTIZE_NHWC, config->quantize, m),
        .range = role_kernel(floats && (by_row || quernel_i_problem_by_image(p)),
                             by_row || nhwc ? QUERNEL_I_OP_RANGE_NHWC : QUERNEL_I_OP_RANGE_NCHW,
                             config->range, m),
        .epilogue_kernel = role_kernel(quernel_i_plan_fused_phases(p) > 1, QUERNEL_I_OP_EPILOGUE,
                                       config->epilogue, m),
        .turn = quernel_i_turn_of(m->isas),
        .a_offset = a_offset_for(p, k),
        .ic_split = quernel_i_algorithm_ic_split(p, k),
    };
}
