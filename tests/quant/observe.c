// SPDX-License-Identifier: Apache-2.0
// Observers: any order, split and layout gives the same; statistics against naive walks; refusals.
#include <stdlib.h>
#include <string.h>

#include "../op/rng.h"
#include "../unit/check.h"
#include "quernel/quernel.h"
#include "tests.h"

enum { IMAGES = 6, C = 5, H = 4, W = 7, IMAGE = C * H * W };

static quernel_observer *make(const quernel_observer_desc *d) {
    quernel_observer *o = NULL;
    quernel_error error = {0};
    CHECK(quernel_observer_create(d, &o, &error) == QUERNEL_OK, "%s", error.text);
    return o;
}

static void update(quernel_observer *o, const quernel_tensor *t, const void *x) {
    quernel_error error = {0};
    CHECK(quernel_observer_update(o, t, x, &error) == QUERNEL_OK, "%s", error.text);
}

static float draw(rng *r, bool wild) {
    static const float specials[] = {0.0f,   -0.0f,   NAN,     INFINITY, -INFINITY,
                                     1e-45f, -1e-40f, 3.4e38f, -3.4e38f};
    if (wild && rng_one_in(r, 12)) return specials[rng_int(r, 0, 8)];
    const float x = wild ? rng_scale(r, -60, 60) : rng_scale(r, -12, 2);
    return rng_one_in(r, 3) ? -x : x;
}

// Calibrator, zeros and signedness number k give the same of both.
static void check_calibrations(const quernel_observer *a, const quernel_observer *b, uint32_t g,
                               int32_t k, const char *what) {
    quernel_calibration_options o = QUERNEL_CALIBRATION_OPTIONS_INIT;
    o.calibrator = k % 5, o.nonzero = k / 5 % 2, o.signedness = k / 10, o.allow_nonfinite = 1,
    o.percentile = 0.9;
    quernel_calibration p = QUERNEL_CALIBRATION_INIT, q = QUERNEL_CALIBRATION_INIT;
    const int code = quernel_observer_calibrate(a, g, &o, &p, NULL);
    CHECK(code == quernel_observer_calibrate(b, g, &o, &q, NULL), "%s: statuses differ", what);
    CHECK(p.quant.scale == q.quant.scale && p.quant.zero == q.quant.zero &&
              p.quant.type == q.quant.type && p.lo == q.lo && p.hi == q.hi &&
              p.clipped == q.clipped && p.clipped_error == q.clipped_error,
          "%s: group %u, calibrator %d: %a and %a", what, g, o.calibrator, (double)p.quant.scale,
          (double)q.quant.scale);
}

/// Both observers answer alike, bit for bit.
static void check_equal(const quernel_observer *a, const quernel_observer *b, const char *what) {
    for (uint32_t g = 0; g < quernel_observer_groups(a); g++) {
        quernel_observer_stats x = QUERNEL_OBSERVER_STATS_INIT, y = x;
        memset(&x, 0, sizeof x), memset(&y, 0, sizeof y);
        x.size = y.size = sizeof x;
        quernel_observer_get(a, g, &x, NULL);
        quernel_observer_get(b, g, &y, NULL);
        CHECK(x.count == y.count && x.zeros == y.zeros && x.nans == y.nans && x.infs == y.infs &&
                  x.first_nonfinite == y.first_nonfinite && x.samples == y.samples &&
                  x.min == y.min && x.max == y.max && x.mean_min == y.mean_min &&
                  x.mean_max == y.mean_max,
              "%s: group %u", what, g);
        for (int32_t k = 0; k < 20; k++) {
            check_calibrations(a, b, g, k, what);
        }
    }
}

static quernel_observer_desc desc_of(int32_t granularity) {
    quernel_observer_desc d = QUERNEL_OBSERVER_DESC_INIT;
    d.granularity = granularity;
    d.channels = C, d.rows = H * W;
    d.kernel_h = d.kernel_w = 2;
    return d;
}

static void shuffle(rng *r, int *order, int count) {
    for (int i = 0; i < count; i++) order[i] = i;
    for (int i = count; i-- > 1;) {
        const int j = rng_int(r, 0, i), swap = order[i];
        order[i] = order[j], order[j] = swap;
    }
}

