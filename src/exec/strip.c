// SPDX-License-Identifier: Apache-2.0
// Strips and chunks: the rows that a task multiplies.
#include <string.h>

#include "base/num.h"
#include "exec/drive.h"
#include "pack/stage.h"

// Input line and column of tap (0, 0) of an output pixel; negative in the padding.
static int64_t input_line(const quernel_i_layer *l, uint32_t line) { return (int64_t)line * l->stride_h - l->pad_top; }
static int64_t input_column(const quernel_i_layer *l, uint32_t x) { return (int64_t)x * l->stride_w - l->pad_left; }

static int64_t clamp_to(int64_t value, int64_t lo, int64_t hi) { return value < lo ? lo : value > hi ? hi : value; }

static bool float_input(const quernel_i_layer *l) {
    return l->x.type == QUERNEL_TYPE_F32 || l->x.type == QUERNEL_TYPE_BF16;
}

// A packed path whose float rows can be read where they are needs no strip: a 1x1 product over f32 NHWC.
static bool reads_x(const quernel_i_layer *l) { return l->strip_lines == 0; }

static bool float_strip(const quernel_i_layer *l) { return l->path == QUERNEL_I_PATH_PACKED && float_input(l); }

static size_t strip_element(const quernel_i_layer *l) { return float_strip(l) ? sizeof(float) : 1; }

// Bytes from pixel to pixel of the strip: the rows that the kernel reads, or what im2col rows are gathered from.
static size_t strip_pixel(const quernel_i_layer *l) {
    return l->path == QUERNEL_I_PATH_PACKED ? l->x.c * strip_element(l) : (size_t)l->a_pixel;
}

// One stretch of real pixels of a line, in pieces that fit the bf16 buffer.
static void stage_pixels(const quernel_i_task *t, int64_t line, int64_t column, uint32_t pixels, uint8_t *to) {
    const quernel_i_layer *l = t->call->layer;
    const float z = (float)t->found.z;
    const quernel_i_quantizer q = {l->mult, t->found.g, l->lo - z, l->hi - z, t->found.z + l->encode};
    const uint32_t step = l->floats ? l->floats : pixels;
    for (uint32_t i = 0; i < pixels; i += step) {
        const void *piece = quernel_i_pixel(&l->x, t->call->x, t->image, line, column + i);
        const uint32_t n = step < pixels - i ? step : pixels - i;
        uint8_t *at = to + i * strip_pixel(l);
        if (float_strip(l)) quernel_i_stage_strip(&l->x, piece, n, (float *)at);
        else if (float_input(l))
            quernel_i_stage_floats(l->rows, &l->x, piece, n, &q, (float *)(t->slice + l->slice.floats), at,
                                   (ptrdiff_t)strip_pixel(l));
        else quernel_i_stage_bytes(&l->x, piece, n, l->encode ? 0x80 : 0, at, (ptrdiff_t)strip_pixel(l));
    }
}

static void stage_line(const quernel_i_task *t, int64_t line, int64_t column, uint32_t pixels, uint8_t *to) {
    const quernel_i_layer *l = t->call->layer;
    const size_t pixel = strip_pixel(l);
    const int fill = float_strip(l) ? 0 : t->zero_byte;
    if (line < 0 || line >= (int64_t)l->x.h) {
        memset(to, fill, pixels * pixel);
        return;
    }
    const int64_t first = clamp_to(column, 0, l->x.w), last = clamp_to(column + pixels, first, l->x.w);
    const size_t before = (size_t)clamp_to(first - column, 0, pixels), real = (size_t)(last - first);
    memset(to, fill, before * pixel);
    if (real) stage_pixels(t, line, first, (uint32_t)real, to + before * pixel);
    memset(to + (before + real) * pixel, fill, (pixels - before - real) * pixel);
}

static size_t strip_line(const quernel_i_layer *l) { return l->strip_pixels * strip_pixel(l); }

