// SPDX-License-Identifier: Apache-2.0
// Cases of pools, blends, samples and permutations.
#include <string.h>

#include "data.h"
#include "kcheck.h"

static bool is_float(const quernel_i_kernel *k) {
    return k->a_type == QUERNEL_TYPE_F32 || k->a_type == QUERNEL_TYPE_BF16;
}

static size_t element_of(const quernel_i_kernel *k) {
    return quernel_type_size((quernel_type)k->a_type);
}

// `count` elements of the type that the kernel reads.
static void *make_elements(const quernel_i_kernel *k, rng *r, guard *g, size_t count) {
    const size_t size = element_of(k);
    void *x = guard_take(g, count * size, size, 0);
    if (size == 1) {
        data_bytes(r, (data_kind)(rng_next(r) % DATA_KINDS), x, count,
                   k->a_type == QUERNEL_TYPE_S8);
    } else if (size == 4) {
        data_floats(r, x, count, 0.25f);
    } else {
        for (size_t i = 0; i < count; i++) {
            float one;
            data_floats(r, &one, 1, 0.25f);
            memcpy((uint8_t *)x + i * size, (uint8_t *)&one + size, size); // the upper half
        }
    }
    return x;
}

static uint32_t small(rng *r, uint32_t usual, uint32_t max) {
    return 1 + (uint32_t)(rng_next(r) % (rng_one_in(r, 8) ? max : usual));
}

const char *kcheck_pool(const quernel_i_kernel *k, const quernel_i_kernel *oracle, guard *g,
                        uint64_t seed, uint64_t number) {
    rng r = rng_make(seed, number);
    const size_t size = element_of(k);
    const size_t out = k->op == QUERNEL_I_OP_POOLMAX && !is_float(k) ? 1 : 4;
    quernel_i_pool p = {.kernel_h = small(&r, 4, 14),
                        .kernel_w = small(&r, 4, 300),
                        .rows = 1 + (uint32_t)(number % 9),
                        .channels = 1 + (uint32_t)((number * 7 + rng_next(&r) % 3) % 150),
                        .init = rng_int(&r, -100000, 100000),
                        .factor = rng_float(&r, 0.001f, 1.0f)};
    // Strides in pixels, mostly; sometimes taps and rows lie anywhere.
    const ptrdiff_t pixel = (ptrdiff_t)p.channels + rng_int(&r, 0, 9);
    const ptrdiff_t tap_pixel = rng_one_in(&r, 4) ? rng_int(&r, 0, 300) : pixel,
                    row = rng_one_in(&r, 4) ? rng_int(&r, 0, 300) : pixel * rng_int(&r, 1, 3),
                    tap_line = rng_int(&r, 0, 2000);
    const size_t count = (p.rows - 1) * (size_t)row + (p.kernel_h - 1) * (size_t)tap_line +
                         (p.kernel_w - 1) * (size_t)tap_pixel + p.channels;
    p.a_row = row * (ptrdiff_t)size, p.tap_line = tap_line * (ptrdiff_t)size;
    p.tap_pixel = tap_pixel * (ptrdiff_t)size;
    p.a = make_elements(k, &r, g, count);
    p.y_row = (ptrdiff_t)((p.channels + (rng_one_in(&r, 2) ? 0 : rng_next(&r) % 40)) * out);
    const size_t bytes = (p.rows - 1) * (size_t)p.y_row + p.channels * out;
    return kcheck_agree(k, oracle, g, &p, &p.y, (kcheck_elements){bytes, out, is_float(k), NULL});
}

