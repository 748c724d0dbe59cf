// SPDX-License-Identifier: Apache-2.0
// Runs one random one-shot matrix product against the oracle.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "environment.h"
#include "golden.h"
#include "memory.h"
#include "oracle.h"
#include "runner.h"
#include "spread.h"

typedef struct gemm_case {
    rng r;
    bool is_unsigned, transpose;
    int beta;
    uint32_t m, n, k, threads, environment;
    int64_t lda, ldb, ldc;
    int32_t a_zero, b_zero;
    op_spread spread;
} gemm_case;

static gemm_case draw(uint64_t seed, uint64_t number) {
    gemm_case g = {.r = rng_make(seed, number)};
    rng *r = &g.r;
    const bool large = rng_one_in(r, 50);
    g.is_unsigned = rng_one_in(r, 2);
    g.transpose = rng_one_in(r, 2);
    g.beta = rng_one_in(r, 2);
    g.m = (uint32_t)rng_int(r, 1, large ? 130 : 20);
    g.n = (uint32_t)rng_int(r, 1, large ? 200 : 40);
    g.k = (uint32_t)rng_int(r, 1, large ? 600 : rng_one_in(r, 4) ? 300 : 40);
    if (rng_one_in(r, 200)) g.m = g.n = 1, g.k = (uint32_t)rng_int(r, 30000, 33025);
    g.lda = g.k + rng_int(r, 0, 5);
    g.ldb = (g.transpose ? g.k : g.n) + (int64_t)rng_int(r, 0, 5);
    g.ldc = g.n + rng_int(r, 0, 5);
    const int32_t min = g.is_unsigned ? 0 : -128;
    g.a_zero = rng_one_in(r, 2) ? 0 : rng_int(r, min, min + 255);
    g.b_zero = rng_one_in(r, 2) ? 0 : rng_int(r, -128, 127);
    g.threads = (uint32_t)rng_int(r, 1, 3);
    g.spread = g.threads > 1 ? (op_spread)rng_int(r, 0, OP_SPREADS - 1) : OP_SPREAD_NONE;
    g.environment = (uint32_t)rng_int(r, 0, 6);
    return g;
}

static void fill(rng *r, uint8_t *data, size_t bytes) {
    const int mode = rng_int(r, 0, 7);
    for (size_t i = 0; i < bytes; i++) {
        data[i] = (uint8_t)rng_next(r);
        if (mode == 0) data[i] = 0x80;
        if (mode == 1) data[i] = i & 1 ? 0x7f : 0xff;
    }
}

static int run(gemm_case *g, const uint8_t *a, const int8_t *b, int32_t *c, quernel_error *error) {
    spread context;
    const quernel_parallel parallel = spread_make(g->spread, g->threads, rng_next(&g->r), &context);
    const quernel_parallel *over = g->spread == OP_SPREAD_NONE ? NULL : &parallel;
    environment_set(environment_number(g->environment));
    const int code =
        g->is_unsigned
            ? quernel_gemm_u8s8s32(g->transpose, g->m, g->n, g->k, a, g->lda, g->a_zero, b, g->ldb,
                                   g->b_zero, g->beta, c, g->ldc, g->threads, over, NULL, error)
            : quernel_gemm_s8s8s32(g->transpose, g->m, g->n, g->k, (const int8_t *)a, g->lda,
                                   g->a_zero, b, g->ldb, g->b_zero, g->beta, c, g->ldc, g->threads,
                                   over, NULL, error);
    environment_set(environment_number(0));
    return code;
}

bool runner_gemm(uint64_t seed, uint64_t number, char *text, size_t capacity) {
    static guarded a_memory, b_memory, c_memory;
    gemm_case g = draw(seed, number);
    const size_t a_bytes = (size_t)((g.m - 1) * g.lda + g.k);
    const size_t b_bytes =
        (size_t)(g.transpose ? (g.n - 1) * g.ldb + g.k : (g.k - 1) * g.ldb + g.n);
    const size_t c_bytes = (size_t)((g.m - 1) * g.ldc + g.n) * sizeof(int32_t);
    uint8_t *window;
    size_t window_bytes;
    uint8_t *a = guarded_take(&a_memory, a_bytes, 1, GUARDED_END, 0, &window, &window_bytes);
    uint8_t *b = guarded_take(&b_memory, b_bytes, 1, GUARDED_END, 0, &window, &window_bytes);
    uint8_t *c = guarded_take(&c_memory, c_bytes, 4, GUARDED_END, 0xa5, &window, &window_bytes);
    uint8_t *expected = malloc(window_bytes);
    if (!a || !b || !c || !expected) abort();
    fill(&g.r, a, a_bytes);
    fill(&g.r, b, b_bytes);
    memcpy(expected, window, window_bytes);
    oracle_gemm(g.is_unsigned ? QUERNEL_TYPE_U8 : QUERNEL_TYPE_S8, g.transpose, g.m, g.n, g.k, a,
                g.lda, g.a_zero, (const int8_t *)b, g.ldb, g.b_zero, g.beta,
                (int32_t *)(expected + (c - window)), g.ldc);
    quernel_error error = {0};
    const int code = run(&g, a, (const int8_t *)b, (int32_t *)c, &error);
    const bool right = code == QUERNEL_OK && memcmp(window, expected, window_bytes) == 0;
    if (right) golden_bytes(c, c_bytes);
    else {
        snprintf(text, capacity,
                 "%s: %s; %s m %u n %u k %u ld %lld %lld %lld zeros %d %d transpose %d beta %d "
                 "threads %u"
                 " spread %d",
                 code == QUERNEL_OK ? "C differs" : quernel_status_string(code), error.text,
                 g.is_unsigned ? "u8s8" : "s8s8", g.m, g.n, g.k, (long long)g.lda, (long long)g.ldb,
                 (long long)g.ldc, g.a_zero, g.b_zero, g.transpose, g.beta, g.threads,
                 (int)g.spread);
    }
    free(expected);
    return right;
}
