// SPDX-License-Identifier: Apache-2.0
// Which layers a kernel for convolutions of their kind may and should run.
#include "plan/algorithm.h"

#include "plan/blocking.h"
#include "registry/registry.h"

#define TILE 4
#define PREPARED_MOST ((size_t)2 << 20) // bytes of weights, above which those of fewer points are sooner read
#define PREPARED_CHEAP ((size_t)768 << 10) // bytes of weights that cost little to prepare

// What |Σ a·w| of a column has to stay below, and the furthest that 4 channels of 9 taps take it.
#define BOUND_S1 ((uint64_t)1 << 25)
#define BOUND_S2 ((uint64_t)1 << 29)
#define LINES_BOUND ((uint64_t)1 << 28)
#define QUAD_MOST ((uint64_t)4 * 9 * 255 * 128)

// The furthest from 0 that Σ a·w comes for bytes a: all of one sign's weights meet 255.
static uint64_t furthest(const quernel_weights *w, size_t j) {
    const int64_t all = (int64_t)w->reach[j], sum = w->sum[j];
    return 255 * (uint64_t)((all + (sum < 0 ? -sum : sum)) / 2);
}

static bool below(const quernel_weights *w, uint64_t bound) {
    for (size_t j = 0; j < (size_t)w->shape.jobs * w->shape.columns16; j++)
        if (furthest(w, j) >= bound) return false;
    return true;
}

static bool is_3x3(const quernel_i_problem *p, uint32_t stride) {
    return p->kernel_h == 3 && p->kernel_w == 3 && p->stride_h == stride && p->stride_w == stride;
}

// Lines of the kernel that fall together where the stride, or the kernel's height, asks for it: taps of 1 or 2 lines.
static uint32_t tap_lines(const quernel_i_problem *p) { return p->stride_h == 2 || p->kernel_h > 4 ? 2 : 1; }
static uint32_t taps(const quernel_i_problem *p) { return (p->kernel_h + tap_lines(p) - 1) / tap_lines(p); }

// Numbers of a kernel line that lie side by side wherever the rows are: no groups, no dilation along the line.
static bool is_lines(const quernel_i_problem *p) {
    return p->kernel_h >= 3 && taps(p) <= 4 && p->stride_h <= 2 && p->stride_w <= p->kernel_w && p->dilation_w == 1 &&
           p->weights->shape.job_in == p->x.c;
}

// Groups that share 16 columns.
static bool is_small_groups(const quernel_i_problem *p) {
    const quernel_i_weights_shape *s = &p->weights->shape;
    return s->bundle > 1 && s->job_in <= 16 && p->kernel_h <= 8 && p->kernel_w <= 8 && p->stride_w <= 2;
}

bool quernel_i_plan_conv_fits(const quernel_i_problem *p, const quernel_i_kernel *k) {
    const quernel_weights *w = p->weights;
    if (w->shape.kind != QUERNEL_WEIGHTS_CONV2D || w->shape.format != QUERNEL_I_FORMAT_W16X4 || w->has_zero ||
        w->smooth_kind == QUERNEL_SMOOTH_COLUMN || quernel_i_problem_by_row(p))
        return false;
    switch (k->op) {
    case QUERNEL_I_OP_CONV3X3: return is_3x3(p, 1);
    case QUERNEL_I_OP_CONV3X3S2: return is_3x3(p, 2);
    case QUERNEL_I_OP_CONVLINES: return is_lines(p) && below(w, LINES_BOUND);
    case QUERNEL_I_OP_CONVGROUPS: return is_small_groups(p);
    default: return false;
    }
}

uint32_t quernel_i_plan_conv_parts(const quernel_i_problem *p, const quernel_i_kernel *k) {
    if (k->op != QUERNEL_I_OP_CONV3X3 && k->op != QUERNEL_I_OP_CONV3X3S2) return 1;
    const uint64_t bound = k->op == QUERNEL_I_OP_CONV3X3 ? BOUND_S1 : BOUND_S2;
    if (below(p->weights, bound)) return 1;
    const uint32_t quads = (p->weights->shape.job_in + 3) / 4, part = (uint32_t)((bound - 1) / QUAD_MOST);
    return (quads + part - 1) / part;
}

quernel_i_conv_work quernel_i_plan_conv_work(const quernel_i_problem *p, const quernel_i_kernel *k) {
    const double channels = p->weights->shape.job_in;
    if (k->op == QUERNEL_I_OP_CONVLINES) {
        const uint32_t numbers = p->kernel_w * p->weights->shape.job_in * tap_lines(p), points = taps(p) + TILE - 1;
        return (quernel_i_conv_work){TILE * points, (numbers + 1) / 2 * 2, points};
    }
    if (k->op == QUERNEL_I_OP_CONVGROUPS) {
        const uint32_t slots = (p->weights->shape.group_in + k->kr - 1) / k->kr; // one instruction a slot, whatever k it has
        return (quernel_i_conv_work){TILE * TILE, 2.0 * slots * p->weights->shape.taps, 1};
    }
    const double points = k->op == QUERNEL_I_OP_CONV3X3 ? 36 : k->b_group > 9 * 64 ? 81 : 100;
    return (quernel_i_conv_work){points, channels, points};
}

