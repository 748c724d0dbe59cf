// SPDX-License-Identifier: Apache-2.0
// Every refusal of the one-shot matrix products and of the stand-alone quantization.
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "counting.h"
#include "fixture.h"
#include "tests.h"

enum { M = 3, N = 4, K = 5, POISON = 0x5a };

typedef struct product {
    int transpose_b;
    uint32_t m, n, k;
    const void *a;
    int64_t lda;
    int32_t a_zero;
    const int8_t *b;
    int64_t ldb;
    int32_t b_zero;
    int beta;
    int32_t *c;
    int64_t ldc;
    uint32_t threads;
} product;

static int multiply(bool is_unsigned, const product *p, const quernel_allocator *allocator,
                    quernel_error *error) {
    if (is_unsigned) {
        return quernel_gemm_u8s8s32(p->transpose_b, p->m, p->n, p->k, p->a, p->lda, p->a_zero, p->b,
                                    p->ldb, p->b_zero, p->beta, p->c, p->ldc, p->threads, NULL,
                                    allocator, error);
    }
    return quernel_gemm_s8s8s32(p->transpose_b, p->m, p->n, p->k, p->a, p->lda, p->a_zero, p->b,
                                p->ldb, p->b_zero, p->beta, p->c, p->ldc, p->threads, NULL,
                                allocator, error);
}

static void refuse(bool is_unsigned, const product *p, const int32_t *c, refusal wanted,
                   const char *what) {
    counting memory;
    counting_init(&memory, 0);
    quernel_error error = {0};
    char text[160];
    snprintf(text, sizeof text, "%s gemm with %s", is_unsigned ? "u8s8" : "s8s8", what);
    const int code = multiply(is_unsigned, p, &memory.allocator, &error);
    expect_refusal(code, &error, wanted, text);
    counting_check(&memory, text);
    for (int i = 0; i < M * N; i++) {
        if (!CHECK(c[i] == 0x5a5a5a5a, "%s: C was written to", text)) break;
    }
}

