// SPDX-License-Identifier: Apache-2.0
// How large products of AVX-512-VNNI are planned by what machines differ in, on any machine.
#include <stdlib.h>

#include "../unit/check.h"
#include "op/product.h"
#include "plan/plan.h"
#include "quernel/linear.h"
#include "registry/registry.h"
#include "tests.h"

static quernel_operator *linear(uint32_t m, uint32_t n, uint32_t k) {
    int8_t *data = calloc((size_t)n * k, 1);
    quernel_weights_desc w = QUERNEL_WEIGHTS_DESC_INIT;
    quernel_weights *packed = NULL;
    quernel_operator *op = NULL;
    w.kind = QUERNEL_WEIGHTS_LINEAR, w.type = QUERNEL_TYPE_S8, w.out = n, w.in = k, w.data = data;
    CHECK(!quernel_weights_pack(&w, &packed, NULL), "weights");
    quernel_linear_desc d = QUERNEL_LINEAR_DESC_INIT;
    d.weights = packed, d.m = m, d.x_type = QUERNEL_TYPE_U8, d.epilogue.y_type = QUERNEL_TYPE_S32;
    CHECK(!quernel_linear_create(&d, &op, NULL), "linear");
    quernel_weights_release(packed);
    free(data);
    return op;
}

// A product, what its machine has, and what the plan does there.
typedef struct product_case {
    uint32_t m, n, k;
    size_t l1d_bytes;
    bool light;
    bool copies, prefetches;
} product_case;

enum {
    ZEN_4 = 32 << 10,         // bytes of L1, in 8 ways
    EMERALD_RAPIDS = 48 << 10 // in 12
};

static const product_case cases[] = {
    {512, 1024, 4096, ZEN_4, true, true, true},
    {512, 1024, 4096, EMERALD_RAPIDS, false, false, true},
    {512, 1024, 2048, ZEN_4, true, false, true}, // two sets, 7 rows in each
    {512, 1024, 4160, ZEN_4, true, false, true}, // many sets
    {512, 64, 4096, ZEN_4, true, false, false},  // few columns, L2 keeps them
    {16, 1024, 2048, ZEN_4, true, false, true},
    {16, 1024, 2048, EMERALD_RAPIDS, false, false, true},
    {256, 2048, 768, ZEN_4, true, false, true}};

static void check_case(const product_case *c, const quernel_i_kernel *kernel) {
    quernel_operator *op = linear(c->m, c->n, c->k);
    if (!op) return;
    const quernel_i_config config = {.kernel = kernel};
    const quernel_i_machine machine = {.isas = 1u << QUERNEL_ISA_REF | 1u << kernel->isa,
                                       .l1d_bytes = c->l1d_bytes,
                                       .l2_bytes = 1 << 20,
                                       .light = (uint32_t)c->light << kernel->isa};
    quernel_i_plan plan;
    if (CHECK(!quernel_i_plan_make(&quernel_i_product_of(op)->problem, &config, &machine, &plan,
                                   NULL),
              "no plan"))
        CHECK((plan.rows.path == QUERNEL_I_PATH_STAGED) == c->copies &&
                  !plan.streams.prefetch == !c->prefetches,
              "%ux%ux%u, %zu bytes of L1, one multiplier %d: path %d, prefetch %u", c->m, c->n,
              c->k, c->l1d_bytes, c->light, plan.rows.path, plan.streams.prefetch);
    quernel_operator_destroy(op);
}

void test_products(void) {
    const quernel_i_kernel *kernel =
        quernel_i_registry_named("quernel_uk_gemm_u8s8_14x32x4_avx512vnni");
    if (!kernel) {
        test_skip("this build has no AVX-512-VNNI kernels");
        return;
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_case(&cases[i], kernel);
}

// Few rows: weights of more than an L2 are fetched ahead where that was measured to be faster.
void test_products_few_rows(void) {
    const quernel_i_kernel *kernel =
        quernel_i_registry_named("quernel_uk_gemv_u8s8_4x16x4_avx512vnni");
    if (!kernel) {
        test_skip("this build has no AVX-512-VNNI kernels");
        return;
    }
    quernel_operator *op = linear(1, 4096, 4096);
    const quernel_i_config config = {.kernel = kernel};
    for (int near = 0; near < 2 && op; near++) {
        const quernel_i_machine machine = {.isas = 1u << QUERNEL_ISA_REF | 1u << kernel->isa,
                                           .l1d_bytes = EMERALD_RAPIDS,
                                           .l2_bytes = 1 << 20,
                                           .near = near};
        quernel_i_plan plan;
        const int code =
            quernel_i_plan_make(&quernel_i_product_of(op)->problem, &config, &machine, &plan, NULL);
        CHECK(!code && !plan.streams.prefetch == !near, "near %d: code %d, prefetch %u", near, code,
              plan.streams.prefetch);
    }
    quernel_operator_destroy(op);
}
