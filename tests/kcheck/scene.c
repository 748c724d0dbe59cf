// SPDX-License-Identifier: Apache-2.0
// A product as its formula and as a kernel's call.
#define _GNU_SOURCE
#include "scene.h"

#include <stdlib.h>
#include <string.h>

enum { LINE = 64, LANES = 16 }; // a cache line; the oc of a sub-panel

static void *take(size_t bytes) {
    const size_t whole = (bytes + LINE) / LINE * LINE;
    void *memory = aligned_alloc(LINE, whole);
    if (!memory) abort();
    return memset(memory, 0, whole);
}

static bool is_depthwise(const scene *s) { return s->kernel->call == QUERNEL_I_CALL_DEPTHWISE; }

static uint32_t panels(const scene *s) { return (s->shape.oc + LANES - 1) / LANES; }

// Taps that lie side by side in a and in the weights: those of a kernel line, of a k run.
static uint32_t line_taps(const scene *s) {
    return is_depthwise(s) ? 1 : s->shape.window.kernel_w * s->shape.window.channels;
}

static uint32_t quads(const scene *s) { return s->taps / line_taps(s) * ((line_taps(s) + 3) / 4); }

// The byte that tap (i, j, c) of output (y, x) reads.
static uint32_t byte_at(const scene *s, uint32_t y, uint32_t x, uint32_t i, uint32_t j,
                        uint32_t c) {
    const quernel_i_window *w = &s->shape.window;
    const int64_t pixel = is_depthwise(s) ? s->shape.oc : w->channels,
                  lines = (int64_t)(s->a_bytes / s->a_width),
                  line = (int64_t)y * w->stride_h + i - s->shape.pad,
                  at = ((int64_t)x * w->stride_w + j - s->shape.pad) * pixel;
    if (line < 0 || line >= lines || at < 0 || at >= s->a_width) return UINT32_MAX;
    return (uint32_t)(line * s->a_width + at + c);
}

static void place_taps(scene *s) {
    const quernel_i_window *w = &s->shape.window;
    const uint32_t channels = is_depthwise(s) ? 1 : w->channels;
    uint32_t *at = s->at;
    for (uint32_t y = 0; y < s->shape.lines; y++)
        for (uint32_t x = 0; x < s->shape.pixels; x++)
            for (uint32_t i = 0; i < w->kernel_h; i++)
                for (uint32_t j = 0; j < w->kernel_w; j++)
                    for (uint32_t c = 0; c < channels; c++) *at++ = byte_at(s, y, x, i, j, c);
}

// Rows of a GEMM lie apart; its last k run comes first in them.
static void place_runs(scene *s) {
    const quernel_i_window *w = &s->shape.window;
    for (uint32_t m = 0; m < s->shape.pixels; m++)
        for (uint32_t i = 0; i < w->kernel_h; i++)
            for (uint32_t c = 0; c < w->channels; c++)
                s->at[(m * w->kernel_h + i) * w->channels + c] =
                    m * s->a_width + (w->kernel_h - 1 - i) * w->channels + c;
    for (uint32_t i = 0; i < w->kernel_h; i++)
        s->k_runs[i] =
            (quernel_i_k_run){(ptrdiff_t)(w->kernel_h - 1 - i) * w->channels, w->channels / 4};
}

static void measure(scene *s) {
    const shape *f = &s->shape;
    const quernel_i_window *w = &f->window;
    const uint32_t pixel = is_depthwise(s) ? f->oc : w->channels;
    s->outputs = f->lines * f->pixels;
    s->taps = w->kernel_h * w->kernel_w * (is_depthwise(s) ? 1 : w->channels);
    if (s->kernel->call == QUERNEL_I_CALL_GEMM) {
        s->a_width = s->taps;
        s->a_bytes = (size_t)f->pixels * s->taps;
        return;
    }
    s->a_width = ((f->pixels - 1) * w->stride_w + w->kernel_w - 2 * f->pad) * pixel;
    s->a_bytes = (size_t)((f->lines - 1) * w->stride_h + w->kernel_h - 2 * f->pad) * s->a_width;
}

static void make_call(scene *s) {
    const shape *f = &s->shape;
    const quernel_i_window *w = &f->window;
    const ptrdiff_t line = s->a_width, pixel = is_depthwise(s) ? f->oc : w->channels,
                    y_line = (ptrdiff_t)f->pixels * s->epilogue.y_row;
    s->gemm = (quernel_i_gemm){.a = s->a,
                               .a_row = line,
                               .rows = f->pixels,
                               .oc = f->oc,
                               .k_runs = s->k_runs,
                               .n_k_runs = w->kernel_h,
                               .k_quads = quads(s),
                               .b = s->prepared,
                               .b_panel = s->prepared_panel,
                               .init = s->init,
                               .epilogue = &s->epilogue,
                               .scratch = s->scratch};
    s->conv = (quernel_i_conv){.a = s->a,
                               .a_line = line,
                               .a_pixel = pixel,
                               .window = *w,
                               .lines = f->lines,
                               .pixels = f->pixels,
                               .oc = f->oc,
                               .ic_split = f->ic_split,
                               .b = s->prepared,
                               .b_panel = s->prepared_panel,
                               .init = s->init,
                               .epilogue = &s->epilogue,
                               .y_line = y_line,
                               .scratch = s->scratch};
    s->depthwise = (quernel_i_depthwise){.a = s->a,
                                         .a_line = line * w->stride_h,
                                         .a_row = pixel * w->stride_w,
                                         .tap_line = line,
                                         .tap_pixel = pixel,
                                         .top = (ptrdiff_t)f->pad * line,
                                         .left = (ptrdiff_t)f->pad * pixel,
                                         .height = (ptrdiff_t)s->a_bytes,
                                         .width = line,
                                         .outside = s->outside,
                                         .kernel_h = w->kernel_h,
                                         .kernel_w = w->kernel_w,
                                         .lines = f->lines,
                                         .rows = f->pixels,
                                         .oc = f->oc,
                                         .w = s->packed,
                                         .w_tap = (size_t)panels(s) * LANES,
                                         .init = s->init,
                                         .epilogue = &s->epilogue,
                                         .y_line = y_line,
                                         .scratch = s->scratch};
}