#define REFUSES(is_unsigned, change, ...)                                       \
    do {                                                                        \
        static uint8_t a[M * K], b[K * N];                                      \
        static int32_t c[M * N];                                                \
        product p = {0, M, N, K, a, K, 0, (const int8_t *)b, N, 0, 0, c, N, 1}; \
        memset(c, POISON, sizeof c);                                            \
        change;                                                                 \
        refuse(is_unsigned, &p, c, (refusal){__VA_ARGS__}, #change);            \
    } while (0)
#define BOTH(change, ...)                    \
    do {                                     \
        REFUSES(false, change, __VA_ARGS__); \
        REFUSES(true, change, __VA_ARGS__);  \
    } while (0)

void test_refuse_gemm(void) {
    BOTH(p.a = NULL, QUERNEL_E_NULL, "a", NULL, -1);
    BOTH(p.b = NULL, QUERNEL_E_NULL, "b", NULL, -1);
    BOTH(p.c = NULL, QUERNEL_E_NULL, "c", NULL, -1);
    BOTH(p.m = 0, QUERNEL_E_SHAPE, "m", "0", -1);
    BOTH(p.n = 0, QUERNEL_E_SHAPE, "n", "0", -1);
    BOTH(p.k = 0, QUERNEL_E_SHAPE, "k", "0", -1);
    BOTH(p.lda = K - 1, QUERNEL_E_STRIDE, "lda", "4", -1);
    BOTH(p.ldb = N - 1, QUERNEL_E_STRIDE, "ldb", "3", -1);
    BOTH((p.transpose_b = 1, p.ldb = K - 1), QUERNEL_E_STRIDE, "ldb", "4", -1);
    BOTH(p.ldc = N - 1, QUERNEL_E_STRIDE, "ldc", "3", -1);
    BOTH(p.lda = -K, QUERNEL_E_STRIDE, "lda", "-5", -1);
    BOTH(p.lda = INT64_MIN, QUERNEL_E_STRIDE, "lda", NULL, -1);
    BOTH(p.beta = 2, QUERNEL_E_VALUE, "beta", "2", -1);
    BOTH(p.beta = -1, QUERNEL_E_VALUE, "beta", "-1", -1);
}

/// Zero points and depths whose sums leave 32 bits, and operands that overlap.
void test_refuse_gemm_values(void) {
    BOTH(p.b_zero = 128, QUERNEL_E_VALUE, "b_zero", "128", -1);
    BOTH(p.b_zero = -129, QUERNEL_E_VALUE, "b_zero", "-129", -1);
    REFUSES(false, p.a_zero = 128, QUERNEL_E_VALUE, "a_zero", "128", -1);
    REFUSES(false, p.a_zero = -129, QUERNEL_E_VALUE, "a_zero", "-129", -1);
    REFUSES(true, p.a_zero = 256, QUERNEL_E_VALUE, "a_zero", "256", -1);
    REFUSES(true, p.a_zero = -1, QUERNEL_E_VALUE, "a_zero", "-1", -1);
    REFUSES(false, p.k = p.lda = 131072, QUERNEL_E_OVERFLOW, "k", "131072", -1);
    REFUSES(true, p.k = p.lda = 65794, QUERNEL_E_OVERFLOW, "k", "65794", -1);
    BOTH((p.b_zero = 1, p.k = 33026, p.lda = 33026), QUERNEL_E_OVERFLOW, "k", "33026", -1);
    BOTH((p.a_zero = 1, p.k = 33026, p.lda = 33026), QUERNEL_E_OVERFLOW, "k", "33026", -1);
    BOTH(p.threads = UINT32_MAX, QUERNEL_E_VALUE, "threads", "4294967295", -1);
    BOTH(p.a = c, QUERNEL_E_OVERLAP, "c", NULL, -1);
    BOTH(p.b = (const int8_t *)c + 3, QUERNEL_E_OVERLAP, "c", NULL, -1);
}

void test_refuse_quantize(void) {
    float x[4] = {1.0f, 2.0f, 3.0f, 4.0f};
    uint8_t q[4] = {POISON, POISON, POISON, POISON};
    quernel_error error = {0};
    const struct {
        const float *x;
        float scale;
        int32_t zero, type, narrow;
        void *q;
        refusal wanted;
    } cases[] = {
        {NULL, 1.0f, 0, QUERNEL_TYPE_U8, 0, q, {QUERNEL_E_NULL, "x", NULL, -1}},
        {x, 1.0f, 0, QUERNEL_TYPE_U8, 0, NULL, {QUERNEL_E_NULL, "q", NULL, -1}},
        {x, 0.0f, 0, QUERNEL_TYPE_U8, 0, q, {QUERNEL_E_VALUE, "scale", "0", -1}},
        {x, -1.0f, 0, QUERNEL_TYPE_U8, 0, q, {QUERNEL_E_VALUE, "scale", "-1", -1}},
        {x, NAN, 0, QUERNEL_TYPE_U8, 0, q, {QUERNEL_E_VALUE, "scale", "nan", -1}},
        {x, INFINITY, 0, QUERNEL_TYPE_U8, 0, q, {QUERNEL_E_VALUE, "scale", "inf", -1}},
        {x, 1.0f, 256, QUERNEL_TYPE_U8, 0, q, {QUERNEL_E_VALUE, "zero", "256", -1}},
        {x, 1.0f, -1, QUERNEL_TYPE_U8, 0, q, {QUERNEL_E_VALUE, "zero", "-1", -1}},
        {x, 1.0f, -129, QUERNEL_TYPE_S8, 0, q, {QUERNEL_E_VALUE, "zero", "-129", -1}},
        {x, 1.0f, -128, QUERNEL_TYPE_S8, 1, q, {QUERNEL_E_VALUE, "zero", "-128", -1}},
        {x, 1.0f, 0, QUERNEL_TYPE_S32, 0, q, {QUERNEL_E_VALUE, "type", "2", -1}},
        {x, 1.0f, 0, QUERNEL_TYPE_U8, 0, x, {QUERNEL_E_OVERLAP, "q", NULL, -1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int code = quernel_quantize(cases[i].x, 4, cases[i].scale, cases[i].zero,
                                          cases[i].type, cases[i].narrow, 0, cases[i].q, &error);
        expect_refusal(code, &error, cases[i].wanted, "quantize");
        CHECK(q[0] == POISON && q[3] == POISON, "quantize case %zu: q was written to", i);
    }
}

void test_refuse_dequantize(void) {
    const uint8_t q[4] = {0};
    quernel_error error = {0};
    float back[4] = {7.0f, 7.0f, 7.0f, 7.0f};
    expect_refusal(quernel_dequantize(NULL, 4, 1.0f, 0, QUERNEL_TYPE_U8, back, &error), &error,
                   (refusal){QUERNEL_E_NULL, "q", NULL, -1}, "dequantize");
    expect_refusal(quernel_dequantize(q, 4, 1.0f, 0, QUERNEL_TYPE_U8, NULL, &error), &error,
                   (refusal){QUERNEL_E_NULL, "x", NULL, -1}, "dequantize");
    expect_refusal(quernel_dequantize(q, 4, 1.0f, 0, QUERNEL_TYPE_F32, back, &error), &error,
                   (refusal){QUERNEL_E_VALUE, "type", "0", -1}, "dequantize");
    expect_refusal(quernel_dequantize(q, 4, NAN, 0, QUERNEL_TYPE_U8, back, &error), &error,
                   (refusal){QUERNEL_E_VALUE, "scale", "nan", -1}, "dequantize");
    CHECK(back[0] == 7.0f, "dequantize has written");
}

void test_refuse_range_and_smoothing(void) {
    const float x[4] = {1.0f, -2.0f, 3.0f, 4.0f};
    float scale = 7.0f;
    int32_t zero = 7;
    quernel_error error = {0};
    expect_refusal(quernel_quant_range(NULL, 4, QUERNEL_TYPE_U8, 0, &scale, &zero, &error), &error,
                   (refusal){QUERNEL_E_NULL, "x", NULL, -1}, "range");
    expect_refusal(quernel_quant_range(x, 4, QUERNEL_TYPE_U8, 0, NULL, &zero, &error), &error,
                   (refusal){QUERNEL_E_NULL, "ret_scale", NULL, -1}, "range");
    expect_refusal(quernel_quant_range(x, 4, QUERNEL_TYPE_U8, 0, &scale, NULL, &error), &error,
                   (refusal){QUERNEL_E_NULL, "ret_zero", NULL, -1}, "range");
    expect_refusal(quernel_quant_range(x, 4, QUERNEL_TYPE_F32, 0, &scale, &zero, &error), &error,
                   (refusal){QUERNEL_E_VALUE, "type", "0", -1}, "range");
    CHECK(scale == 7.0f && zero == 7, "range has written");
}

void test_refuse_smoothing(void) {
    const float x[4] = {1.0f, -2.0f, 3.0f, 4.0f};
    float smooth[4] = {7.0f, 7.0f, 7.0f, 7.0f};
    quernel_error error = {0};
    const float bad[4] = {1.0f, NAN, 1.0f, -1.0f};
    quernel_smooth_options options = QUERNEL_SMOOTH_OPTIONS_INIT;
    expect_refusal(quernel_smooth_factors(NULL, x, 4, NULL, smooth, &error), &error,
                   (refusal){QUERNEL_E_NULL, "act_max", NULL, -1}, "smooth");
    expect_refusal(quernel_smooth_factors(x, NULL, 4, NULL, smooth, &error), &error,
                   (refusal){QUERNEL_E_NULL, "weight_max", NULL, -1}, "smooth");
    expect_refusal(quernel_smooth_factors(smooth, smooth, 4, NULL, NULL, &error), &error,
                   (refusal){QUERNEL_E_NULL, "ret_smooth", NULL, -1}, "smooth");
    expect_refusal(quernel_smooth_factors(bad, bad + 2, 2, NULL, smooth, &error), &error,
                   (refusal){QUERNEL_E_VALUE, "act_max", "nan", 1}, "smooth");
    expect_refusal(quernel_smooth_factors(bad + 2, bad, 1,
                                          &(quernel_smooth_options){sizeof options, 1.5, 0.1, 0.1},
                                          smooth, &error),
                   &error, (refusal){QUERNEL_E_VALUE, "alpha", "1.5", -1}, "smooth");
    expect_refusal(quernel_smooth_factors(smooth, bad + 2, 2, NULL, smooth + 2, &error), &error,
                   (refusal){QUERNEL_E_VALUE, "weight_max", "-1", 1}, "smooth");
    options.size = 0;
    expect_refusal(quernel_smooth_factors(smooth, smooth, 2, &options, smooth + 2, &error), &error,
                   (refusal){QUERNEL_E_VALUE, "size", "0", -1}, "smooth");
    CHECK(smooth[0] == 7.0f && smooth[2] == 7.0f, "smooth_factors has written");
}