/// All images at once, against a random partition into observers that are merged in a random order.
static void check_split(rng *r, int32_t granularity, const float *x) {
    const quernel_observer_desc d = desc_of(granularity);
    quernel_tensor all = {.layout = QUERNEL_LAYOUT_NCHW, .n = IMAGES, .c = C, .h = H, .w = W},
                   one = all;
    one.n = 1;
    quernel_observer *whole = make(&d), *parts[3] = {make(&d), make(&d), make(&d)};
    update(whole, &all, x);
    int order[IMAGES], merging[3];
    shuffle(r, order, IMAGES);
    shuffle(r, merging, 3);
    for (int i = 0; i < IMAGES; i++) update(parts[rng_int(r, 0, 2)], &one, x + order[i] * IMAGE);
    quernel_observer *into = parts[merging[0]];
    for (int i = 1; i < 3; i++)
        CHECK(quernel_observer_merge(into, parts[merging[i]], NULL) == QUERNEL_OK, "merge");
    // The first non-finite element is told within its own tensor: compare where each image came
    // alone.
    quernel_observer *alone = make(&d);
    for (int i = 0; i < IMAGES; i++) update(alone, &one, x + i * IMAGE);
    check_equal(alone, into, "split and merged");
    for (uint32_t g = 0; g < quernel_observer_groups(whole); g++) {
        quernel_observer_stats a = QUERNEL_OBSERVER_STATS_INIT, b = a;
        quernel_observer_get(whole, g, &a, NULL);
        quernel_observer_get(alone, g, &b, NULL);
        CHECK(a.count == b.count && a.mean_max == b.mean_max && a.min == b.min,
              "one call, group %u", g);
    }
    quernel_observer_destroy(whole);
    quernel_observer_destroy(alone);
    for (int i = 0; i < 3; i++) quernel_observer_destroy(parts[i]);
}

void test_merge_is_order_free(void) {
    static float x[IMAGES * IMAGE];
    const float zeros[] = {0.0f, -0.0f, 0.0f};
    for (int i = 0; i < 2; i++) { // 0 and −0 are one number, whichever comes first
        const quernel_observer_desc d = QUERNEL_OBSERVER_DESC_INIT;
        const quernel_tensor t = {.n = 1, .c = 2, .h = 1, .w = 1};
        quernel_observer *o = make(&d);
        update(o, &t, zeros + i);
        quernel_observer_stats s = QUERNEL_OBSERVER_STATS_INIT;
        quernel_observer_get(o, 0, &s, NULL);
        CHECK(s.zeros == 2 && !signbit(s.min) && !signbit(s.max), "zeros from %d on", i);
        quernel_observer_destroy(o);
    }
    for (uint64_t seed = 0; seed < 6; seed++) {
        rng r = rng_make(21, seed);
        for (int i = 0; i < IMAGES * IMAGE; i++) x[i] = draw(&r, seed & 1);
        for (int32_t granularity = 0; granularity < 2; granularity++)
            check_split(&r, granularity, x);
        if (seed < 2)
            check_split(&r, QUERNEL_GRANULARITY_ROW, x),
                check_split(&r, QUERNEL_GRANULARITY_COLUMN, x);
    }
}

/// Writes x in another layout, with strides and as bf16 where asked; what it was rounded to goes
/// back into x.
static quernel_tensor place(rng *r, float *x, void *memory, bool nhwc, bool bf16) {
    quernel_tensor t = {.type = bf16 ? QUERNEL_TYPE_BF16 : QUERNEL_TYPE_F32,
                        .layout = nhwc ? QUERNEL_LAYOUT_NHWC : QUERNEL_LAYOUT_NCHW,
                        .n = IMAGES,
                        .c = C,
                        .h = H,
                        .w = W};
    const int gap = rng_int(r, 0, 3);
    if (nhwc)
        t.stride_c = 1, t.stride_w = C + gap, t.stride_h = W * t.stride_w + gap,
        t.stride_n = H * t.stride_h;
    else
        t.stride_w = 1, t.stride_h = W + gap, t.stride_c = H * t.stride_h,
        t.stride_n = C * t.stride_c + gap;
    for (int i = 0; i < IMAGES * IMAGE; i++) {
        const int n = i / IMAGE, c = i / (H * W) % C, h = i / W % H, w = i % W;
        const int64_t at = n * t.stride_n + c * t.stride_c + h * t.stride_h + w * t.stride_w;
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        if (bf16)
            ((uint16_t *)memory)[at] = (uint16_t)(bits >> 16), bits &= 0xffff0000u,
                       memcpy(&x[i], &bits, sizeof bits);
        else ((float *)memory)[at] = x[i];
    }
    return t;
}

