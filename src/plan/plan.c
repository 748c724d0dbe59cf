// SPDX-License-Identifier: Apache-2.0
// Makes a plan: kernels, then the path of the rows, then sizes that keep a strip and a block of weights in L2, then the
// split into tasks, then the workspace.
#include "plan/plan.h"

#include <assert.h>

#include "base/error.h"
#include "plan/algorithm.h"
#include "plan/amx.h"
#include "plan/blocking.h"
#include "registry/registry.h"

static int refuse(quernel_error *error, const quernel_i_problem *p, const char *key) {
    return quernel_i_error_set(error, QUERNEL_E_VALUE, "config", -1, "%s: config: %s: not legal for this layer", p->where, key);
}

static int32_t a_offset_for(const quernel_i_problem *p, const quernel_i_kernel *kernel) {
    if (kernel->a_type == p->quant.type) return 0;
    return p->quant.type == QUERNEL_TYPE_S8 ? 128 : -128;
}

static bool demands_packed(const quernel_i_config *config) { return config->path == QUERNEL_I_PATH_PACKED + 1; }

// The instruction set's kernel of 4 columns, where there are no more: it multiplies no padding. NULL where there is none.
static const quernel_i_kernel *narrow_kernel(const quernel_i_problem *p, const quernel_i_kernel *gemm) {
    if (p->weights->shape.columns > 4 || gemm->isa == QUERNEL_ISA_REF) return NULL;
    for (const quernel_i_kernel *k = quernel_i_kernels; k->name; k++)
        if (k->op == QUERNEL_I_OP_GEMM && k->nr == 4 && k->isa == gemm->isa && k->a_type == gemm->a_type) return k;
    return NULL;
}

// Few rows walk the weights once: the GEMV kernel of the same instruction set. Some convolutions have a kernel of their own on some.
static const quernel_i_kernel *product_kernel(const quernel_i_problem *p, const quernel_i_config *config,
                                              const quernel_i_machine *m) {
    const bool few = (uint64_t)p->x.n * p->grid_h * p->grid_w <= 4;
    if (m->isas >> QUERNEL_ISA_AMXINT8 & 1 && !few && quernel_i_plan_tiles_pay(p))
        return quernel_i_plan_tiles_kernel(p, p->quant.type, m->l1d_bytes);
    const uint32_t vectors = m->isas & ~(1u << QUERNEL_ISA_AMXINT8);
    const quernel_i_kernel *gemm = quernel_i_registry_best(QUERNEL_I_OP_GEMM, vectors, -1);
    // Of kernels of one instruction set the one that reads the numbers as they are.
    const quernel_i_kernel *typed = quernel_i_registry_best(QUERNEL_I_OP_GEMM, vectors, p->quant.type);
    if (typed && typed->isa == gemm->isa) gemm = typed;
    const quernel_i_kernel *narrow = narrow_kernel(p, gemm);
    if (narrow) return narrow;
    const quernel_i_kernel *conv = demands_packed(config) ? NULL : quernel_i_plan_conv_kernel(p, gemm);
    if (conv) return conv;
    const quernel_i_kernel *gemv = few ? quernel_i_registry_best(QUERNEL_I_OP_GEMV, vectors, gemm->a_type) : NULL;
    return gemv && gemv->isa == gemm->isa ? gemv : gemm;
}

static const quernel_i_kernel *depthwise_kernel(const quernel_i_problem *p, const quernel_i_machine *m) {
    const quernel_i_kernel *typed = quernel_i_registry_best(QUERNEL_I_OP_DEPTHWISE, m->isas, p->quant.type);
    return typed ? typed : quernel_i_registry_best(QUERNEL_I_OP_DEPTHWISE, m->isas, -1);
}

static bool can_run(const quernel_i_problem *p, const quernel_i_config *config) {
    const quernel_i_kernel *k = config->kernel;
    if (quernel_i_problem_depthwise(p)) return k->op == QUERNEL_I_OP_DEPTHWISE;
    switch (k->op) {
    case QUERNEL_I_OP_GEMM: return true;
    case QUERNEL_I_OP_GEMV: return p->grid_w <= 4;
    default: return !demands_packed(config) && quernel_i_plan_conv_fits(p, k);
    }
}

static int check_kernel(const quernel_i_problem *p, const quernel_i_config *config, const quernel_i_machine *m,
                        quernel_error *error) {
    const quernel_i_kernel *k = config->kernel;
    if (!can_run(p, config))
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "config", -1, "%s: config: kernel %s cannot run this layer",
                                   p->where, k->name);
    if (!(m->isas >> k->isa & 1))
        return quernel_i_error_set(error, QUERNEL_E_ISA, "config", -1, "%s: config: kernel %s cannot run here", p->where,
                                   k->name);
    return QUERNEL_OK;
}

