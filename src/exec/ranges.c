// SPDX-License-Identifier: Apache-2.0
// Dynamic quantization over an image: ranges of pieces, merged, then scale and zero point. A
// maximum has no order.
#include "base/num.h"
#include "exec/exec.h"
#include "pack/stage.h"
#include "threads/parallel.h"

typedef quernel_i_piece_range range;

// Ranges of all pieces follow the images' quantization in the shared part of the workspace.
static range *ranges_of(const quernel_i_call *call) {
    const size_t images = call->problem->x.n * sizeof(quernel_i_image_quant);
    return (range *)(call->workspace + quernel_i_round_up(images, QUERNEL_I_LINE));
}

static void range_line(const quernel_i_call *call, uint32_t image, uint32_t line, uint32_t from,
                       uint32_t to, float *floats, range *seen) {
    const quernel_i_problem *p = call->problem;
    const quernel_i_plan *plan = call->plan;
    const quernel_i_params *params = call->params;
    const uint32_t step = plan->float_pixels ? plan->float_pixels : to - from;
    for (uint32_t x = from; x < to; x += step) {
        const uint32_t n = step < to - x ? step : to - x;
        const quernel_i_view view = quernel_i_view_floats(
            &p->x, quernel_i_stage_pixel(&p->x, call->x, image, line, x), n, floats);
        plan->kernels.range->run.range(&(quernel_i_range){view.data, view.pixel, view.channel, n,
                                                          p->x.c, params->range_mult, &seen->min,
                                                          &seen->max});
    }
}

// With a factor per im2col column, y = x·m takes part once for every tap that touches x: the
// lattice of lines and columns of that tap. `line` is a line of the output grid.
static void range_taps(const quernel_i_call *call, uint32_t image, uint32_t line, float *floats,
                       range *seen) {
    const quernel_i_problem *p = call->problem;
    const quernel_i_plan *plan = call->plan;
    const quernel_i_params *params = call->params;
    const quernel_i_weights_shape *s = &p->weights->shape;
    for (uint32_t t = 0; t < s->taps; t++) {
        const uint32_t r = t / s->kernel_w, c = t % s->kernel_w;
        const int64_t y = (int64_t)line * p->stride_h + (int64_t)r * p->dilation_h - p->pad_top;
        if (y < 0 || y >= (int64_t)p->x.h) continue;
        for (uint32_t i = 0; i < p->grid_w; i++) {
            const int64_t x = (int64_t)i * p->stride_w + (int64_t)c * p->dilation_w - p->pad_left;
            if (x < 0 || x >= (int64_t)p->x.w) continue;
            const quernel_i_view view = quernel_i_view_floats(
                &p->x, quernel_i_stage_pixel(&p->x, call->x, image, y, x), 1, floats);
            for (uint32_t g = 0; g < s->subproblems; g++)
                plan->kernels.range->run.range(&(quernel_i_range){
                    view.data + (ptrdiff_t)(g * s->subproblem_in) * view.channel, view.pixel,
                    view.channel, 1, s->subproblem_in,
                    params->mult + ((size_t)g * s->k_quads + (size_t)r * s->run_k_quads) * 4 +
                        (size_t)c * s->subproblem_in,
                    &seen->min, &seen->max});
        }
    }
}

// A piece is a share of an image's lines, or of its pixels where there is but one line.
static void range_task(void *arg, uint32_t index, uint32_t worker) {
    const quernel_i_call *call = arg;
    const quernel_i_problem *p = call->problem;
    const quernel_i_plan *plan = call->plan;
    const uint32_t image = index / plan->range_tasks, piece = index % plan->range_tasks;
    const bool by_tap = p->weights->smooth_kind == QUERNEL_SMOOTH_COLUMN;
    const uint32_t lines = by_tap ? p->grid_h : p->x.h,
                   total = by_tap || lines > 1 ? lines : p->x.w;
    const uint32_t from = (uint32_t)((uint64_t)total * piece / plan->range_tasks);
    const uint32_t to = (uint32_t)((uint64_t)total * (piece + 1) / plan->range_tasks);
    uint8_t *slice =
        call->workspace + plan->workspace.shared + worker * plan->workspace.slice.bytes;
    float *floats = (float *)(slice + plan->workspace.slice.floats);
    range seen = {0.0f, 0.0f};
    if (by_tap)
        for (uint32_t line = from; line < to; line++) range_taps(call, image, line, floats, &seen);
    else if (lines == 1) range_line(call, image, 0, from, to, floats, &seen);
    else
        for (uint32_t line = from; line < to; line++)
            range_line(call, image, line, 0, p->x.w, floats, &seen);
    ranges_of(call)[index] = seen;
}

static quernel_i_image_quant image_of(const quernel_i_problem *p, const quernel_i_plan *plan,
                                      const range *pieces) {
    range all = {0.0f, 0.0f};
    for (uint32_t i = 0; i < plan->range_tasks; i++) {
        if (pieces[i].min < all.min) all.min = pieces[i].min;
        if (pieces[i].max > all.max) all.max = pieces[i].max;
    }
    const quernel_i_scale q =
        quernel_i_scale_of(all.min, all.max, p->quant.type == QUERNEL_TYPE_S8, p->quant.asymmetric);
    return (quernel_i_image_quant){q.d, 1.0f / q.d, q.z};
}

static void images_task(void *arg, uint32_t index, uint32_t worker) {
    (void)index, (void)worker;
    const quernel_i_call *call = arg;
    for (uint32_t i = 0; i < call->problem->x.n; i++)
        quernel_i_call_image_quants(call)[i] = image_of(
            call->problem, call->plan, ranges_of(call) + (size_t)i * call->plan->range_tasks);
}

void quernel_i_ranges_find(const quernel_i_call *call, const quernel_parallel *parallel) {
    quernel_i_parallel(parallel, call->problem->x.n * call->plan->range_tasks, range_task,
                       (void *)call);
    quernel_i_parallel(NULL, 1, images_task, (void *)call);
}
