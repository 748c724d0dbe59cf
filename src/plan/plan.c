// SPDX-License-Identifier: Apache-2.0
// Makes a plan: kernels, then the path of the rows, then sizes that keep a strip and a block of weights in L2, then the
// split into tasks. None of it changes a bit of the result.
#include "plan/plan.h"

#include "base/error.h"
#include "cpu/cpu.h"
#include "plan/conv.h"
#include "plan/sizes.h"
#include "plan/tiles.h"
#include "registry/registry.h"

#define JOINED_MOST 16 // phases whose weights stand ready together

static bool int8_input(const quernel_i_layer *l) { return l->x.type == QUERNEL_TYPE_S8 || l->x.type == QUERNEL_TYPE_U8; }

static uint32_t encode_for(const quernel_i_layer *l, const quernel_i_kernel *kernel) {
    if (kernel->a_type == l->quant.type) return 0;
    return (uint32_t)(l->quant.type == QUERNEL_TYPE_S8 ? 128 : -128);
}

static bool demands_packed(const quernel_i_config *config) { return config->path == QUERNEL_I_PATH_PACKED + 1; }

// The instruction set's kernel of fewer columns than a sub-panel has, where there are no more: it multiplies no padding. NULL where there is none.
static const quernel_i_kernel *narrow_kernel(const quernel_i_layer *l, const quernel_i_kernel *gemm) {
    for (const quernel_i_kernel *k = quernel_i_kernels; k->name; k++)
        if (k->op == QUERNEL_I_OP_GEMM && k->nr < 16 && l->weights->shape.columns <= k->nr && k->isa == gemm->isa &&
            k->a_type == gemm->a_type)
            return k;
    return NULL;
}

// Few rows walk the weights once: the GEMV kernel of the same instruction set. Some convolutions have a kernel of their own on some.
static const quernel_i_kernel *product_kernel(const quernel_i_layer *l, uint32_t usable, const quernel_i_config *config) {
    const bool few = (uint64_t)l->x.n * l->grid_h * l->grid_w <= 4;
    const quernel_i_kernel *tiles = few ? NULL : quernel_i_plan_tiles_kernel(l, usable, l->quant.type);
    if (tiles && quernel_i_plan_tiles_pay(l) && !quernel_i_isa_request((quernel_isa)tiles->isa)) return tiles;
    const quernel_i_kernel *gemm = quernel_i_registry_best(QUERNEL_I_OP_GEMM, usable, -1);
    // Of kernels of one instruction set the one that reads the numbers as they are.
    const quernel_i_kernel *typed = quernel_i_registry_best(QUERNEL_I_OP_GEMM, usable, l->quant.type);
    if (typed && typed->isa == gemm->isa) gemm = typed;
    const quernel_i_kernel *narrow = narrow_kernel(l, gemm);
    if (narrow) return narrow;
    const quernel_i_kernel *conv = demands_packed(config) ? NULL : quernel_i_plan_conv_kernel(l, gemm);
    if (conv) return conv;
    const quernel_i_kernel *gemv = few ? quernel_i_registry_best(QUERNEL_I_OP_GEMV, usable, gemm->a_type) : NULL;
    return gemv && gemv->isa == gemm->isa ? gemv : gemm;
}

static bool runs_product(const quernel_i_kernel *k, const quernel_i_layer *l, const quernel_i_config *config) {
    switch (k->op) {
    case QUERNEL_I_OP_GEMM: return true;
    case QUERNEL_I_OP_GEMV: return l->grid_w <= 4;
    default: return !demands_packed(config) && quernel_i_plan_conv_fits(l, k);
    }
}

