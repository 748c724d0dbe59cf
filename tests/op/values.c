// SPDX-License-Identifier: Apache-2.0
// Random values, their memory, and the law of one element.
#include "values.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "environment.h"
#include "memory.h"
#include "oracle.h"
#include "spread.h"

enum { POISON = 0xa5, SLOTS = 5 };

static bool is_int8(int32_t type) { return type == QUERNEL_TYPE_S8 || type == QUERNEL_TYPE_U8; }

int32_t values_draw_type(rng *r) {
    static const int32_t types[] = {QUERNEL_TYPE_F32, QUERNEL_TYPE_BF16, QUERNEL_TYPE_S8,
                                    QUERNEL_TYPE_U8,  QUERNEL_TYPE_U8,   QUERNEL_TYPE_S8};
    return types[rng_next(r) % 6];
}

quernel_tensor values_draw_tensor(rng *r, int32_t type, const uint32_t s[4], bool border) {
    quernel_tensor t = {.type = type, .n = s[0], .c = s[1], .h = s[2], .w = s[3]};
    t.layout = rng_one_in(r, 3) ? QUERNEL_LAYOUT_NCHW : QUERNEL_LAYOUT_NHWC;
    const bool nhwc = t.layout == QUERNEL_LAYOUT_NHWC;
    if (border && nhwc && is_int8(type) && rng_one_in(r, 2))
        t.border_h = (uint32_t)rng_int(r, 0, 2), t.border_w = (uint32_t)rng_int(r, 0, 2);
    const bool gaps = rng_one_in(r, 2);
    int64_t *const strides[2][4] = {{&t.stride_c, &t.stride_w, &t.stride_h, &t.stride_n},
                                    {&t.stride_w, &t.stride_h, &t.stride_c, &t.stride_n}};
    const uint32_t h = t.h + 2 * t.border_h, w = t.w + 2 * t.border_w;
    const uint32_t sizes[2][3] = {{t.c, w, h}, {w, h, t.c}};
    int64_t dense = 1;
    for (int i = 0; i < 4; i++) {
        *strides[!nhwc][i] = dense;
        if (i < 3)
            dense = dense * sizes[!nhwc][i] + (gaps && rng_one_in(r, 2) ? rng_int(r, 1, 9) : 0);
    }
    return t;
}

void values_draw_operand(rng *r, quernel_operand *o, float *scales) {
    const int32_t type = o->tensor.type;
    o->scale = rng_one_in(r, 6) ? rng_scale(r, -60, 60) : rng_float(r, 0.01f, 0.2f);
    o->zero = type == QUERNEL_TYPE_U8   ? rng_int(r, 0, 255)
              : type == QUERNEL_TYPE_S8 ? rng_int(r, -128, 127)
                                        : 0;
    if (!is_int8(type) || !rng_one_in(r, 3)) return;
    for (uint32_t c = 0; c < o->tensor.c; c++) scales[c] = rng_float(r, 0.01f, 0.2f);
    o->scales = scales;
}

void values_draw_epilogue(rng *r, quernel_epilogue *f, uint32_t channels, values_arrays *a) {
    const int activations = rng_one_in(r, 2) ? QUERNEL_ACTIVATION_PRELU : QUERNEL_ACTIVATION_TANH;
    *f = (quernel_epilogue)QUERNEL_EPILOGUE_INIT;
    f->y_type = values_draw_type(r);
    f->activation = rng_one_in(r, 3) ? QUERNEL_ACTIVATION_NONE : rng_int(r, 0, activations);
    f->lo = rng_float(r, -5.0f, 0.0f), f->hi = rng_one_in(r, 4) ? INFINITY : rng_float(r, 0, 9);
    f->slope = rng_float(r, -1.5f, 1.5f), f->slopes = a->slopes;
    f->y_scale = rng_one_in(r, 6) ? rng_scale(r, -60, 60) : rng_float(r, 0.01f, 0.2f);
    f->y_narrow = f->y_type == QUERNEL_TYPE_S8 && rng_one_in(r, 3);
    f->y_zero = f->y_type == QUERNEL_TYPE_U8   ? rng_int(r, 0, 255)
                : f->y_type == QUERNEL_TYPE_S8 ? rng_int(r, -127, 127)
                                               : 0;
    if (rng_one_in(r, 3)) f->y_smooth = a->smooth;
    for (uint32_t c = 0; c < channels; c++)
        a->slopes[c] = rng_float(r, -1.5f, 1.5f), a->smooth[c] = rng_float(r, 0.25f, 4.0f);
}

