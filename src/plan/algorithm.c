// SPDX-License-Identifier: Apache-2.0
// Which layers a kernel for convolutions of their kind may and should run.
#include "plan/algorithm.h"

#include "plan/blocking.h"
#include "registry/registry.h"

#define TILE 4 // lines, and pixels, of a square of outputs
// Bytes of prepared weights above which a kernel of the same op with fewer points is taken: its
// weights are smaller.
#define PREPARED_MAX ((size_t)2 << 20)
#define PREPARED_CHEAP ((size_t)768 << 10) // bytes of weights that cost little to prepare

#define REACH_MAX ((uint64_t)255 * 128) // the largest |a·w|

// The largest |Σ a·w| of output channel j for bytes a: all of one sign's weights meet 255.
static uint64_t max_abs_acc(const quernel_weights *w, size_t j) {
    const int64_t all = (int64_t)w->abs_sum[j], sum = w->sum[j];
    return 255 * (uint64_t)((all + (sum < 0 ? -sum : sum)) / 2);
}

static bool below(const quernel_weights *w, uint64_t bound) {
    for (size_t j = 0; j < (size_t)w->shape.subproblems * w->shape.oc16; j++)
        if (max_abs_acc(w, j) >= bound) return false;
    return true;
}

// Kernel lines of a tap of the LINES algorithm: 2, as deep as both, where the stride is 2 or the
// kernel is too high for taps of one line.
static uint32_t tap_lines(const quernel_i_problem *p) {
    return p->stride_h == 2 || p->kernel_h > 4 ? 2 : 1;
}
static uint32_t taps(const quernel_i_problem *p) {
    return (p->kernel_h + tap_lines(p) - 1) / tap_lines(p);
}

static bool within(uint32_t value, quernel_i_limits limits) {
    return value >= limits.min && (!limits.max || value <= limits.max);
}

static bool fits_window(const quernel_i_problem *p, const quernel_i_fits *f) {
    const quernel_i_weights_shape *s = &p->weights->shape;
    if (!within(p->kernel_h, f->kernel_h) || !within(p->kernel_w, f->kernel_w) ||
        !within(p->stride_h, f->stride_h) || !within(p->stride_w, f->stride_w))
        return false;
    const bool whole_lines =
        p->stride_w <= p->kernel_w && p->dilation_w == 1 && s->subproblem_in == p->x.c;
    if (f->whole_lines && !whole_lines) return false;
    if (f->group_lanes &&
        !(s->group_in == s->group_out && s->group_in <= 8 && 8 % s->group_in == 0))
        return false;
    return !f->group_channels || (s->group_pack > 1 && s->subproblem_in <= f->group_channels);
}

static bool below_bound(const quernel_weights *w, const quernel_i_kernel *k) {
    return !k->bound || below(w, (uint64_t)1 << k->bound);
}

bool quernel_i_algorithm_fits(const quernel_i_problem *p, const quernel_i_kernel *k) {
    const quernel_weights *w = p->weights;
    if (w->shape.kind != QUERNEL_WEIGHTS_CONV2D || w->shape.format != QUERNEL_I_FORMAT_W16X4 ||
        w->has_zero || w->smooth_kind == QUERNEL_SMOOTH_COLUMN || quernel_i_problem_by_row(p))
        return false;
    return k->call == QUERNEL_I_CALL_CONV && fits_window(p, &k->fits) &&
           (k->in_parts || below_bound(w, k));
}

uint32_t quernel_i_algorithm_ic_split(const quernel_i_problem *p, const quernel_i_kernel *k) {
    if (!k->in_parts || below_bound(p->weights, k)) return 1;
    // The furthest that 4 channels of all taps take a sum.
    const uint64_t bound = (uint64_t)1 << k->bound,
                   quad = 4 * REACH_MAX * p->kernel_h * p->kernel_w;
    const uint32_t quads = (p->weights->shape.subproblem_in + 3) / 4,
                   part = (uint32_t)((bound - 1) / quad);
    return (quads + part - 1) / part;
}