static int choose_kernels(quernel_i_layer *l, uint32_t usable, const quernel_i_config *config, const char *where,
                          quernel_error *error) {
    const bool nhwc = l->x.layout == QUERNEL_LAYOUT_NHWC;
    l->rows = quernel_i_registry_best(nhwc ? QUERNEL_I_OP_ROWS_NHWC : QUERNEL_I_OP_ROWS_NCHW, usable, -1);
    l->gather = quernel_i_registry_best(QUERNEL_I_OP_ROWS_NHWC, usable, -1);
    if (quernel_i_layer_depthwise(l)) {
        l->depthwise = quernel_i_registry_best(QUERNEL_I_OP_DEPTHWISE, usable, l->quant.type);
        if (!l->depthwise) l->depthwise = quernel_i_registry_best(QUERNEL_I_OP_DEPTHWISE, usable, -1);
    } else if (!config->kernel) {
        l->gemm = product_kernel(l, usable, config);
    }
    if (config->kernel) {
        const quernel_i_kernel *k = config->kernel;
        const bool fits = quernel_i_layer_depthwise(l) ? k->op == QUERNEL_I_OP_DEPTHWISE : runs_product(k, l, config);
        if (!fits)
            return quernel_i_error_set(error, QUERNEL_E_VALUE, "config", -1, "%s: config: kernel %s cannot run this layer",
                                       where, k->name);
        if (!(usable >> k->isa & 1) || quernel_i_isa_request((quernel_isa)k->isa))
            return quernel_i_error_set(error, QUERNEL_E_ISA, "config", -1, "%s: config: kernel %s cannot run here", where,
                                       k->name);
        *(quernel_i_layer_depthwise(l) ? &l->depthwise : &l->gemm) = k;
    }
    const quernel_i_kernel *chosen = quernel_i_layer_depthwise(l) ? l->depthwise : l->gemm;
    l->encode = (int32_t)encode_for(l, chosen);
    l->isa = (quernel_isa)chosen->isa;
    l->conv_parts = quernel_i_plan_conv_parts(l, chosen);
    return QUERNEL_OK;
}

// Every tap of every output pixel lies inside the tensor or its border.
static bool taps_inside(const quernel_i_layer *l, int64_t border_h, int64_t border_w) {
    const int64_t bottom = (int64_t)(l->grid_h - 1) * l->stride_h + (int64_t)(l->kernel_h - 1) * l->dilation_h - l->pad_top;
    const int64_t right = (int64_t)(l->grid_w - 1) * l->stride_w + (int64_t)(l->kernel_w - 1) * l->dilation_w - l->pad_left;
    return l->pad_top <= border_h && l->pad_left <= border_w && bottom < (int64_t)l->x.h + border_h &&
           right < (int64_t)l->x.w + border_w;
}

// Taps of one kernel row lie side by side in memory, so that one run covers them.
static bool whole_rows(const quernel_i_layer *l, int64_t pixel) {
    return l->kernel_w == 1 || (l->weights->shape.job_in == l->x.c && l->dilation_w == 1 && pixel == l->x.c);
}

// Runs read up to 3 bytes behind their last k; tap by tap the packed order leaves no room for that.
static bool taps_aligned(const quernel_i_layer *l) { return l->weights->shape.job_in % 4 == 0; }

static bool can_read_in_place(const quernel_i_layer *l) {
    if (!int8_input(l) || l->encode || l->x.layout != QUERNEL_LAYOUT_NHWC) return false;
    if (!taps_inside(l, l->x.border_h, l->x.border_w)) return false;
    if (quernel_i_layer_depthwise(l)) return true;
    if (quernel_i_layer_conv(l)) // reads no byte more
        return !l->gemm->fits.whole_lines || l->x.stride_w == l->weights->shape.job_in;
    // The phases of a deconvolution differ in the length of their runs.
    const bool one_length = whole_rows(l, l->x.stride_w) && l->weights->shape.phases == 1;
    return one_length ? l->weights->shape.run_length % 4 == 0 : taps_aligned(l);
}

static bool must_pack(const quernel_i_layer *l) {
    if (quernel_i_layer_depthwise(l)) return false;
    const bool by_row = quernel_i_layer_by_row(l) || (l->quant.row_scale && !int8_input(l));
    if (by_row || l->weights->smooth_kind == QUERNEL_SMOOTH_COLUMN) return true;
    return !quernel_i_layer_conv(l) && !whole_rows(l, l->x.c) && !taps_aligned(l);
}