static void take_weights(scene *s) {
    const quernel_i_kernel *k = s->kernel;
    s->w = take((size_t)s->shape.oc * s->taps);
    s->panel = is_depthwise(s) ? (size_t)s->taps * LANES : (size_t)quads(s) * LINE;
    s->packed = take(panels(s) * s->panel);
    s->prepared = s->packed, s->prepared_panel = s->panel;
    if (!k->b_prepare.any) return;
    s->prepared_panel = quernel_i_panel_bytes(k, quads(s));
    s->prepared = take(panels(s) * s->prepared_panel);
    for (uint32_t n = 0; n < s->shape.oc; n += LANES) scene_prepare(s, n);
}

void scene_make(scene *s, const quernel_i_kernel *kernel, const shape *sizes) {
    *s = (scene){.kernel = kernel, .shape = *sizes};
    measure(s);
    const uint32_t oc = sizes->oc;
    s->a = take(s->a_bytes);
    s->at = take((size_t)s->outputs * s->taps * sizeof *s->at);
    s->init = take((size_t)panels(s) * LANES * sizeof *s->init);
    s->y = take((size_t)s->outputs * oc * sizeof *s->y);
    if (kernel->scratch) s->scratch = take(kernel->scratch(is_depthwise(s) ? oc : quads(s)));
    s->epilogue = (quernel_i_epilogue){.y = s->y,
                                       .y_row = (ptrdiff_t)(oc * sizeof *s->y),
                                       .y_col = sizeof *s->y,
                                       .out = QUERNEL_TYPE_S32};
    take_weights(s);
    if (kernel->call == QUERNEL_I_CALL_GEMM) place_runs(s);
    else place_taps(s);
    make_call(s);
}

void scene_free(scene *s) {
    if (s->prepared != s->packed) free(s->prepared);
    free(s->a), free(s->at), free(s->init), free(s->y), free(s->w), free(s->packed);
    free(s->scratch);
}

bool scene_has(const scene *s, uint32_t n, uint32_t tap) {
    const quernel_i_window *w = &s->shape.window;
    if (w->groups < 2) return true;
    return tap % w->channels / (w->channels / w->groups) == n / w->group_oc;
}

void scene_put(scene *s, uint32_t n, uint32_t tap, int8_t w) {
    s->w[(size_t)n * s->taps + tap] = w;
    if (is_depthwise(s)) {
        s->packed[(size_t)tap * panels(s) * LANES + n] = w;
        return;
    }
    // a kernel line is padded to a multiple of 4
    const uint32_t in_line = tap % line_taps(s),
                   quad = tap / line_taps(s) * ((line_taps(s) + 3) / 4) + in_line / 4;
    s->packed[n / LANES * s->panel + (size_t)quad * LINE + n % LANES * 4 + in_line % 4] = w;
}

void scene_prepare(scene *s, uint32_t n) {
    const quernel_i_kernel *k = s->kernel;
    if (!k->b_prepare.any) return;
    const int8_t *from = s->packed + n / LANES * s->panel;
    void *to = (uint8_t *)s->prepared + n / LANES * s->prepared_panel;
    if (k->call == QUERNEL_I_CALL_CONV) k->b_prepare.conv(from, &s->shape.window, to);
    else k->b_prepare.gemm(from, quads(s), to);
}

static void run(const scene *s) {
    memset(s->y, 0xa5, (size_t)s->outputs * s->shape.oc * sizeof *s->y);
    if (s->kernel->call == QUERNEL_I_CALL_GEMM) s->kernel->run.gemm(&s->gemm);
    else if (s->kernel->call == QUERNEL_I_CALL_CONV) s->kernel->run.conv(&s->conv);
    else s->kernel->run.depthwise(&s->depthwise);
}

// What tap t of output m reads; of a depthwise one, for the first of the channels that follow.
static const uint8_t *source(const scene *s, uint32_t m, uint32_t t) {
    const uint32_t at = s->at[(size_t)m * s->taps + t];
    return at == UINT32_MAX ? &s->outside : s->a + at;
}

static void add_tap(const scene *s, uint32_t m, uint32_t t, uint32_t *sums) {
    const uint8_t *a = source(s, m, t);
    const uint32_t step = is_depthwise(s) && a != &s->outside;
    const bool is_signed = s->kernel->a_type == QUERNEL_TYPE_S8;
    for (uint32_t n = 0; n < s->shape.oc; n++) {
        const int32_t code = is_signed ? (int8_t)a[n * step] : a[n * step];
        sums[n] += (uint32_t)(code * s->w[(size_t)n * s->taps + t]);
    }
}

bool scene_right(scene *s, uint32_t from, uint32_t to) {
    enum { MOST_OC = 256 };
    uint32_t sums[MOST_OC];
    s->depthwise.outside = s->outside;
    run(s);
    for (uint32_t m = 0; m < s->outputs; m++) {
        const size_t bytes = s->shape.oc * sizeof *sums;
        memcpy(sums, s->init, bytes);
        for (uint32_t t = from; t < to; t++) add_tap(s, m, t, sums);
        if (memcmp(sums, s->y + (size_t)m * s->shape.oc, bytes)) return false;
    }
    return true;
}
