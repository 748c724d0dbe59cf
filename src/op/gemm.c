// SPDX-License-Identifier: Apache-2.0
// One-shot products: pack B, make a linear operator with s32 output, run it, give everything back.
#include "quernel/gemm.h"

#include "base/alloc.h"
#include "base/error.h"
#include "quernel/linear.h"

#define WHERE "gemm"

typedef struct product {
    int32_t transpose_b, type;
    uint32_t m, n, k;
    const void *a, *b;
    int64_t lda, ldb, ldc;
    int32_t a_zero, b_zero, beta;
    int32_t *c;
    uint32_t threads;
    const quernel_parallel *parallel;
    const quernel_allocator *allocator;
} product;

// Σ of k products of the largest magnitude stays below 2^31: 255·128, 128·128, and 255·255 with
// zero points.
static uint32_t max_k(const product *p) {
    if (p->a_zero || p->b_zero) return 33025;
    return p->type == QUERNEL_TYPE_U8 ? 65793 : 131071;
}

// C [m][n] against a matrix of `rows` rows; both by the bytes that they span.
static bool overlaps(const product *p, const void *from, uint32_t rows, uint32_t columns,
                     int64_t stride) {
    const uintptr_t c0 = (uintptr_t)p->c,
                    c1 = c0 + (((uintptr_t)p->m - 1) * (uintptr_t)p->ldc + p->n) * sizeof *p->c;
    const uintptr_t x0 = (uintptr_t)from,
                    x1 = x0 + (uintptr_t)(rows - 1) * (uintptr_t)stride + columns;
    return c0 < x1 && x0 < c1;
}

static int check_overlap(const product *p, quernel_error *error) {
    const bool a = overlaps(p, p->a, p->m, p->k, p->lda);
    const bool b =
        overlaps(p, p->b, p->transpose_b ? p->n : p->k, p->transpose_b ? p->k : p->n, p->ldb);
    if (!a && !b) return QUERNEL_OK;
    return quernel_i_error_set(error, QUERNEL_E_OVERLAP, "c", -1, WHERE ": c: overlaps %s",
                               a ? "a" : "b");
}

static int check(const product *p, quernel_error *error) {
    if (!p->a) return quernel_i_error_null(error, WHERE, "a");
    if (!p->b) return quernel_i_error_null(error, WHERE, "b");
    if (!p->c) return quernel_i_error_null(error, WHERE, "c");
    const struct {
        const char *name;
        int64_t value, lo, hi;
        int code;
    } ranges[] = {{"m", p->m, 1, 1 << 26, QUERNEL_E_SHAPE},
                  {"n", p->n, 1, 1 << 26, QUERNEL_E_SHAPE},
                  {"k", p->k, 1, UINT32_MAX, QUERNEL_E_SHAPE},
                  {"k", p->k, 1, max_k(p), QUERNEL_E_OVERFLOW},
                  {"lda", p->lda, p->k, INT32_MAX, QUERNEL_E_STRIDE},
                  {"ldb", p->ldb, p->transpose_b ? p->k : p->n, INT32_MAX, QUERNEL_E_STRIDE},
                  {"ldc", p->ldc, p->n, INT32_MAX, QUERNEL_E_STRIDE},
                  {"beta", p->beta, 0, 1, QUERNEL_E_VALUE},
                  {"a_zero", p->a_zero, p->type == QUERNEL_TYPE_U8 ? 0 : -128,
                   p->type == QUERNEL_TYPE_U8 ? 255 : 127, QUERNEL_E_VALUE},
                  {"b_zero", p->b_zero, -128, 127, QUERNEL_E_VALUE}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        const int code = quernel_i_check_range(error, ranges[i].code, WHERE, ranges[i].name,
                                               ranges[i].value, ranges[i].lo, ranges[i].hi);
        if (code) return code;
    }
    const int code = check_overlap(p, error);
    return code ? code : quernel_i_allocator_check(p->allocator, WHERE, error);
}