static uint32_t group_of(int32_t granularity, int i) {
    if (granularity == QUERNEL_GRANULARITY_TENSOR) return 0;
    return granularity == QUERNEL_GRANULARITY_CHANNEL ? (uint32_t)(i / (H * W) % C)
                                                      : (uint32_t)(i % (H * W));
}

static void check_group(const quernel_observer *o, int32_t granularity, uint32_t g,
                        const float *x) {
    quernel_observer_stats s = QUERNEL_OBSERVER_STATS_INIT;
    quernel_observer_get(o, g, &s, NULL);
    uint64_t count = 0, zeros = 0, nans = 0, infs = 0;
    int64_t first = -1;
    float min = INFINITY, max = -INFINITY;
    for (int i = 0; i < IMAGES * IMAGE; i++) {
        if (group_of(granularity, i) != g) continue;
        nans += isnan(x[i]) != 0, infs += isinf(x[i]) != 0;
        if (!isfinite(x[i]) && first < 0) first = i;
        if (!isfinite(x[i])) continue;
        count++, zeros += x[i] == 0.0f;
        min = fminf(min, x[i]), max = fmaxf(max, x[i]);
    }
    CHECK(s.count == count && s.zeros == zeros && s.nans == nans && s.infs == infs,
          "group %u: counts", g);
    CHECK(s.first_nonfinite == first, "group %u: first at %lld, expected %lld", g,
          (long long)s.first_nonfinite, (long long)first);
    CHECK(s.min == min && s.max == max, "group %u: extremes", g);
}

void test_groups_match_a_naive_walk(void) {
    static float x[IMAGES * IMAGE];
    static uint32_t memory[8 * IMAGES * IMAGE];
    for (uint64_t seed = 0; seed < 12; seed++) {
        rng r = rng_make(22, seed);
        for (int i = 0; i < IMAGES * IMAGE; i++) x[i] = draw(&r, true);
        const quernel_tensor t = place(&r, x, memory, seed & 1, seed & 2);
        for (int32_t granularity = 0; granularity <= QUERNEL_GRANULARITY_ROW; granularity++) {
            quernel_observer_desc d = desc_of(granularity);
            d.histogram = 0;
            quernel_observer *o = make(&d);
            update(o, &t, memory);
            for (uint32_t g = 0; g < quernel_observer_groups(o); g++)
                check_group(o, granularity, g, x);
            quernel_observer_destroy(o);
        }
    }
}

void test_columns_match_im2col(void) {
    static float x[IMAGE], found[C * 9];
    for (uint64_t seed = 0; seed < 60; seed++) {
        rng r = rng_make(23, seed);
        for (int i = 0; i < IMAGE; i++) x[i] = draw(&r, false);
        quernel_observer_desc d = QUERNEL_OBSERVER_DESC_INIT;
        d.granularity = QUERNEL_GRANULARITY_COLUMN, d.channels = C, d.histogram = 0;
        d.kernel_h = (uint32_t)rng_int(&r, 1, 3), d.kernel_w = (uint32_t)rng_int(&r, 1, 3);
        d.stride_h = (uint32_t)rng_int(&r, 1, 3), d.stride_w = (uint32_t)rng_int(&r, 1, 3);
        d.dilation_h = (uint32_t)rng_int(&r, 1, 2), d.dilation_w = (uint32_t)rng_int(&r, 1, 2);
        d.pad_top = (uint32_t)rng_int(&r, 0, 2), d.pad_left = (uint32_t)rng_int(&r, 0, 2);
        d.pad_bottom = (uint32_t)rng_int(&r, 0, 2), d.pad_right = (uint32_t)rng_int(&r, 0, 2);
        const int tall = H + (int)(d.pad_top + d.pad_bottom),
                  wide = W + (int)(d.pad_left + d.pad_right);
        if ((int)(d.dilation_h * (d.kernel_h - 1)) >= tall ||
            (int)(d.dilation_w * (d.kernel_w - 1)) >= wide)
            continue;
        const bool nhwc = seed & 1;
        const quernel_tensor t = {.layout = nhwc ? QUERNEL_LAYOUT_NHWC : QUERNEL_LAYOUT_NCHW,
                                  .n = 1,
                                  .c = C,
                                  .h = H,
                                  .w = W};
        quernel_observer *o = make(&d);
        update(o, &t, x);
        quernel_observer_absmax(o, found, NULL);
        quernel_observer_destroy(o);
        const int top = (int)d.pad_top, left = (int)d.pad_left;
        const int rows = (tall - (int)(d.dilation_h * (d.kernel_h - 1)) - 1) / (int)d.stride_h + 1;
        const int columns =
            (wide - (int)(d.dilation_w * (d.kernel_w - 1)) - 1) / (int)d.stride_w + 1;
        for (int k = 0; k < (int)(C * d.kernel_h * d.kernel_w); k++) {
            const int c = k / (int)(d.kernel_h * d.kernel_w),
                      tap = k % (int)(d.kernel_h * d.kernel_w);
            float max = 0.0f;
            for (int i = 0; i < rows * columns; i++) {
                const int y =
                    i / columns * (int)d.stride_h + tap / (int)d.kernel_w * (int)d.dilation_h - top;
                const int z = i % columns * (int)d.stride_w +
                              tap % (int)d.kernel_w * (int)d.dilation_w - left;
                if (y < 0 || y >= H || z < 0 || z >= W) continue;
                max = fmaxf(max, fabsf(x[nhwc ? (y * W + z) * C + c : (c * H + y) * W + z]));
            }
            CHECK(found[k] == max, "case %d, column %d: %g, expected %g", (int)seed, k,
                  (double)found[k], (double)max);
        }
    }
}