int64_t values_at(const quernel_tensor *t, int64_t n, int64_t c, int64_t h, int64_t w) {
    const int64_t element = (t->n > 1 ? n * t->stride_n : 0) + (t->c > 1 ? c * t->stride_c : 0) +
                            (t->h > 1 ? h * t->stride_h : 0) + (t->w > 1 ? w * t->stride_w : 0);
    return element * (int64_t)quernel_type_size((quernel_type)t->type);
}

bool values_take(values_buffer *b, rng *r, const quernel_tensor *t, int slot) {
    static guarded memory[SLOTS];
    *b = (values_buffer){.t = *t};
    const int64_t size = (int64_t)quernel_type_size((quernel_type)t->type);
    const int64_t before = (t->border_h * t->stride_h + t->border_w * t->stride_w) * size;
    const int64_t behind = ((t->n - 1) * t->stride_n + (t->c - 1) * t->stride_c +
                            (t->h - 1 + (int64_t)t->border_h) * t->stride_h +
                            (t->w - 1 + (int64_t)t->border_w) * t->stride_w + 1) *
                           size;
    uint8_t *at = guarded_take(&memory[slot], (size_t)(before + behind), (size_t)size,
                               (guarded_place)rng_int(r, GUARDED_END, GUARDED_MIDDLE), POISON,
                               &b->window, &b->window_bytes);
    b->expected = at ? malloc(b->window_bytes) : NULL;
    if (!b->expected) return false;
    b->first = at + before;
    values_keep(b);
    return true;
}

void values_keep(values_buffer *b) { memcpy(b->expected, b->window, b->window_bytes); }
void values_free(values_buffer *b) { free(b->expected); }

static float draw_float(rng *r) {
    static const float odd[] = {NAN, INFINITY, -INFINITY, 0.0f, -0.0f, 1e-40f, -1e-40f, 3e38f};
    return rng_one_in(r, 20)  ? odd[rng_next(r) % 8]
           : rng_one_in(r, 6) ? ((float)rng_int(r, -200, 200) + 0.5f) * 0.0625f
                              : rng_float(r, -9.0f, 9.0f);
}

void values_fill(values_buffer *b, rng *r) {
    const quernel_tensor *t = &b->t;
    for (uint32_t n = 0; n < t->n; n++)
        for (uint32_t c = 0; c < t->c; c++)
            for (uint32_t h = 0; h < t->h; h++)
                for (uint32_t w = 0; w < t->w; w++) {
                    uint8_t *at = b->first + values_at(t, n, c, h, w);
                    const float f = draw_float(r);
                    uint32_t bits;
                    memcpy(&bits, &f, sizeof bits);
                    const uint16_t half = (uint16_t)(bits >> 16);
                    if (t->type == QUERNEL_TYPE_F32) memcpy(at, &f, sizeof f);
                    else if (t->type == QUERNEL_TYPE_BF16) memcpy(at, &half, sizeof half);
                    else *at = (uint8_t)rng_next(r);
                }
}

