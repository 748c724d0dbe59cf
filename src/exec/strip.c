// SPDX-License-Identifier: Apache-2.0
// Strips: the input lines that a task's output pixels read, quantized or copied.
#include <string.h>

#include "exec/strip.h"

static int64_t clamp_to(int64_t value, int64_t lo, int64_t hi) {
    return value < lo ? lo : value > hi ? hi : value;
}

// One stretch of real pixels of a line, in pieces that fit the bf16 buffer.
static void stage_pixels(const quernel_i_task *t, int64_t line, int64_t ix, uint32_t pixels,
                         uint8_t *to) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const quernel_i_params *params = t->call->params;
    const float z = (float)t->image_quant.z;
    const quernel_i_quantizer q = {params->mult,
                                   t->image_quant.g,
                                   params->lo - z,
                                   params->hi - z,
                                   t->image_quant.z + plan->kernels.a_offset,
                                   plan->streams.near};
    const uint32_t step = plan->float_pixels ? plan->float_pixels : pixels;
    for (uint32_t i = 0; i < pixels; i += step) {
        const void *piece = quernel_i_stage_pixel(&p->x, t->call->x, t->image, line, ix + i);
        const uint32_t n = step < pixels - i ? step : pixels - i;
        uint8_t *at = to + i * quernel_i_strip_pixel(p, plan);
        if (quernel_i_strip_float(p, plan))
            quernel_i_stage_strip(&plan->kernels.turn, &p->x, piece, n, (float *)at);
        else if (quernel_i_problem_float_input(p))
            quernel_i_stage_floats(plan->kernels.quantize, &p->x, piece, n, &q,
                                   (float *)(t->slice + plan->workspace.slice.floats), at,
                                   (ptrdiff_t)quernel_i_strip_pixel(p, plan));
        else
            quernel_i_stage_bytes(&plan->kernels.turn, &p->x, piece, n,
                                  plan->kernels.a_offset ? 0x80 : 0, at,
                                  (ptrdiff_t)quernel_i_strip_pixel(p, plan));
    }
}

static void stage_line(const quernel_i_task *t, int64_t line, int64_t ix, uint32_t pixels,
                       uint8_t *to) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const size_t pixel = quernel_i_strip_pixel(p, plan);
    const int fill = quernel_i_strip_float(p, plan) ? 0 : t->zero_byte;
    if (line < 0 || line >= (int64_t)p->x.h) {
        memset(to, fill, pixels * pixel);
        return;
    }
    const int64_t first = clamp_to(ix, 0, p->x.w), last = clamp_to(ix + pixels, first, p->x.w);
    const size_t before = (size_t)clamp_to(first - ix, 0, pixels), real = (size_t)(last - first);
    memset(to, fill, before * pixel);
    if (real) stage_pixels(t, line, first, (uint32_t)real, to + before * pixel);
    memset(to + (before + real) * pixel, fill, (pixels - before - real) * pixel);
}

// Whether lines of the tensor lie one behind another, as those of the strip do, and all of them are
// there.
static bool is_one_stretch(const quernel_i_task *t, int64_t line, uint32_t lines, int64_t ix,
                           uint32_t pixels) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    return ix == 0 && pixels == p->x.w && p->x.stride_h == (int64_t)p->x.w * p->x.stride_w &&
           quernel_i_strip_line(p, plan) == pixels * quernel_i_strip_pixel(p, plan) && line >= 0 &&
           line + lines <= (int64_t)p->x.h;
}

void quernel_i_strip_stage(const quernel_i_task *t) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    if (!plan->rows.has_strip) return;
    const uint32_t lines = quernel_i_problem_lines(p, t->y1 - t->y0),
                   pixels = quernel_i_problem_pixels(p, t->x1 - t->x0);
    const int64_t line = quernel_i_strip_input_line(p, t->y0),
                  ix = quernel_i_strip_input_x(p, t->x0);
    uint8_t *strip = t->slice + plan->workspace.slice.strip;
    if (is_one_stretch(t, line, lines, ix, pixels)) {
        stage_pixels(t, line, ix, lines * pixels, strip);
        return;
    }
    for (uint32_t i = 0; i < lines; i++)
        stage_line(t, line + i, ix, pixels, strip + i * quernel_i_strip_line(p, plan));
}

const uint8_t *quernel_i_strip_row(const quernel_i_task *t, uint32_t line, uint32_t ox,
                                   uint32_t group_pack) {
    const quernel_i_problem *p = t->call->problem;
    const quernel_i_plan *plan = t->call->plan;
    const size_t channel = (size_t)group_pack * p->weights->shape.subproblem_in;
    if (plan->rows.path == QUERNEL_I_PATH_INPLACE)
        return (const uint8_t *)quernel_i_stage_pixel(&p->x, t->call->x, t->image,
                                                      quernel_i_strip_input_line(p, line),
                                                      quernel_i_strip_input_x(p, ox)) +
               channel;
    return t->slice + plan->workspace.slice.strip +
           (size_t)(line - t->y0) * p->stride_h * (size_t)plan->strip.line +
           (size_t)(ox - t->x0) * p->stride_w * (size_t)plan->rows.pixel + channel;
}
