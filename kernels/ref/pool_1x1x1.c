// SPDX-License-Identifier: Apache-2.0
// Pools in plain C: channel by channel, tap by tap.
#include "base/num.h"
#include "kernels/ukr.h"

typedef int32_t load_byte(const uint8_t *at, uint32_t c);
typedef float load_float(const uint8_t *at, uint32_t c);

static int32_t load_u8(const uint8_t *at, uint32_t c) { return at[c]; }
static int32_t load_s8(const uint8_t *at, uint32_t c) { return (int8_t)at[c]; }

static float load_f32(const uint8_t *at, uint32_t c) {
    float x;
    memcpy(&x, at + c * sizeof x, sizeof x);
    return x;
}

static float load_bf16(const uint8_t *at, uint32_t c) {
    uint16_t x;
    memcpy(&x, at + c * sizeof x, sizeof x);
    return quernel_i_from_bf16(x);
}

static const uint8_t *tap(const quernel_i_pool *p, uint32_t m, uint32_t i, uint32_t j) {
    return (const uint8_t *)p->a + m * p->a_row + i * p->tap_line + j * p->tap_pixel;
}

static uint8_t *place(const quernel_i_pool *p, uint32_t m, size_t at) {
    return (uint8_t *)p->y + m * p->y_row + at;
}

#define EACH(m, c)                             \
    for (uint32_t m = 0; (m) < p->rows; (m)++) \
        for (uint32_t c = 0; (c) < p->channels; (c)++)
#define EACH_TAP(i, j)                             \
    for (uint32_t i = 0; (i) < p->kernel_h; (i)++) \
        for (uint32_t j = 0; (j) < p->kernel_w; (j)++)

static void max_bytes(const quernel_i_pool *p, load_byte *load, int32_t least) {
    EACH(m, c) {
        int32_t u = least;
        EACH_TAP(i, j) {
            const int32_t e = load(tap(p, m, i, j), c);
            u = e > u ? e : u;
        }
        *place(p, m, c) = (uint8_t)u;
    }
}

static void sum_bytes(const quernel_i_pool *p, load_byte *load) {
    EACH(m, c) {
        uint32_t sum = (uint32_t)p->init;
        EACH_TAP(i, j) sum += (uint32_t)load(tap(p, m, i, j), c);
        memcpy(place(p, m, c * sizeof sum), &sum, sizeof sum);
    }
}

static void max_floats(const quernel_i_pool *p, load_float *load) {
    EACH(m, c) {
        float u = -INFINITY;
        EACH_TAP(i, j) {
            const float e = load(tap(p, m, i, j), c);
            u = e > u ? e : u;
        }
        memcpy(place(p, m, c * sizeof u), &u, sizeof u);
    }
}

static void sum_floats(const quernel_i_pool *p, load_float *load) {
    EACH(m, c) {
        float sum = 0.0f;
        for (uint32_t i = 0; i < p->kernel_h; i++) {
            float line = 0.0f;
            for (uint32_t j = 0; j < p->kernel_w; j++) line += load(tap(p, m, i, j), c);
            sum += line;
        }
        sum *= p->factor;
        memcpy(place(p, m, c * sizeof sum), &sum, sizeof sum);
    }
}

void quernel_uk_poolmax_u8_1x1x1_ref(const quernel_i_pool *p) { max_bytes(p, load_u8, 0); }
void quernel_uk_poolmax_s8_1x1x1_ref(const quernel_i_pool *p) { max_bytes(p, load_s8, -128); }
void quernel_uk_poolmax_f32_1x1x1_ref(const quernel_i_pool *p) { max_floats(p, load_f32); }
void quernel_uk_poolmax_bf16_1x1x1_ref(const quernel_i_pool *p) { max_floats(p, load_bf16); }
void quernel_uk_poolsum_u8_1x1x1_ref(const quernel_i_pool *p) { sum_bytes(p, load_u8); }
void quernel_uk_poolsum_s8_1x1x1_ref(const quernel_i_pool *p) { sum_bytes(p, load_s8); }
void quernel_uk_poolsum_f32_1x1x1_ref(const quernel_i_pool *p) { sum_floats(p, load_f32); }
void quernel_uk_poolsum_bf16_1x1x1_ref(const quernel_i_pool *p) { sum_floats(p, load_bf16); }
