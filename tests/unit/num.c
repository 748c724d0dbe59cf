// SPDX-License-Identifier: Apache-2.0
// The scalar formulas, against restatements in double precision and against every bit pattern where
// that is possible.
#include "base/num.h"

#include "../op/rng.h"
#include "check.h"
#include "tests.h"

void test_rne(void) {
    for (int32_t i = -(1 << 21); i <= 1 << 21; i += 997) {
        const float f = (float)i;
        CHECK(quernel_i_rne(f) == i, "%d", i);
        CHECK(quernel_i_rne(f + 0.25f) == i, "%d + 1/4", i);
        CHECK(quernel_i_rne(f - 0.25f) == i, "%d - 1/4", i);
        const int32_t even = i & 1 ? i + 1 : i; // of i and i + 1
        CHECK(quernel_i_rne(f + 0.5f) == even, "%d + 1/2 gives %d", i, quernel_i_rne(f + 0.5f));
    }
    rng r = {1};
    for (int i = 0; i < 100000; i++) {
        const float f = rng_float(&r, -600.0f, 600.0f);
        CHECK(quernel_i_rne(f) == (int32_t)nearbyint((double)f), "%a", (double)f);
    }
    CHECK(quernel_i_rne(0x1.fffffep-2f) == 0, "just below 1/2");
    CHECK(quernel_i_rne(0x1.000002p-1f) == 1, "just above 1/2");
    CHECK(quernel_i_rne(-0.0f) == 0 && quernel_i_rne(1e-45f) == 0, "zeros");
}

void test_clamp(void) {
    CHECK(quernel_i_clamp(NAN, -3.0f, 5.0f) == 0.0f, "NaN is 0");
    CHECK(quernel_i_clamp(-NAN, 2.0f, 5.0f) == 0.0f, "NaN is 0 even outside the bounds");
    CHECK(quernel_i_clamp(INFINITY, -3.0f, 5.0f) == 5.0f, "infinity");
    CHECK(quernel_i_clamp(-INFINITY, -3.0f, 5.0f) == -3.0f, "-infinity");
    CHECK(quernel_i_clamp(4.5f, -3.0f, 5.0f) == 4.5f, "inside");
    CHECK(quernel_i_clamp(5.0f, -3.0f, 5.0f) == 5.0f, "on the bound");
}

void test_num_quantize(void) {
    rng r = {2};
    for (int i = 0; i < 200000; i++) {
        const float x = rng_float(&r, -2.0f, 2.0f) * rng_scale(&r, -4, 12),
                    m = rng_scale(&r, -6, 6);
        const float g = rng_one_in(&r, 2) ? 1.0f : rng_scale(&r, -6, 6);
        const int32_t zero = rng_int(&r, 0, 255);
        const double t = (double)((x * m) * g);
        double u = t < -zero ? -zero : t;
        if (u > 255 - zero) u = 255 - zero;
        const int32_t expected = (int32_t)nearbyint(u) + zero;
        const int32_t q = quernel_i_quantize(x, m, g, (float)(0 - zero), (float)(255 - zero), zero);
        if (!CHECK(q == expected, "x %a m %a g %a zero %d: %d, expected %d", (double)x, (double)m,
                   (double)g, zero, q, expected))
            return;
    }
    CHECK(quernel_i_quantize(NAN, 1.0f, 1.0f, -100.0f, 155.0f, 100) == 100,
          "NaN becomes the zero point");
    CHECK(quernel_i_quantize(INFINITY, 0.0f, 1.0f, -100.0f, 155.0f, 100) == 100,
          "Inf times 0 is NaN");
}

/// All 2^16 bfloat16 numbers survive; a binary32 number becomes the nearest of its two neighbours,
/// the even one of both.
void test_bf16(void) {
    for (uint32_t h = 0; h < 65536; h++) {
        const float f = quernel_i_from_bf16((uint16_t)h);
        const uint16_t back = quernel_i_bf16(f), expected = isnan(f) ? 0x7fc0 : (uint16_t)h;
        if (!CHECK(back == expected, "%04x became %04x", h, back)) return;
    }
}