float values_read(const quernel_operand *o, const quernel_tensor *t, const uint8_t *data, int64_t n,
                  int64_t c, int64_t h, int64_t w) {
    const uint8_t *at = data + values_at(t, n, c, h, w);
    if (is_int8(t->type)) {
        const int32_t q = t->type == QUERNEL_TYPE_U8 ? *at : (int8_t)*at;
        return (float)(q - o->zero) * (o->scales ? o->scales[t->c > 1 ? c : 0] : o->scale);
    }
    uint32_t bits = 0;
    memcpy(&bits, at, quernel_type_size((quernel_type)t->type));
    if (t->type == QUERNEL_TYPE_BF16) bits <<= 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float activate(const quernel_epilogue *f, uint32_t c, float t) {
    switch (f->activation) {
    case QUERNEL_ACTIVATION_NONE: return t;
    case QUERNEL_ACTIVATION_RELU: return t > 0.0f ? t : 0.0f;
    case QUERNEL_ACTIVATION_CLAMP: return !(t > f->lo) ? f->lo : t < f->hi ? t : f->hi;
    case QUERNEL_ACTIVATION_LEAKY: return t >= 0.0f ? t : t * f->slope;
    case QUERNEL_ACTIVATION_PRELU: return t >= 0.0f ? t : t * f->slopes[c];
    default: return oracle_function(f->activation, t);
    }
}

static uint16_t to_bf16(float t) {
    uint32_t u;
    memcpy(&u, &t, sizeof u);
    const uint32_t low = u & 0xffff, high = u >> 16;
    if (isnan(t)) return 0x7fc0;
    return (uint16_t)(high + (low > 0x8000 || (low == 0x8000 && high & 1)));
}

void values_write(const quernel_epilogue *f, uint32_t c, float t, uint8_t *at) {
    t = activate(f, c, t);
    const uint16_t half = to_bf16(t);
    if (f->y_type == QUERNEL_TYPE_F32) memcpy(at, &t, sizeof t);
    else if (f->y_type == QUERNEL_TYPE_BF16) memcpy(at, &half, sizeof half);
    if (!is_int8(f->y_type)) return;
    const bool u8 = f->y_type == QUERNEL_TYPE_U8;
    const int lo = u8 ? 0 : f->y_narrow ? -127 : -128, hi = u8 ? 255 : 127;
    const float scale = f->y_smooth ? f->y_scale * f->y_smooth[c] : f->y_scale;
    const float u = t * (1.0f / scale);
    *at = (uint8_t)(isnan(u)                       ? f->y_zero
                    : u <= (float)(lo - f->y_zero) ? lo
                    : u >= (float)(hi - f->y_zero) ? hi
                                                   : (int)lrintf(u) + f->y_zero);
}

void values_border(const quernel_tensor *y, uint8_t zero, uint8_t *data) {
    const int64_t bh = y->border_h, bw = y->border_w;
    for (int64_t n = 0; n < y->n; n++)
        for (int64_t h = -bh; h < y->h + bh; h++)
            for (int64_t w = -bw; w < y->w + bw; w++)
                if (h < 0 || h >= y->h || w < 0 || w >= y->w)
                    memset(data + n * y->stride_n + h * y->stride_h + w * y->stride_w, zero, y->c);
}

// Where both hold a NaN, its sign and payload are not promised.
static bool same_element(const values_buffer *b, uint8_t *expected, const uint8_t *is) {
    const size_t size = quernel_type_size((quernel_type)b->t.type);
    float x, y;
    if (!memcmp(expected, is, size)) return true;
    if (b->t.type != QUERNEL_TYPE_F32) return false;
    memcpy(&x, expected, sizeof x), memcpy(&y, is, sizeof y);
    if (!isnan(x) || !isnan(y)) return false;
    memcpy(expected, is, size);
    return true;
}

const char *values_compare(values_buffer *b, char *text, size_t capacity) {
    const quernel_tensor *t = &b->t;
    for (uint32_t n = 0; n < t->n; n++)
        for (uint32_t c = 0; c < t->c; c++)
            for (uint32_t h = 0; h < t->h; h++)
                for (uint32_t w = 0; w < t->w; w++) {
                    const uint8_t *is = b->first + values_at(t, n, c, h, w);
                    uint8_t *expected = b->expected + (is - b->window);
                    if (same_element(b, expected, is)) continue;
                    snprintf(text, capacity, "n %u c %u h %u w %u is %02x %02x, expected %02x %02x",
                             n, c, h, w, is[0], is[t->type <= QUERNEL_TYPE_BF16], expected[0],
                             expected[t->type <= QUERNEL_TYPE_BF16]);
                    return text;
                }
    for (size_t i = 0; i < b->window_bytes; i++)
        if (b->window[i] != b->expected[i]) {
            snprintf(text, capacity, "byte %td from element 0, outside its elements, is %02x",
                     b->window + i - b->first, b->window[i]);
            return text;
        }
    return NULL;
}

const char *values_run(rng *r, const quernel_operator *op, uint32_t threads, const void *x,
                       const void *z, void *y) {
    static guarded memory;
    static char text[200];
    quernel_error error = {0};
    spread context;
    const op_spread kind = (op_spread)rng_int(r, 0, OP_SPREADS - 1);
    const quernel_parallel parallel = spread_make(kind, threads, rng_next(r), &context);
    uint8_t *window;
    size_t window_bytes;
    const size_t bytes = quernel_operator_workspace(op);
    uint8_t *workspace =
        guarded_take(&memory, bytes, 64, GUARDED_END, (uint8_t)rng_next(r), &window, &window_bytes);
    if (!workspace) return "no memory";
    const environment odd = environment_number((uint32_t)rng_int(r, 0, 6));
    environment_set(odd);
    const int code = quernel_operator_run(op, x, z, y, workspace, bytes,
                                          kind == OP_SPREAD_NONE ? NULL : &parallel, &error);
    const environment after = environment_get();
    environment_set(environment_number(0));
    snprintf(text, sizeof text, "%s: %s", quernel_status_string(code), error.text);
    if (code) return text;
    return after == odd ? NULL : "the caller's float environment was changed";
}