static int pack(const product *p, const quernel_allocator *memory, quernel_weights **ret_weights,
                quernel_error *error) {
    quernel_weights_desc d = QUERNEL_WEIGHTS_DESC_INIT;
    d.type = QUERNEL_TYPE_S8;
    d.out = p->n, d.in = p->k;
    d.data = p->b;
    if (p->transpose_b) d.stride = p->ldb;
    else d.stride = 1, d.stride_in = p->ldb;
    d.allocator = memory;
    int32_t *zeros = NULL;
    const size_t bytes = p->n * sizeof *zeros;
    if (p->b_zero) {
        zeros = quernel_i_allocate(memory, bytes);
        if (!zeros)
            return quernel_i_error_set(error, QUERNEL_E_MEMORY, "allocator", -1,
                                       WHERE ": no memory");
        for (uint32_t i = 0; i < p->n; i++) zeros[i] = p->b_zero;
        d.zero = zeros;
    }
    const int code = quernel_weights_pack(&d, ret_weights, error);
    quernel_i_release(memory, zeros, bytes);
    return code;
}

static int run(const product *p, const quernel_allocator *memory, quernel_operator *op,
               quernel_error *error) {
    const size_t bytes = quernel_operator_workspace(op);
    void *workspace = quernel_i_allocate(memory, bytes);
    if (!workspace)
        return quernel_i_error_set(error, QUERNEL_E_MEMORY, "allocator", -1, WHERE ": no memory");
    const int code = quernel_operator_run(op, p->a, p->beta ? p->c : NULL, p->c, workspace, bytes,
                                          p->parallel, error);
    quernel_i_release(memory, workspace, bytes);
    return code;
}

static int multiply(const product *p, quernel_error *error) {
    int code = check(p, error);
    if (code) return code;
    const quernel_allocator memory = quernel_i_allocator(p->allocator);
    quernel_weights *weights;
    if ((code = pack(p, &memory, &weights, error))) return code;
    quernel_linear_desc d = QUERNEL_LINEAR_DESC_INIT;
    d.weights = weights;
    d.m = p->m;
    d.x_type = d.quant.type = p->type;
    d.x_stride = p->lda, d.y_stride = d.residual_stride = p->ldc;
    d.quant.zero = p->a_zero;
    d.epilogue.y_type = d.epilogue.residual_type = QUERNEL_TYPE_S32;
    d.epilogue.residual = p->beta;
    d.threads = p->threads;
    d.allocator = &memory;
    quernel_operator *op;
    if (!(code = quernel_linear_create(&d, &op, error))) {
        code = run(p, &memory, op, error);
        quernel_operator_destroy(op);
    }
    quernel_weights_release(weights);
    return code;
}

int quernel_gemm_s8s8s32(int transpose_b, uint32_t m, uint32_t n, uint32_t k, const int8_t *a,
                         int64_t lda, int32_t a_zero, const int8_t *b, int64_t ldb, int32_t b_zero,
                         int beta, int32_t *c, int64_t ldc, uint32_t threads,
                         const quernel_parallel *parallel, const quernel_allocator *allocator,
                         quernel_error *error) {
    const product p = {
        transpose_b, QUERNEL_TYPE_S8, m,      n,    k, a,       b,        lda,      ldb,
        ldc,         a_zero,          b_zero, beta, c, threads, parallel, allocator};
    return multiply(&p, error);
}

int quernel_gemm_u8s8s32(int transpose_b, uint32_t m, uint32_t n, uint32_t k, const uint8_t *a,
                         int64_t lda, int32_t a_zero, const int8_t *b, int64_t ldb, int32_t b_zero,
                         int beta, int32_t *c, int64_t ldc, uint32_t threads,
                         const quernel_parallel *parallel, const quernel_allocator *allocator,
                         quernel_error *error) {
    const product p = {
        transpose_b, QUERNEL_TYPE_U8, m,      n,    k, a,       b,        lda,      ldb,
        ldc,         a_zero,          b_zero, beta, c, threads, parallel, allocator};
    return multiply(&p, error);
}
