// SPDX-License-Identifier: Apache-2.0
// Stand-alone quantization, ranges and smoothing factors, against restatements in double precision.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../op/rng.h"
#include "check.h"
#include "quernel/quernel.h"
#include "tests.h"

enum { COUNT = 1000 };

static int32_t code_of(double t, int32_t lo, int32_t hi, int32_t zero) {
    if (isnan(t)) return zero;
    double u = t < lo - zero ? lo - zero : t;
    if (u > hi - zero) u = hi - zero;
    return (int32_t)nearbyint(u) + zero;
}

static float draw(rng *r, float amplitude) {
    static const float specials[] = {NAN,    INFINITY, -INFINITY, -0.0f,
                                     1e-42f, 3.4e38f,  -3.4e38f,  1e9f};
    return rng_one_in(r, 20) ? specials[rng_int(r, 0, 7)] : rng_float(r, -amplitude, amplitude);
}

/// Checks one call; the bytes behind the last must stay.
static void check_quantize(rng *r, size_t count, int32_t type, int32_t narrow, int32_t divide) {
    static float x[COUNT];
    static uint8_t q[COUNT + 1];
    const float scale = rng_scale(r, -10, 10), reciprocal = 1.0f / scale;
    const int32_t lo = type == QUERNEL_TYPE_U8 ? 0
                       : narrow                ? -127
                                               : -128,
                  hi = type == QUERNEL_TYPE_U8 ? 255 : 127;
    const int32_t zero = rng_int(r, lo, hi);
    for (size_t i = 0; i < count; i++) x[i] = draw(r, scale * 200.0f);
    memset(q, 0x5a, sizeof q);
    quernel_error error = {0};
    const int code = quernel_quantize(x, count, scale, zero, type, narrow, divide, q, &error);
    if (!CHECK(code == QUERNEL_OK, "%s", error.text)) return;
    for (size_t i = 0; i < count; i++) {
        const float t = divide ? x[i] / scale : x[i] * reciprocal;
        const int32_t expected = code_of((double)t, lo, hi, zero);
        const int32_t actual = type == QUERNEL_TYPE_U8 ? q[i] : (int8_t)q[i];
        if (!CHECK(actual == expected, "x %a scale %a zero %d type %d divide %d: %d, expected %d",
                   (double)x[i], (double)scale, zero, type, divide, actual, expected))
            return;
    }
    CHECK(q[count] == 0x5a, "a byte behind the last was written");
}

static void check_quantize_all(int32_t divide) {
    rng r = {11};
    for (int i = 0; i < 300; i++) {
        const size_t count = (size_t)rng_int(&r, 1, i < 100 ? 70 : COUNT);
        check_quantize(&r, count, QUERNEL_TYPE_U8, 0, divide);
        check_quantize(&r, count, QUERNEL_TYPE_S8, 0, divide);
        check_quantize(&r, count, QUERNEL_TYPE_S8, 1, divide);
    }
    uint8_t q = 0x5a;
    const float x = 1.0f;
    CHECK(quernel_quantize(&x, 0, 1.0f, 0, QUERNEL_TYPE_U8, 0, divide, &q, NULL) == QUERNEL_OK,
          "no elements");
    CHECK(q == 0x5a, "a call with no elements wrote one");
}

void test_quantize(void) { check_quantize_all(0); }
void test_quantize_divide(void) { check_quantize_all(1); }

/// Both modes differ where x · (1/scale) and x / scale lie on different sides of a tie.
void test_quantize_ties(void) {
    size_t differ = 0;
    for (int i = 0; i < 256; i++) {
        const float scale = 0.3f, x = scale * ((float)i + 0.5f);
        uint8_t expected = 0, onnx = 0;
        quernel_quantize(&x, 1, scale, 0, QUERNEL_TYPE_U8, 0, 0, &expected, NULL);
        quernel_quantize(&x, 1, scale, 0, QUERNEL_TYPE_U8, 0, 1, &onnx, NULL);
        CHECK(expected == code_of((double)(x * (1.0f / scale)), 0, 255, 0),
              "by the specification, %d", i);
        CHECK(onnx == code_of((double)(x / scale), 0, 255, 0), "by division, %d", i);
        CHECK(abs(expected - onnx) <= 1, "%d: %d and %d", i, expected, onnx);
        differ += expected != onnx;
    }
    CHECK(differ > 0, "the two modes never differ");
}

void test_quantize_ties_to_even(void) {
    for (int i = -128; i < 127; i++) { // exact ties go to the even code
        const float x = (float)i + 0.5f;
        int8_t q = 0;
        quernel_quantize(&x, 1, 1.0f, 0, QUERNEL_TYPE_S8, 0, 0, &q, NULL);
        CHECK(q == (i & 1 ? i + 1 : i), "%d + 1/2 gives %d", i, q);
    }
}