void quernel_i_strip_stage(const quernel_i_task *t) {
    const quernel_i_layer *l = t->call->layer;
    if (l->path == QUERNEL_I_PATH_INPLACE || reads_x(l)) return;
    const uint32_t lines = (t->y1 - t->y0 - 1) * l->stride_h + (l->kernel_h - 1) * l->dilation_h + 1;
    const uint32_t pixels = (t->x1 - t->x0 - 1) * l->stride_w + (l->kernel_w - 1) * l->dilation_w + 1;
    for (uint32_t i = 0; i < lines; i++)
        stage_line(t, input_line(l, t->y0) + i, input_column(l, t->x0), pixels,
                   t->slice + l->slice.strip + i * strip_line(l));
}

const uint8_t *quernel_i_strip_row(const quernel_i_task *t, uint32_t line, uint32_t column, uint32_t bundle) {
    const quernel_i_layer *l = t->call->layer;
    const size_t channel = (size_t)bundle * l->weights->shape.job_in;
    if (l->path == QUERNEL_I_PATH_INPLACE)
        return (const uint8_t *)quernel_i_pixel(&l->x, t->call->x, t->image, input_line(l, line),
                                                input_column(l, column)) + channel;
    return t->slice + l->slice.strip + (size_t)(line - t->y0) * l->stride_h * (size_t)l->a_line +
           (size_t)(column - t->x0) * l->stride_w * (size_t)l->a_pixel + channel;
}

// A contiguous stretch of one im2col row: a kernel row where the taps lie side by side, else one tap.
typedef struct stretch {
    const uint8_t *from; // of the chunk's first pixel
    size_t at, count;    // first k and number of k
} stretch;

// The source that im2col rows of a chunk are gathered from.
typedef struct source {
    const uint8_t *base;     // tap (0, 0) of the chunk's first pixel
    ptrdiff_t line, pixel;   // bytes
    size_t element;
    uint32_t rows, per_row;  // stretches: kernel rows, and stretches of each
    uint32_t length;         // k of a stretch
} source;

static source chunk_source(const quernel_i_task *t, uint32_t line, uint32_t column, uint32_t bundle) {
    const quernel_i_layer *l = t->call->layer;
    const quernel_i_weights_shape *s = &l->weights->shape;
    source from = {.element = strip_element(l), .rows = l->kernel_h};
    const size_t channel = (size_t)bundle * s->job_in * from.element;
    if (reads_x(l)) {
        from.base = (const uint8_t *)quernel_i_pixel(&l->x, t->call->x, t->image, input_line(l, line),
                                                     input_column(l, column)) + channel;
        from.line = l->x.stride_h * (ptrdiff_t)from.element, from.pixel = l->x.stride_w * (ptrdiff_t)from.element;
    } else {
        from.line = (ptrdiff_t)strip_line(l), from.pixel = (ptrdiff_t)strip_pixel(l);
        from.base = t->slice + l->slice.strip + (ptrdiff_t)(line - t->y0) * l->stride_h * from.line +
                    (ptrdiff_t)(column - t->x0) * l->stride_w * from.pixel + channel;
    }
    const bool whole = s->job_in == l->x.c && l->dilation_w == 1 && from.pixel == (ptrdiff_t)(l->x.c * from.element);
    from.per_row = whole ? 1 : l->kernel_w;
    from.length = whole ? s->run_length : s->job_in;
    return from;
}

static stretch stretch_at(const quernel_i_layer *l, const source *from, uint32_t row, uint32_t tap) {
    return (stretch){from->base + (ptrdiff_t)row * l->dilation_h * from->line +
                         (ptrdiff_t)tap * l->dilation_w * from->pixel,
                     (size_t)row * l->weights->shape.run_groups * 4 + (size_t)tap * from->length, from->length};
}

static void gather_bytes(const quernel_i_task *t, const source *from, uint32_t pixels, uint8_t *to) {
    const quernel_i_layer *l = t->call->layer;
    for (uint32_t r = 0; r < from->rows; r++)
        for (uint32_t c = 0; c < from->per_row; c++) {
            const stretch s = stretch_at(l, from, r, c);
            for (uint32_t p = 0; p < pixels; p++)
                memcpy(to + p * l->a_pixel + s.at, s.from + (ptrdiff_t)p * l->stride_w * from->pixel, s.count);
        }
}