static const quernel_i_kernel *main_kernel(const quernel_i_problem *p, const quernel_i_config *config,
                                           const quernel_i_machine *m) {
    if (config->kernel) return config->kernel;
    return quernel_i_problem_depthwise(p) ? depthwise_kernel(p, m) : product_kernel(p, config, m);
}

static quernel_i_plan_kernels kernels_of(const quernel_i_problem *p, const quernel_i_config *config,
                                         const quernel_i_machine *m) {
    const quernel_i_kernel *k = main_kernel(p, config, m);
    const bool nhwc = p->x.layout == QUERNEL_LAYOUT_NHWC;
    // Ranges of im2col rows are read from a strip with channels contiguous; those of an image, from x.
    const bool range_nhwc = quernel_i_problem_by_row(p) || nhwc;
    return (quernel_i_plan_kernels){
        .main = k,
        .quantize = quernel_i_registry_best(nhwc ? QUERNEL_I_OP_ROWS_NHWC : QUERNEL_I_OP_ROWS_NCHW, m->isas, -1),
        .gather = quernel_i_registry_best(QUERNEL_I_OP_ROWS_NHWC, m->isas, -1),
        .range = quernel_i_registry_best(range_nhwc ? QUERNEL_I_OP_RANGE_NHWC : QUERNEL_I_OP_RANGE_NCHW, m->isas, -1),
        .finisher = quernel_i_registry_best(QUERNEL_I_OP_FINISH, m->isas, -1),
        .a_offset = a_offset_for(p, k),
        .conv_parts = quernel_i_plan_conv_parts(p, k),
    };
}

// Every tap of every output pixel lies inside the tensor or its border.
static bool taps_inside(const quernel_i_problem *p, int64_t border_h, int64_t border_w) {
    const int64_t bottom = (int64_t)(p->grid_h - 1) * p->stride_h + (int64_t)(p->kernel_h - 1) * p->dilation_h - p->pad_top;
    const int64_t right = (int64_t)(p->grid_w - 1) * p->stride_w + (int64_t)(p->kernel_w - 1) * p->dilation_w - p->pad_left;
    return p->pad_top <= border_h && p->pad_left <= border_w && bottom < (int64_t)p->x.h + border_h &&
           right < (int64_t)p->x.w + border_w;
}

// Taps of one kernel row lie side by side in memory, so that one run covers them.
static bool whole_rows(const quernel_i_problem *p, int64_t pixel) {
    return p->kernel_w == 1 || (p->weights->shape.job_in == p->x.c && p->dilation_w == 1 && pixel == p->x.c);
}

// Runs read up to 3 bytes behind their last k; tap by tap the packed order leaves no room for that.
static bool taps_aligned(const quernel_i_problem *p) { return p->weights->shape.job_in % 4 == 0; }

static bool can_read_in_place(const quernel_i_problem *p, const quernel_i_plan_kernels *k) {
    if (!quernel_i_problem_int8_input(p) || k->a_offset || p->x.layout != QUERNEL_LAYOUT_NHWC) return false;
    if (!taps_inside(p, p->x.border_h, p->x.border_w)) return false;
    if (quernel_i_problem_depthwise(p)) return true;
    if (quernel_i_kernel_conv(k->main)) // reads no byte more
        return k->main->op != QUERNEL_I_OP_CONVLINES || p->x.stride_w == p->weights->shape.job_in;
    // The phases of a deconvolution differ in the length of their runs.
    const bool one_length = whole_rows(p, p->x.stride_w) && p->weights->shape.phases == 1;
    return one_length ? p->weights->shape.run_length % 4 == 0 : taps_aligned(p);
}

static bool must_pack(const quernel_i_problem *p, const quernel_i_plan_kernels *k) {
    if (quernel_i_problem_depthwise(p)) return false;
    const bool by_row = quernel_i_problem_by_row(p) || (p->quant.row_scale && !quernel_i_problem_int8_input(p));
    if (by_row || p->weights->smooth_kind == QUERNEL_SMOOTH_COLUMN) return true;
    return !quernel_i_kernel_conv(k->main) && !whole_rows(p, p->x.c) && !taps_aligned(p);
}

static int choose_path(const quernel_i_problem *p, const quernel_i_plan_kernels *k, const quernel_i_config *config,
                       quernel_i_path *ret, quernel_error *error) {
    const bool pack = must_pack(p, k), in_place = !pack && can_read_in_place(p, k);
    const bool copy = in_place && quernel_i_plan_tiles_copy(p, k->main, p->x.stride_w * p->stride_w);
    *ret = pack ? QUERNEL_I_PATH_PACKED : in_place && !copy ? QUERNEL_I_PATH_INPLACE : QUERNEL_I_PATH_STAGED;
    if (!config->path) return QUERNEL_OK;
    *ret = (quernel_i_path)(config->path - 1);
    const bool legal = *ret == QUERNEL_I_PATH_PACKED   ? !quernel_i_problem_depthwise(p)
                       : *ret == QUERNEL_I_PATH_STAGED ? !pack
                                                       : in_place;
    return legal ? QUERNEL_OK : refuse(error, p, "path");
}