/// Scales down to the least float, most of which have no finite reciprocal.
void test_quantize_subnormal(void) {
    rng r = {13};
    for (int exponent = -149; exponent < -100; exponent++)
        for (int code = -300; code <= 300; code += 7) {
            const float scale = (float)ldexp(rng_int(&r, 1, 3), exponent);
            const float x = (float)(code * (double)scale);
            int8_t q = 0;
            CHECK(quernel_quantize(&x, 1, scale, 3, QUERNEL_TYPE_S8, 0, 0, &q, NULL) == QUERNEL_OK,
                  "scale %a", (double)scale);
            const int expected = code_of((double)x / (double)scale, -128, 127, 3);
            CHECK(q == expected, "%a by %a: %d, expected %d", (double)x, (double)scale, q,
                  expected);
        }
}

void test_dequantize(void) {
    rng r = {12};
    static int32_t wide[COUNT];
    static float x[COUNT + 1];
    const int32_t types[] = {QUERNEL_TYPE_U8, QUERNEL_TYPE_S8, QUERNEL_TYPE_S32};
    for (int round = 0; round < 300; round++) {
        const int32_t type = types[round % 3];
        const size_t count = (size_t)rng_int(&r, 1, COUNT);
        const float scale = rng_scale(&r, -10, 10);
        const int32_t zero = type == QUERNEL_TYPE_U8 ? rng_int(&r, 0, 255) : rng_int(&r, -128, 127);
        for (size_t i = 0; i < count; i++) wide[i] = (int32_t)rng_next(&r);
        x[count] = 7.0f;
        quernel_error error = {0};
        if (!CHECK(quernel_dequantize(wide, count, scale, zero, type, x, &error) == QUERNEL_OK,
                   "%s", error.text))
            return;
        for (size_t i = 0; i < count; i++) {
            const int32_t q = type == QUERNEL_TYPE_S32  ? wide[i]
                              : type == QUERNEL_TYPE_U8 ? ((uint8_t *)wide)[i]
                                                        : ((int8_t *)wide)[i];
            const float expected = (float)(int32_t)((uint32_t)q - (uint32_t)zero) * scale;
            if (!CHECK(x[i] == expected, "type %d: %a, expected %a", type, (double)x[i],
                       (double)expected))
                return;
        }
        CHECK(x[count] == 7.0f, "an element behind the last was written");
    }
}

/// docs/numerics.md, rule 1, in double: each division is exact to the bit when rounded once to
/// binary32.
static void check_range(const float *x, size_t count, int32_t type, int32_t asymmetric) {
    double min = 0.0, max = 0.0;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(x[i])) continue;
        if ((double)x[i] < min) min = (double)x[i];
        if ((double)x[i] > max) max = (double)x[i];
    }
    const bool affine = type == QUERNEL_TYPE_U8 && asymmetric;
    float range = (float)(type == QUERNEL_TYPE_S8 ? fmax(max, -min) : affine ? max - min : max);
    if (isinf(range)) range = 0x1.fffffep127f;
    float scale = range == 0.0f ? 1.0f : range / (type == QUERNEL_TYPE_S8 ? 127.0f : 255.0f);
    if (scale < 0x1p-96f) scale = 0x1p-96f;
    if (scale > 0x1p96f) scale = 0x1p96f;
    const int32_t zero =
        affine && range != 0.0f ? code_of((double)((float)-min / scale), 0, 255, 0) : 0;
    float found = -1.0f;
    int32_t found_zero = -1;
    quernel_error error = {0};
    const int code = quernel_quant_range(x, count, type, asymmetric, &found, &found_zero, &error);
    CHECK(code == QUERNEL_OK, "%s", error.text);
    CHECK(found == scale && found_zero == zero,
          "type %d asymmetric %d least %a most %a: %a, %d; expected %a, %d", type, asymmetric, min,
          max, (double)found, found_zero, (double)scale, zero);
}

static void check_ranges(const float *x, size_t count) {
    check_range(x, count, QUERNEL_TYPE_S8, 0);
    check_range(x, count, QUERNEL_TYPE_U8, 0);
    check_range(x, count, QUERNEL_TYPE_U8, 1);
}

void test_quant_range(void) {
    rng r = {13};
    static float x[COUNT];
    for (int round = 0; round < 500; round++) {
        const size_t count = (size_t)rng_int(&r, 1, round < 200 ? 40 : COUNT);
        const float amplitude = rng_scale(&r, -90, 90);
        for (size_t i = 0; i < count; i++)
            x[i] = rng_one_in(&r, 30) ? NAN : rng_float(&r, -amplitude, amplitude);
        if (rng_one_in(&r, 4))
            x[rng_int(&r, 0, (int32_t)count - 1)] = rng_one_in(&r, 2) ? INFINITY : -INFINITY;
        check_ranges(x, count);
        for (size_t i = 0; i < count; i++) x[i] = fabsf(x[i]);
        check_ranges(x, count);
        for (size_t i = 0; i < count; i++) x[i] = -x[i];
        check_ranges(x, count);
    }
}