static void gather_floats(const quernel_i_task *t, const source *from, uint32_t first, uint32_t pixels,
                          const float *mult, const quernel_i_image *q, uint8_t *to) {
    const quernel_i_layer *l = t->call->layer;
    const ptrdiff_t step = (ptrdiff_t)l->stride_w * from->pixel;
    const float z = (float)q->z;
    const float lo = l->lo - z, hi = l->hi - z;
    for (uint32_t r = 0; r < from->rows; r++)
        for (uint32_t c = 0; c < from->per_row; c++) {
            const stretch s = stretch_at(l, from, r, c);
            l->gather->run.rows(&(quernel_i_rows){(const float *)(s.from + first * step), step / (ptrdiff_t)sizeof(float),
                                                  1, pixels, (uint32_t)s.count, to + first * l->a_pixel + s.at,
                                                  l->a_pixel, mult + s.at, q->g, lo, hi, q->z + l->encode});
        }
}

static quernel_i_image row_range(const quernel_i_task *t, const source *from, uint32_t pixel, const float *mult) {
    const quernel_i_layer *l = t->call->layer;
    float least = 0.0f, greatest = 0.0f;
    for (uint32_t r = 0; r < from->rows; r++)
        for (uint32_t c = 0; c < from->per_row; c++) {
            const stretch s = stretch_at(l, from, r, c);
            const uint8_t *at = s.from + (ptrdiff_t)pixel * l->stride_w * from->pixel;
            l->range->run.range(&(quernel_i_range){(const float *)at, (ptrdiff_t)s.count, 1, 1, (uint32_t)s.count,
                                                   mult + s.at, &least, &greatest});
        }
    const quernel_i_scale q =
        quernel_i_scale_of(least, greatest, l->quant.type == QUERNEL_TYPE_S8, l->quant.asymmetric);
    return (quernel_i_image){q.d, 1.0f / q.d, q.z};
}

void quernel_i_chunk_pack(const quernel_i_task *t, uint32_t line, uint32_t column, uint32_t pixels, uint32_t bundle) {
    const quernel_i_layer *l = t->call->layer;
    const source from = chunk_source(t, line, column, bundle);
    uint8_t *to = t->slice + l->slice.packed;
    if (!float_input(l)) {
        gather_bytes(t, &from, pixels, to);
        return;
    }
    const float *mult = l->mult + (size_t)bundle * l->weights->shape.k_groups * 4;
    if (!quernel_i_layer_by_row(l) && !l->row_scales) {
        gather_floats(t, &from, 0, pixels, mult, &t->found, to);
        return;
    }
    float *scale = (float *)(t->slice + l->slice.row_scale);
    int32_t *term = (int32_t *)(t->slice + l->slice.row_term);
    for (uint32_t p = 0; p < pixels; p++) {
        quernel_i_image q;
        if (l->row_scales) q = (quernel_i_image){l->row_scales[column + p], 1.0f / l->row_scales[column + p], l->quant.zero};
        else q = row_range(t, &from, p, mult);
        scale[p] = q.d;
        term[p] = -(q.z + l->encode);
        gather_floats(t, &from, p, 1, mult, &q, to);
    }
}

void quernel_i_chunk_sum(const quernel_i_task *t, const quernel_i_gemm *g, uint32_t run_bytes) {
    const quernel_i_layer *l = t->call->layer;
    int32_t *sum = (int32_t *)(t->slice + l->slice.row_sum);
    const bool is_signed = l->gemm->a_type == QUERNEL_TYPE_S8;
    for (uint32_t p = 0; p < g->rows; p++) {
        int32_t total = 0;
        for (uint32_t r = 0; r < g->n_runs; r++) {
            const uint8_t *k = (const uint8_t *)g->a + p * g->a_row + g->runs[r].offset;
            for (uint32_t i = 0; i < run_bytes; i++) total += is_signed ? (int8_t)k[i] : k[i];
        }
        sum[p] = total;
    }
}