quernel_i_algorithm_cost quernel_i_algorithm_work(const quernel_i_problem *p,
                                                  const quernel_i_kernel *k) {
    if (k->multiplies == QUERNEL_I_MULTIPLIES_LINES) {
        const uint32_t values = p->kernel_w * p->weights->shape.subproblem_in * tap_lines(p),
                       points = taps(p) + TILE - 1;
        return (quernel_i_algorithm_cost){TILE * points, (values + k->kr - 1) / k->kr * k->kr,
                                          points};
    }
    if (k->multiplies == QUERNEL_I_MULTIPLIES_SLOTS) {
        // one instruction a slot, whatever k it has
        const uint32_t slots = (p->weights->shape.group_in + k->kr - 1) / k->kr;
        return (quernel_i_algorithm_cost){TILE * TILE, 2.0 * slots * p->weights->shape.taps, 1};
    }
    return (quernel_i_algorithm_cost){k->points, p->weights->shape.subproblem_in, k->points};
}

// Lines or pixels that are computed: each of the dilation's lattices rounded up to tiles.
static uint64_t tiled(uint32_t size, uint32_t dilation) {
    const uint64_t lattice = (size + dilation - 1) / dilation;
    return (lattice + TILE - 1) / TILE * TILE * dilation;
}

static size_t prepared_bytes(const quernel_i_problem *p, const quernel_i_kernel *k) {
    return quernel_i_panel_bytes(k, p->weights->shape.k_quads) * (p->weights->shape.oc16 / 16);
}

// Products that an output takes.
static double direct_products(const quernel_i_problem *p) {
    return 4.0 * p->weights->shape.k_quads;
}
static double conv_products(const quernel_i_problem *p, const quernel_i_kernel *k) {
    const quernel_i_algorithm_cost work = quernel_i_algorithm_work(p, k);
    return work.rows * work.depth / (TILE * TILE);
}

// The products that are saved pay for preparing the weights, which goes by their bytes; measured on
// Zen 3 with 64 to 512 channels.
static bool pays_preparing(const quernel_i_problem *p, const quernel_i_kernel *k) {
    const double outputs = (double)p->grid_h * p->grid_w * p->weights->shape.oc16;
    const size_t bytes = prepared_bytes(p, k);
    return bytes <= PREPARED_CHEAP ||
           outputs * (direct_products(p) - conv_products(p, k)) >= 12.0 * (double)bytes;
}

// By what was measured for the kernel: channels enough, and not too many outputs that nobody keeps.
static bool pays_measured(const quernel_i_problem *p, const quernel_i_kernel *k) {
    const uint64_t pixels = (uint64_t)p->grid_h * p->grid_w,
                   computed = tiled(p->grid_h, p->dilation_h) * tiled(p->grid_w, p->dilation_w);
    return p->weights->shape.subproblem_in >= k->pays_channels &&
           (double)computed <= (double)k->pays_computed * (double)pixels;
}

// What an output takes beside its products costs as much as 20 of them, 30 where it is made from
// points.
static bool pays_lines(const quernel_i_problem *p, const quernel_i_kernel *k) {
    const double computed = (double)tiled(p->grid_h, p->dilation_h) / p->grid_h;
    return direct_products(p) + 20 >= 1.05 * computed * (conv_products(p, k) + 30);
}

// What is multiplied where pixels are read as they are; else each pixel that is read is spread over
// the slots, which costs as much as half of an output's instructions; the block diagonal reads
// pixels as they are. Measured on Zen 4 with AVX2 and AVX-512-VNNI: with stride 2 groups of 4
// channels pay, groups of 8 do not.
static bool pays_slots(const quernel_i_problem *p, const quernel_i_kernel *k) {
    const double read = (double)p->stride_h * p->stride_w, slots = conv_products(p, k) * k->kr / 2;
    if (k->slot_costs > 0) return k->slot_costs * slots < direct_products(p);
    return slots * (1 + read) < direct_products(p) * 2;
}

// Pixels of a line that a tile reads in all lattices of the dilation.
static size_t tile_span(uint32_t kernel, uint32_t stride, uint32_t dilation) {
    return (size_t)dilation * ((TILE - 1) * stride + kernel);
}

// 16 output channels of weights with the scratch, and a strip of one tile.
static bool fits_slice(const quernel_i_problem *p, const quernel_i_kernel *k) {
    const uint32_t k_quads = p->weights->shape.k_quads;
    const size_t strip = tile_span(p->kernel_h, p->stride_h, p->dilation_h) *
                         tile_span(p->kernel_w, p->stride_w, p->dilation_w) * p->x.c;
    const size_t scratch = k->scratch ? k->scratch(k_quads) : 0;
    return quernel_i_panel_bytes(k, k_quads) + scratch <= QUERNEL_I_SLICE_MAX &&
           strip <= QUERNEL_I_SLICE_MAX;
}