// Bytes from row to row where they are copied.
static ptrdiff_t copied_pixel(const quernel_i_problem *p, const quernel_i_plan_kernels *k, bool packed) {
    const size_t bytes = packed ? (size_t)p->weights->shape.k_groups * 4 : p->x.c;
    // Rows a multiple of 2048 bytes apart would fall into too few sets of L1. Tiles keep many lines of each of 32 rows there, which
    // would overlap if each row began a set behind the one before.
    const bool spread = bytes % 2048 == 0 && (packed || p->kernel_w == 1) && !quernel_i_kernel_conv(k->main);
    const size_t sets = bytes % 4096 == 0 && k->main->isa == QUERNEL_ISA_AMXINT8 ? 5 : 1;
    return (ptrdiff_t)(bytes + (spread ? sets * QUERNEL_I_LINE : 0));
}

static quernel_i_plan_rows rows_of(const quernel_i_problem *p, const quernel_i_plan_kernels *k, quernel_i_path path) {
    const bool packed = path == QUERNEL_I_PATH_PACKED, in_place = path == QUERNEL_I_PATH_INPLACE;
    const bool read_where_they_are = packed && p->x.type == QUERNEL_TYPE_F32 && p->x.layout == QUERNEL_LAYOUT_NHWC &&
                                     p->kernel_h == 1 && p->kernel_w == 1 && taps_inside(p, 0, 0);
    const bool whole = packed || whole_rows(p, in_place ? p->x.stride_w : p->x.c);
    return (quernel_i_plan_rows){.path = path,
                                 .has_strip = !in_place && !read_where_they_are,
                                 .whole = whole,
                                 .n_runs = p->kernel_h * (whole ? 1 : p->kernel_w),
                                 .pixel = in_place ? (ptrdiff_t)p->x.stride_w : copied_pixel(p, k, packed)};
}

// Equal rows give equal results where nothing else differs from pixel to pixel.
static bool can_dedup(const quernel_i_problem *p, const quernel_i_plan_rows *rows) {
    return rows->path != QUERNEL_I_PATH_PACKED && !quernel_i_problem_depthwise(p) && !p->finish.residual &&
           !p->quant.row_scale && !p->weights->shape.merged;
}

static void check_plan(const quernel_i_problem *p, const quernel_i_plan *plan) {
    (void)p, (void)plan; // without assertions
    assert(plan->strip.h >= 1 && plan->strip.h <= p->grid_h && plan->strip.w >= 1 && plan->strip.w <= p->grid_w);
    assert(plan->n_blocks.oc % 16 == 0 && plan->n_blocks.oc <= p->weights->shape.columns16);
    assert(plan->n_blocks.parts >= 1 && plan->n_blocks.parts <= plan->n_blocks.count);
    assert(p->weights->shape.jobs % plan->n_blocks.fused == 0 && plan->chunk >= 1);
    assert(!plan->flat || (plan->n_blocks.parts == 1 && !plan->dedup));
}

int quernel_i_plan_make(const quernel_i_problem *p, const quernel_i_config *config, const quernel_i_machine *machine,
                        quernel_i_plan *ret_plan, quernel_error *error) {
    assert(p->threads >= 1 && p->grid_h >= 1 && p->grid_w >= 1 && machine->isas & 1u << QUERNEL_ISA_REF);
    quernel_i_path path;
    int code = config->kernel ? check_kernel(p, config, machine, error) : QUERNEL_OK;
    if (code) return code;
    const quernel_i_plan_kernels kernels = kernels_of(p, config, machine);
    if ((code = choose_path(p, &kernels, config, &path, error))) return code;
    const quernel_i_plan_rows rows = rows_of(p, &kernels, path);
    if (config->equal && !can_dedup(p, &rows)) return refuse(error, p, "equal");
    const quernel_i_plan_base base = {p, config, machine, &kernels, &rows};
    const quernel_i_plan_strip strip = quernel_i_plan_strip_of(&base);
    const quernel_i_plan_n_blocks n = quernel_i_plan_n_blocks_of(&base, &strip);
    bool flat;
    if ((code = quernel_i_plan_flat_of(&base, &strip, &n, config->equal, &flat, error))) return code;
    quernel_i_plan plan = {
        .kernels = kernels,
        .rows = rows,
        .strip = strip,
        .n_blocks = n,
        .streams = quernel_i_plan_streams_of(&base, &n),
        .dedup = config->equal,
        .flat = flat,
        .chunk = quernel_i_plan_chunk_of(&base, &strip, &n, flat),
        .float_pixels = quernel_i_plan_float_pixels(p),
        .range_tasks = quernel_i_plan_range_tasks(p),
    };
    if ((code = quernel_i_plan_workspace_of(&base, &plan, &plan.workspace, error))) return code;
    check_plan(p, &plan);
    *ret_plan = plan;
    return QUERNEL_OK;
}