// Lines or pixels that are computed: each of the dilation's lattices rounded up to tiles.
static uint64_t tiled(uint32_t size, uint32_t dilation) {
    const uint64_t lattice = (size + dilation - 1) / dilation;
    return (lattice + TILE - 1) / TILE * TILE * dilation;
}

static size_t prepared_bytes(const quernel_i_problem *p, const quernel_i_kernel *k) {
    return quernel_i_panel_bytes(k, p->weights->shape.k_groups) * (p->weights->shape.columns16 / 16);
}

// Products that an output takes.
static double direct_products(const quernel_i_problem *p) { return 4.0 * p->weights->shape.k_groups; }
static double conv_products(const quernel_i_problem *p, const quernel_i_kernel *k) {
    const quernel_i_conv_work work = quernel_i_plan_conv_work(p, k);
    return work.rows * work.depth / (TILE * TILE);
}

// The products that are saved pay for preparing the weights, which goes by their bytes; measured on Zen 3 with 64 to 512 channels.
static bool pays_preparing(const quernel_i_problem *p, const quernel_i_kernel *k) {
    const double outputs = (double)p->grid_h * p->grid_w * p->weights->shape.columns16;
    const size_t bytes = prepared_bytes(p, k);
    return bytes <= PREPARED_CHEAP || outputs * (direct_products(p) - conv_products(p, k)) >= 12.0 * (double)bytes;
}

// With stride 2 a kernel saves a third of the products at most, and may waste less.
static bool pays_3x3(const quernel_i_problem *p, const quernel_i_kernel *k) {
    const uint64_t pixels = (uint64_t)p->grid_h * p->grid_w,
                   computed = tiled(p->grid_h, p->dilation_h) * tiled(p->grid_w, p->dilation_w);
    const uint32_t channels = p->weights->shape.job_in;
    if (k->op == QUERNEL_I_OP_CONV3X3) return channels >= 16 && 4 * computed <= 9 * pixels;
    return channels >= 32 && 8 * computed <= 9 * pixels;
}

// What an output takes beside its products is worth 20 of them, 30 where it is made from points.
static bool pays_lines(const quernel_i_problem *p, const quernel_i_kernel *k) {
    const double computed = (double)tiled(p->grid_h, p->dilation_h) / p->grid_h;
    return direct_products(p) + 20 >= 1.05 * computed * (conv_products(p, k) + 30);
}

// Pixels of a line that a tile reads in all lattices of the dilation.
static size_t tile_span(uint32_t kernel, uint32_t stride, uint32_t dilation) {
    return (size_t)dilation * ((TILE - 1) * stride + kernel);
}

// 16 columns of weights with the scratch, and a strip of one tile.
static bool fits_slice(const quernel_i_problem *p, const quernel_i_kernel *k) {
    const uint32_t groups = p->weights->shape.k_groups;
    const size_t strip = tile_span(p->kernel_h, p->stride_h, p->dilation_h) * tile_span(p->kernel_w, p->stride_w, p->dilation_w) * p->x.c;
    return quernel_i_panel_bytes(k, groups) + k->scratch(groups) <= QUERNEL_I_SLICE_MOST && strip <= QUERNEL_I_SLICE_MOST;
}

// For instruction sets that could not be timed, by count, in the time of a 16-bit product, of which one of bytes takes half: Winograd's algorithm
// has to promise 1.25 times the speed. Threads share outputs, but each prepares the weights.
static bool counts_less(const quernel_i_problem *p, const quernel_i_kernel *k) {
    const double columns = p->weights->shape.columns16, channels = p->weights->shape.job_in,
                 outputs = (double)p->grid_h * p->grid_w * columns / p->threads,
                 computed = (double)(tiled(p->grid_h, p->dilation_h) * tiled(p->grid_w, p->dilation_w)) * columns / p->threads;
    const double finish = 16 * outputs, points = computed * (conv_products(p, k) + 26 + 16 * channels / columns);
    return outputs * direct_products(p) / 2 + finish >= 1.25 * (points + finish + 12.0 * (double)prepared_bytes(p, k));
}

static bool pays(const quernel_i_problem *p, const quernel_i_kernel *k) {
    if (!fits_slice(p, k) || !pays_preparing(p, k)) return false;
    switch (k->op) {
    case QUERNEL_I_OP_CONVLINES: return pays_lines(p, k);
    case QUERNEL_I_OP_CONVGROUPS: return conv_products(p, k) * k->kr < direct_products(p) * 2;
    default: return k->isa == QUERNEL_ISA_AVX2 ? pays_3x3(p, k) : counts_less(p, k);
    }
}

const quernel_i_kernel *quernel_i_plan_conv_kernel(const quernel_i_problem *p, const quernel_i_kernel *gemm) {
    const quernel_i_kernel *chosen = NULL;
    if (gemm->isa == QUERNEL_ISA_REF) return NULL;
    for (const quernel_i_kernel *k = quernel_i_kernels; k->name; k++) {
        if (k->isa != gemm->isa || k->a_type != gemm->a_type || !quernel_i_plan_conv_fits(p, k)) continue;
        const bool better = !chosen || (k->op == chosen->op && prepared_bytes(p, chosen) > PREPARED_MOST) ||
                            (k->op == QUERNEL_I_OP_CONVGROUPS && conv_products(p, k) <= conv_products(p, chosen));
        if (better && pays(p, k)) chosen = k;
    }
    return chosen;
}