static double products_by(const quernel_i_problem *p, const quernel_i_kernel *k,
                          const quernel_i_costs *c) {
    const quernel_i_weights_shape *s = &p->weights->shape;
    const double oc = s->oc16, channels = s->subproblem_in, weights = channels * s->taps / 9;
    const quernel_i_algorithm_cost work = quernel_i_algorithm_work(p, k);
    const uint64_t computed = tiled(p->grid_h, p->dilation_h) * tiled(p->grid_w, p->dilation_w);
    const double tiles = (double)computed / (TILE * TILE) / p->threads;
    const double tile =
        c->product * work.rows * work.depth * oc + c->input * channels + c->output * oc;
    return s->subproblems * (tiles * tile + c->weight * weights * oc);
}

uint32_t quernel_i_algorithm_oc(const quernel_i_weights_shape *s, const quernel_i_kernel *gemm) {
    const uint32_t tail = s->oc % gemm->nr;
    return tail && tail <= gemm->oc_tail ? s->oc - tail + gemm->oc_tail : s->oc16;
}

static const quernel_i_costs *light_costs(const quernel_i_kernel *k, const quernel_i_machine *m) {
    return k->costs_light.product > 0 && (m->light >> k->isa & 1) ? &k->costs_light : NULL;
}

double quernel_i_algorithm_products(const quernel_i_problem *p, const quernel_i_kernel *k,
                                    const quernel_i_machine *m) {
    const quernel_i_costs *light = m ? light_costs(k, m) : NULL;
    return products_by(p, k, light ? light : &k->costs);
}

// What decides in place of channels and outputs that were measured to pay: costs, where they were
// measured for such a core. NULL where they were not.
static const quernel_i_costs *deciding_costs(const quernel_i_kernel *k,
                                             const quernel_i_machine *m) {
    const quernel_i_costs *light = light_costs(k, m);
    return light || !(k->costs.product > 0) || k->pays_computed > 0 ? light : &k->costs;
}

static bool costs_less(const quernel_i_problem *p, const quernel_i_kernel *k,
                       const quernel_i_kernel *gemm, const quernel_i_costs *costs) {
    const quernel_i_weights_shape *s = &p->weights->shape;
    const double pixels = (double)p->grid_h * p->grid_w / p->threads,
                 outputs = pixels * quernel_i_algorithm_oc(s, gemm) * s->subproblems;
    return s->subproblem_in >= k->pays_channels &&
           outputs * direct_products(p) >= products_by(p, k, costs);
}

static bool pays(const quernel_i_problem *p, const quernel_i_kernel *k,
                 const quernel_i_kernel *gemm, const quernel_i_machine *m) {
    const quernel_i_costs *costs = deciding_costs(k, m);
    if (!fits_slice(p, k)) return false;
    if (costs) return costs_less(p, k, gemm, costs);
    if (!pays_preparing(p, k)) return false;
    switch (k->multiplies) {
    case QUERNEL_I_MULTIPLIES_LINES: return pays_lines(p, k);
    case QUERNEL_I_MULTIPLIES_SLOTS: return pays_slots(p, k);
    default: return pays_measured(p, k);
    }
}

// Whether the set has a kernel of the op that reads the values as they are, and this one does not.
static bool reads_another_type(const quernel_i_problem *p, const quernel_i_kernel *k) {
    return k->a_type != p->quant.type &&
           quernel_i_registry_best((quernel_i_op)k->op, 1u << k->isa, p->quant.type);
}

const quernel_i_kernel *quernel_i_algorithm_kernel(const quernel_i_problem *p,
                                                   const quernel_i_kernel *gemm,
                                                   const quernel_i_machine *m) {
    const quernel_i_kernel *chosen = NULL;
    for (const quernel_i_kernel *k = quernel_i_kernels; k->name; k++) {
        if (k->isa != gemm->isa || reads_another_type(p, k) ||
            k->multiplies == QUERNEL_I_MULTIPLIES_DIRECT || !quernel_i_algorithm_fits(p, k))
            continue;
        const bool better = !chosen ||
                            (k->op == chosen->op && prepared_bytes(p, chosen) > PREPARED_MAX) ||
                            (k->multiplies == QUERNEL_I_MULTIPLIES_SLOTS &&
                             conv_products(p, k) <= conv_products(p, chosen));
        if (better && pays(p, k, gemm, m)) chosen = k;
    }
    return chosen;
}