void test_observer_refuses(void) {
    const float x[IMAGE] = {1.0f};
    quernel_tensor t = {.layout = QUERNEL_LAYOUT_NHWC, .n = 1, .c = C, .h = H, .w = W};
    quernel_observer_desc d = desc_of(QUERNEL_GRANULARITY_CHANNEL);
    quernel_observer *o = make(&d), *other = NULL;
    quernel_error e = {0};
    struct {
        const char *argument;
        int code, found;
    } rows[16];
    int n = 0;
#define REFUSED(code_, argument_, call)                                                         \
    memset(&e, 0, sizeof e), rows[n].code = (code_), rows[n].argument = (argument_),            \
                             rows[n].found = (call);                                            \
    CHECK(rows[n].found == rows[n].code && !strcmp(e.argument, rows[n].argument), "%s: %d, %s", \
          argument_, rows[n].found, e.text),                                                    \
        n++
    REFUSED(QUERNEL_E_NULL, "desc", quernel_observer_create(NULL, &other, &e));
    REFUSED(QUERNEL_E_NULL, "ret_observer", quernel_observer_create(&d, NULL, &e));
    REFUSED(QUERNEL_E_NULL, "x", quernel_observer_update(o, &t, NULL, &e));
    REFUSED(QUERNEL_E_ALIGN, "x", quernel_observer_update(o, &t, (const char *)x + 1, &e));
    t.c = C + 1;
    REFUSED(QUERNEL_E_SHAPE, "tensor", quernel_observer_update(o, &t, x, &e));
    t.c = C, t.type = QUERNEL_TYPE_U8;
    REFUSED(QUERNEL_E_VALUE, "tensor", quernel_observer_update(o, &t, x, &e));
    d.granularity = 4;
    REFUSED(QUERNEL_E_VALUE, "granularity", quernel_observer_create(&d, &other, &e));
    d.granularity = QUERNEL_GRANULARITY_CHANNEL, d.channels = 0;
    REFUSED(QUERNEL_E_SHAPE, "channels", quernel_observer_create(&d, &other, &e));
    d.granularity = QUERNEL_GRANULARITY_COLUMN, d.channels = 1 << 30,
    d.kernel_h = d.kernel_w = 65536;
    REFUSED(QUERNEL_E_OVERFLOW, "channels", quernel_observer_create(&d, &other, &e));
    REFUSED(QUERNEL_E_OVERLAP, "from", quernel_observer_merge(o, o, &e));
    quernel_observer_desc smaller = desc_of(QUERNEL_GRANULARITY_TENSOR);
    other = make(&smaller);
    REFUSED(QUERNEL_E_SHAPE, "from", quernel_observer_merge(o, other, &e));
    quernel_observer_stats stats = QUERNEL_OBSERVER_STATS_INIT;
    REFUSED(QUERNEL_E_SHAPE, "group", quernel_observer_get(o, C, &stats, &e));
    CHECK(stats.count == 0 && stats.samples == 0, "a refusal wrote");
    quernel_observer_destroy(o);
    quernel_observer_destroy(other);
}