const char *kcheck_blend(const quernel_i_kernel *k, const quernel_i_kernel *oracle, guard *g,
                         uint64_t seed, uint64_t number) {
    rng r = rng_make(seed, number);
    const ptrdiff_t size = (ptrdiff_t)element_of(k);
    quernel_i_blend b = {.taps = small(&r, 5, 40),
                         .rows = 1 + (uint32_t)(number % 17),
                         .channels = 1 + (uint32_t)((number * 7 + rng_next(&r) % 3) % 150),
                         .zero = rng_one_in(&r, 3) ? 0 : rng_int(&r, 0, 255)};
    if (k->a_type == QUERNEL_TYPE_S8 && b.zero) b.zero -= 128;
    const int32_t places = rng_one_in(&r, 2) ? 3 : 500;
    const uint32_t count = b.rows * b.taps;
    ptrdiff_t *at = guard_take(g, count * sizeof *at, sizeof *at, 0);
    float *share = guard_take(g, count * sizeof *share, sizeof *share, 0);
    for (uint32_t i = 0; i < count; i++) {
        at[i] = rng_int(&r, 0, places) * size;
        share[i] =
            rng_one_in(&r, 4) ? (float)rng_int(&r, -4, 8) * 0.25f : rng_float(&r, -2.0f, 2.0f);
    }
    // the last place is read to its end, so that the page behind it is near
    at[rng_next(&r) % count] = places * size;
    b.x = make_elements(k, &r, g, (size_t)places + b.channels);
    b.at = at, b.share = share;
    b.y_row = (ptrdiff_t)b.channels + (rng_one_in(&r, 2) ? 0 : rng_int(&r, 1, 40));
    const size_t bytes = ((b.rows - 1) * (size_t)b.y_row + b.channels) * sizeof(float);
    return kcheck_agree(k, oracle, g, &b, &b.y,
                        (kcheck_elements){bytes, sizeof(float), true, NULL});
}

const char *kcheck_sample(const quernel_i_kernel *k, const quernel_i_kernel *oracle, guard *g,
                          uint64_t seed, uint64_t number) {
    rng r = rng_make(seed, number);
    const int32_t last = rng_int(&r, 0, rng_one_in(&r, 2) ? 9 : 700);
    quernel_i_sample s = {.taps = small(&r, 5, 40),
                          .count = 1 + (uint32_t)((number * 7 + rng_next(&r) % 3) % 90)};
    s.step = s.count + (rng_one_in(&r, 2) ? 0 : rng_next(&r) % 30);
    const size_t entries = (s.taps - 1) * s.step + s.count;
    float *x = guard_take(g, ((size_t)last + 1) * sizeof *x, sizeof *x, 0),
          *share = guard_take(g, entries * sizeof *share, sizeof *share, 0);
    int32_t *at = guard_take(g, entries * sizeof *at, sizeof *at, 0);
    data_floats(&r, x, (size_t)last + 1, 0.25f);
    for (size_t i = 0; i < entries; i++)
        at[i] = rng_one_in(&r, 9) ? last : rng_int(&r, 0, last),
        share[i] = rng_float(&r, -2.0f, 2.0f);
    s.x = x, s.at = at, s.share = share;
    const kcheck_elements of = {s.count * sizeof(float), sizeof(float), true, NULL};
    return kcheck_agree(k, oracle, g, &s, &s.y, of);
}

// Few or many of the source's bytes: shuffles, strides, anything.
static void draw_index(rng *r, uint32_t *index, uint32_t count, uint32_t source) {
    const uint32_t step = 1 + (uint32_t)(rng_next(r) % 40);
    const bool any = rng_one_in(r, 2);
    for (uint32_t k = 0; k < count; k++)
        index[k] = any ? (uint32_t)(rng_next(r) % source) : (k * step + k / source) % source;
}

const char *kcheck_permute(const quernel_i_kernel *k, const quernel_i_kernel *oracle, guard *g,
                           uint64_t seed, uint64_t number) {
    rng r = rng_make(seed, number);
    quernel_i_permute p = {.rows = 1 + (uint32_t)(number % 9),
                           .count = 1 + (uint32_t)((number * 7 + rng_next(&r) % 3) % 90),
                           .source = small(&r, 70, 400)};
    uint32_t *index = guard_take(g, p.count * sizeof *index, sizeof *index, 0);
    draw_index(&r, index, p.count, p.source);
    p.x_row = (ptrdiff_t)p.source + (rng_one_in(&r, 2) ? 0 : rng_int(&r, 1, 40));
    p.y_row = (ptrdiff_t)p.count + (rng_one_in(&r, 2) ? 0 : rng_int(&r, 1, 40));
    const size_t bytes = (p.rows - 1) * (size_t)p.y_row + p.count,
                 x_bytes = (p.rows - 1) * (size_t)p.x_row + p.source;
    uint8_t *x = guard_take(g, x_bytes, 1, 0);
    data_bytes(&r, DATA_RANDOM, x, x_bytes, false);
    p.x = x, p.index = index;
    return kcheck_agree(k, oracle, g, &p, &p.y, (kcheck_elements){bytes, 1, false, NULL});
}
