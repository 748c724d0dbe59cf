// SPDX-License-Identifier: Apache-2.0
// Which layers a 3x3 kernel of its own may and should run.
#include "plan/conv3x3.h"

#include "registry/registry.h"

#define TILE 4
#define PREPARED_MOST ((size_t)2 << 20) // bytes of weights, above which those of fewer points are sooner read
#define PREPARED_CHEAP ((size_t)768 << 10) // bytes of weights that cost little to prepare
#define CHANNELS_MOST 512 // of whose transformed weights 16 columns stay well below a worker's slice of the workspace

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

quernel_i_op quernel_i_plan_conv3x3_op(const quernel_i_layer *l) {
    const quernel_i_weights_shape *s = &l->weights->shape;
    const bool shape = s->kind == QUERNEL_WEIGHTS_CONV2D && s->format == QUERNEL_I_FORMAT_W16X4 && l->kernel_h == 3 && l->kernel_w == 3;
    if (!shape || l->stride_h != l->stride_w || l->stride_h > 2) return QUERNEL_I_OP_COUNT;
    return l->stride_h == 2 ? QUERNEL_I_OP_CONV3X3S2 : QUERNEL_I_OP_CONV3X3;
}

bool quernel_i_plan_conv3x3_fits(const quernel_i_layer *l) {
    const quernel_i_op op = quernel_i_plan_conv3x3_op(l);
    const uint64_t bound = (uint64_t)1 << (op == QUERNEL_I_OP_CONV3X3S2 ? 29 : 25);
    return op != QUERNEL_I_OP_COUNT && l->weights->shape.job_in % 4 == 0 && !quernel_i_layer_by_row(l) &&
           !l->weights->has_zero && l->weights->smooth_kind != QUERNEL_SMOOTH_COLUMN && below(l->weights, bound);
}

// Pixels that are computed: each of the dilation's lattices rounded up to tiles.
static uint64_t tiled(uint32_t size, uint32_t dilation) {
    const uint64_t lattice = (size + dilation - 1) / dilation;
    return (lattice + TILE - 1) / TILE * TILE * dilation;
}

static size_t prepared_bytes(const quernel_i_layer *l, const quernel_i_kernel *k) {
    return (size_t)l->weights->shape.k_groups * k->b_group * (l->weights->shape.columns16 / 16);
}

// What the pixels save pays for preparing the weights, which goes by their bytes; measured on Zen 3 with 64 to 512 channels.
static bool pays_preparing(const quernel_i_layer *l, const quernel_i_kernel *k) {
    const double saved = (double)l->grid_h * l->grid_w * (144 - quernel_i_plan_conv3x3_points(k));
    return prepared_bytes(l, k) <= PREPARED_CHEAP || saved >= 27 * (double)k->b_group;
}

// With stride 2 a kernel saves a third of the products at most, and may waste less.
static bool pays(const quernel_i_layer *l, const quernel_i_kernel *k) {
    const uint64_t pixels = (uint64_t)l->grid_h * l->grid_w,
                   computed = tiled(l->grid_h, l->dilation_h) * tiled(l->grid_w, l->dilation_w);
    const uint32_t channels = l->weights->shape.job_in;
    if (channels > CHANNELS_MOST || !pays_preparing(l, k)) return false;
    if (k->op == QUERNEL_I_OP_CONV3X3) return channels >= 16 && computed <= 2 * pixels;
    return channels >= 32 && channels % 16 == 0 && 8 * computed <= 9 * pixels;
}

const quernel_i_kernel *quernel_i_plan_conv3x3_kernel(const quernel_i_layer *l, const quernel_i_kernel *gemm) {
    const quernel_i_kernel *chosen = NULL;
    if (gemm->isa == QUERNEL_ISA_REF || !quernel_i_plan_conv3x3_fits(l)) return NULL;
    for (const quernel_i_kernel *k = quernel_i_kernels; k->name; k++) {
        if (k->op != quernel_i_plan_conv3x3_op(l) || k->isa != gemm->isa || k->a_type != gemm->a_type || !pays(l, k)) continue;
        if (!chosen || prepared_bytes(l, chosen) > PREPARED_MOST) chosen = k;
    }
    return chosen;
}

double quernel_i_plan_conv3x3_points(const quernel_i_kernel *k) {
    if (k->op == QUERNEL_I_OP_CONV3X3) return 36;
    return k->b_group > 9 * 64 ? 81 : 100;
}