void test_quant_range_extremes(void) {
    const float rows[][2] = {{0.0f, -0.0f},       {NAN, NAN},         {INFINITY, -INFINITY},
                             {3.4e38f, -3.4e38f}, {3.4e38f, 3.4e38f}, {1e-45f, 1e-45f},
                             {-1e-45f, 1e-40f},   {1e-30f, -1e-30f},  {0x1p-90f, -0x1p-90f},
                             {0x1p104f, 0.0f},    {1.0f, NAN},        {-1.0f, INFINITY}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) check_ranges(rows[i], 2);
    float scale = 0.0f;
    int32_t zero = -1;
    CHECK(quernel_quant_range(rows[0], 0, QUERNEL_TYPE_U8, 1, &scale, &zero, NULL) == QUERNEL_OK,
          "no elements");
    CHECK(scale == 1.0f && zero == 0, "no elements: %g, %d", (double)scale, zero);
}

/// Equation 4 with floors, in long double; libm's last bit is not promised, so one unit in the last
/// place is allowed.
static void check_factors(const float *a, const float *w, uint32_t count,
                          const quernel_smooth_options *options) {
    const quernel_smooth_options defaults = QUERNEL_SMOOTH_OPTIONS_INIT;
    const quernel_smooth_options *o = options ? options : &defaults;
    float s[64];
    quernel_error error = {0};
    if (!CHECK(quernel_smooth_factors(a, w, count, options, s, &error) == QUERNEL_OK, "%s",
               error.text))
        return;
    long double max_a = 0, max_w = 0;
    for (uint32_t k = 0; k < count; k++) {
        max_a = fmaxl(max_a, (long double)a[k]);
        max_w = fmaxl(max_w, (long double)w[k]);
    }
    for (uint32_t k = 0; k < count; k++) {
        const long double ak = fmaxl((long double)a[k], max_a * (long double)o->act_floor);
        const long double wk = fmaxl((long double)w[k], max_w * (long double)o->weight_floor);
        long double e = powl(ak, (long double)o->alpha) / powl(wk, 1 - (long double)o->alpha);
        if (max_a == 0 || max_w == 0) e = 1;
        const float expected = (float)fminl(fmaxl(e, 0x1p-20L), 0x1p20L);
        const float up = nextafterf(expected, INFINITY), down = nextafterf(expected, 0.0f);
        CHECK(s[k] == expected || s[k] == up || s[k] == down, "factor %u of %u: %a, expected %a", k,
              count, (double)s[k], (double)expected);
    }
}

void test_smooth_factors(void) {
    rng r = {14};
    float a[64], w[64];
    for (int round = 0; round < 400; round++) {
        const uint32_t count = (uint32_t)rng_int(&r, 1, 64);
        for (uint32_t k = 0; k < count; k++) {
            a[k] = rng_one_in(&r, 10) ? 0.0f : rng_scale(&r, -8, 8);
            w[k] = rng_one_in(&r, 10) ? 0.0f : rng_scale(&r, -12, 2);
        }
        const quernel_smooth_options options = {sizeof options, (double)rng_float(&r, 0.0f, 1.0f),
                                                (double)rng_float(&r, 0.01f, 0.2f),
                                                (double)rng_float(&r, 0.001f, 0.1f)};
        check_factors(a, w, count, round & 1 ? &options : NULL);
    }
}

void test_smooth_silent(void) {
    const float zeros[3] = {0.0f, 0.0f, 0.0f}, some[3] = {1.0f, 2.0f, 3.0f};
    float s[3];
    const float *const pairs[][2] = {{zeros, some}, {some, zeros}, {zeros, zeros}};
    for (int i = 0; i < 3; i++) {
        CHECK(quernel_smooth_factors(pairs[i][0], pairs[i][1], 3, NULL, s, NULL) == QUERNEL_OK,
              "pair %d", i);
        CHECK(s[0] == 1.0f && s[1] == 1.0f && s[2] == 1.0f, "pair %d: %g %g %g", i, (double)s[0],
              (double)s[1], (double)s[2]);
    }
}

void test_smooth_extremes(void) {
    const float a[6] = {3.4e38f, 1e-45f, 0.0f, 1e30f, 1e-30f, 1.0f},
                w[6] = {1e-45f, 3.4e38f, 1.0f, 0.0f, 1e-38f, 1e38f};
    for (int step = 0; step <= 4; step++) {
        quernel_smooth_options options = QUERNEL_SMOOTH_OPTIONS_INIT;
        options.alpha = step / 4.0;
        for (uint32_t first = 0; first < 6; first++) {
            float s[6];
            const uint32_t count = 6 - first;
            CHECK(quernel_smooth_factors(a + first, w + first, count, &options, s, NULL) ==
                      QUERNEL_OK,
                  "%u", first);
            for (uint32_t k = 0; k < count; k++) {
                CHECK(s[k] >= 0x1p-20f && s[k] <= 0x1p20f, "alpha %g: factor %u is %g",
                      options.alpha, k, (double)s[k]);
            }
        }
    }
}
