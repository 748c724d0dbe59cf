// SPDX-License-Identifier: Apache-2.0
// Which layers a 3x3 kernel of its own may and should run.
#include "plan/conv3x3.h"

#define BOUND ((uint64_t)1 << 25)
#define TILE 4
#define CHANNELS_MOST 512 // of whose transformed weights 16 columns stay well below a worker's slice of the workspace

// The furthest from 0 that Σ a·w comes for bytes a: all of one sign's weights meet 255.
static uint64_t furthest(const quernel_weights *w, size_t j) {
    const int64_t all = (int64_t)w->reach[j], sum = w->sum[j];
    return 255 * (uint64_t)((all + (sum < 0 ? -sum : sum)) / 2);
}

static bool below_bound(const quernel_weights *w) {
    for (size_t j = 0; j < (size_t)w->shape.jobs * w->shape.columns16; j++)
        if (furthest(w, j) >= BOUND) return false;
    return true;
}

bool quernel_i_plan_conv3x3_fits(const quernel_i_layer *l) {
    const quernel_i_weights_shape *s = &l->weights->shape;
    const bool shape = s->kind == QUERNEL_WEIGHTS_CONV2D && s->format == QUERNEL_I_FORMAT_W16X4 &&
                       l->kernel_h == 3 && l->kernel_w == 3 && l->stride_h == 1 && l->stride_w == 1 &&
                       s->job_in % 4 == 0;
    return shape && !quernel_i_layer_by_row(l) && !l->weights->has_zero &&
           l->weights->smooth_kind != QUERNEL_SMOOTH_COLUMN && below_bound(l->weights);
}

// Pixels that are computed: each of the dilation's lattices rounded up to tiles.
static uint64_t tiled(uint32_t size, uint32_t dilation) {
    const uint64_t lattice = (size + dilation - 1) / dilation;
    return (lattice + TILE - 1) / TILE * TILE * dilation;
}

bool quernel_i_plan_conv3x3_pays(const quernel_i_layer *l) {
    const uint64_t pixels = tiled(l->grid_h, l->dilation_h) * tiled(l->grid_w, l->dilation_w);
    const uint32_t channels = l->weights->shape.job_in;
    return channels >= 16 && channels <= CHANNELS_MOST && pixels <= 2 * (uint64_t)l->grid_h * l->grid_w;
}