/// Any float goes to the nearer of its two neighbours, ties to the even one.
void test_bf16_rounds_to_nearest(void) {
    rng r = {3};
    for (int i = 0; i < 300000; i++) {
        const uint32_t bits = (uint32_t)rng_next(&r);
        const float x = quernel_i_float(bits);
        if (isnan(x) || isinf(x)) continue;
        const uint16_t low = (uint16_t)(bits >> 16), high = (uint16_t)(low + 1); // away from zero
        const double below = fabs((double)quernel_i_from_bf16(low)), value = fabs((double)x);
        const double above =
            isinf(quernel_i_from_bf16(high)) ? 0x1p128 : fabs((double)quernel_i_from_bf16(high));
        const double down = value - below, up = above - value;
        const uint16_t expected = down < up ? low : up < down ? high : low & 1 ? high : low;
        if (!CHECK(quernel_i_bf16(x) == expected, "%08x: %04x, expected %04x", bits,
                   quernel_i_bf16(x), expected))
            return;
    }
}

/// The ends of the range, where rounding by bits goes wrong first.
void test_bf16_edges(void) {
    CHECK(quernel_i_bf16(quernel_i_float(0x7f7fffff)) == 0x7f80,
          "the largest number rounds to infinity");
    CHECK(quernel_i_bf16(quernel_i_float(0x7f800001)) == 0x7fc0,
          "a NaN with a low payload stays NaN");
    CHECK(quernel_i_bf16(quernel_i_float(0xffc00000)) == 0x7fc0,
          "a negative NaN becomes the canonical one");
    CHECK(quernel_i_bf16(quernel_i_float(0x00018000)) == 0x0002,
          "subnormals are kept, ties to even");
    CHECK(quernel_i_bf16(-0.0f) == 0x8000, "-0");
}

// The true functions in double precision.
static double true_sigmoid(double t) { return 1.0 / (1.0 + exp(-t)); }
static double true_silu(double t) { return t / (1.0 + exp(-t)); }
static double true_gelu(double t) { return 0.5 * t * erfc(-t / sqrt(2.0)); }
static double true_hsigmoid(double t) { return t < -3.0 ? 0.0 : t > 3.0 ? 1.0 : (t + 3.0) / 6.0; }
static double true_hswish(double t) { return t * true_hsigmoid(t); }

// The functions that kernels compute, and the true ones.
static const struct {
    const char *name;
    float (*is)(float);
    double (*wanted)(double);
} activations[] = {
    {"hswish", quernel_i_hswish, true_hswish},    {"hsigmoid", quernel_i_hsigmoid, true_hsigmoid},
    {"silu", quernel_i_silu, true_silu},          {"gelu", quernel_i_gelu, true_gelu},
    {"sigmoid", quernel_i_sigmoid, true_sigmoid}, {"tanh", quernel_i_tanh, tanh}};

/// Every exponent of both signs, and many mantissas of each: within max(1e-6·|y|, 2e-7) of the true
/// function.
void test_functions(void) {
    for (size_t i = 0; i < sizeof activations / sizeof *activations; i++) {
        // a prime: 841 mantissas of an exponent
        for (uint32_t bits = 0; bits < 0x7f800000u; bits += 9973) {
            for (uint32_t sign = 0; sign < 2; sign++) {
                const float t = quernel_i_float(bits | sign << 31), y = activations[i].is(t);
                const double wanted = activations[i].wanted((double)t),
                             error = fabs((double)y - wanted);
                if (!CHECK(error <= fmax(1e-6 * fabs(wanted), 2e-7), "%s(%a) = %a, expected %a",
                           activations[i].name, (double)t, (double)y, wanted))
                    return;
            }
        }
        CHECK(isnan(activations[i].is(NAN)), "%s(NaN) is a NaN", activations[i].name);
        CHECK(activations[i].is(INFINITY) > 0.999999f, "%s(Inf)", activations[i].name);
    }
}

/// What a softmax takes of e^t: t from −87 to 0, within 3.1e-7 of itself.
void test_exp(void) {
    for (uint32_t bits = 0; bits <= 0x42ae0000u; bits += 997) { // a prime; to 87
        const float t = quernel_i_float(bits | 1u << 31);
        const quernel_i_exponential e = quernel_i_exp(t);
        const double y = (double)fmaf(e.s, e.q, e.s), wanted = exp((double)t);
        if (!CHECK(fabs(y - wanted) <= 3.1e-7 * wanted, "%a: %a, expected %a", (double)t, y,
                   wanted))
            return;
    }
}