static int choose_path(quernel_i_layer *l, const quernel_i_config *config, const char *where, quernel_error *error) {
    const bool pack = must_pack(l), in_place = !pack && can_read_in_place(l);
    l->path = pack ? QUERNEL_I_PATH_PACKED : in_place ? QUERNEL_I_PATH_INPLACE : QUERNEL_I_PATH_STAGED;
    if (in_place && quernel_i_plan_tiles_copy(l, l->x.stride_w * l->stride_w)) l->path = QUERNEL_I_PATH_STAGED;
    if (config->path) {
        const quernel_i_path asked = (quernel_i_path)(config->path - 1);
        const bool legal = asked == QUERNEL_I_PATH_PACKED   ? !quernel_i_layer_depthwise(l)
                           : asked == QUERNEL_I_PATH_STAGED ? !pack
                                                            : in_place;
        if (!legal)
            return quernel_i_error_set(error, QUERNEL_E_VALUE, "config", -1, "%s: config: path: not legal for this layer",
                                       where);
        l->path = asked;
    }
    const bool packed = l->path == QUERNEL_I_PATH_PACKED;
    const bool where_it_is = packed && l->x.type == QUERNEL_TYPE_F32 && l->x.layout == QUERNEL_LAYOUT_NHWC &&
                             l->kernel_h == 1 && l->kernel_w == 1 && taps_inside(l, 0, 0);
    l->strip_lines = where_it_is ? 0 : 1;
    return QUERNEL_OK;
}

// Equal rows give equal results where nothing else differs from pixel to pixel.
static int choose_equal(quernel_i_layer *l, const quernel_i_config *config, const char *where, quernel_error *error) {
    const bool legal = l->path != QUERNEL_I_PATH_PACKED && !quernel_i_layer_depthwise(l) && !l->finish.residual &&
                       !l->quant.row_scale && !l->weights->shape.merged;
    if (config->equal && !legal)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "config", -1, "%s: config: equal: not legal for this layer", where);
    l->equal = config->equal;
    return QUERNEL_OK;
}

static void choose_range(quernel_i_layer *l, uint32_t usable) {
    // Ranges of im2col rows are read from a strip with channels contiguous; those of an image, from x.
    const bool nhwc = quernel_i_layer_by_row(l) || l->x.layout == QUERNEL_LAYOUT_NHWC;
    l->range = quernel_i_registry_best(nhwc ? QUERNEL_I_OP_RANGE_NHWC : QUERNEL_I_OP_RANGE_NCHW, usable, -1);
}

static void choose_runs(quernel_i_layer *l) {
    const quernel_i_weights_shape *s = &l->weights->shape;
    const bool packed = l->path == QUERNEL_I_PATH_PACKED;
    const int64_t pixel = l->path == QUERNEL_I_PATH_INPLACE ? l->x.stride_w : l->x.c;
    const bool whole = packed || whole_rows(l, pixel);
    l->n_runs = l->kernel_h * (whole ? 1 : l->kernel_w);
    if (l->path == QUERNEL_I_PATH_INPLACE) {
        l->a_pixel = l->x.stride_w;
        return;
    }
    const size_t bytes = packed ? (size_t)s->k_groups * 4 : l->x.c;
    // Rows a multiple of 2048 bytes apart would fall into too few sets of L1. Tiles keep many lines of each of 32 rows there, which
    // would overlap if each row began a set behind the one before.
    const bool spread = bytes % 2048 == 0 && (packed || l->kernel_w == 1) && !quernel_i_layer_conv(l);
    const size_t sets = bytes % 4096 == 0 && quernel_i_layer_tiles(l) ? 5 : 1;
    l->a_pixel = (ptrdiff_t)(bytes + (spread ? sets * QUERNEL_I_LINE : 0));
}

// Results of a phase lie apart along the lines of y; a line is finished as a whole where its pixels do not.
static void choose_joined(quernel_i_layer *l, uint32_t usable) {
    const quernel_i_weights_shape *s = &l->weights->shape;
    const bool pays = s->phases > 1 && l->up_w <= JOINED_MOST && l->y.stride_c != 1;
    l->joined = pays ? l->up_w : 1;
    l->finisher = quernel_i_registry_best(QUERNEL_I_OP_FINISH, usable, -1);
}

int quernel_i_plan_make(quernel_i_layer *l, uint32_t usable, const quernel_i_config *config, const char *where,
                        quernel_error *error) {
    int code = choose_kernels(l, usable, config, where, error);
    if (!code) code = choose_path(l, config, where, error);
    if (!code) code = choose_equal(l, config, where, error);
    if (code) return code;
    choose_range(l, usable);
    choose_runs(l);
    choose_joined(l, usable);
    return quernel_i_plan_sizes(l, config, quernel_i_cpu()->l2_bytes, where, error);
}
