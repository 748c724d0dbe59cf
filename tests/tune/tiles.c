// SPDX-License-Identifier: Apache-2.0
// How large products are planned for AMX tiles, on any machine: the functions look at sizes alone.
#include "../unit/check.h"
#include "plan/amx.h"
#include "registry/registry.h"
#include "tests.h"

enum { L1 = 48 << 10, L2 = 2 << 20 };

// A product whose weights do not stay in L1.
static quernel_i_layer product(quernel_weights *w, const char *kernel, uint32_t columns, uint32_t k) {
    *w = (quernel_weights){.shape = {.columns16 = columns, .k_groups = k / 4, .format = QUERNEL_I_FORMAT_W16X4}};
    return (quernel_i_layer){.weights = w, .gemm = quernel_i_registry_named(kernel), .kernel_h = 1, .kernel_w = 1,
                             .stream = QUERNEL_I_STREAM_WEIGHTS};
}

void test_tiles(void) {
    quernel_weights w;
    quernel_i_layer l = product(&w, "quernel_uk_gemm_u8s8_32x32x64_amxint8", 2048, 2048);
    if (!l.gemm) {
        test_skip("this build has no AMX kernel");
        return;
    }
    CHECK(quernel_i_plan_tiles_stay(&l, L1) == 18 * 16, "K = 2048: 18 of 32 steps fit, not %u", quernel_i_plan_tiles_stay(&l, L1) / 16);
    CHECK(quernel_i_plan_tiles_copy(&l, 2048) && quernel_i_plan_tiles_copy(&l, 4096), "rows meet in one set");
    CHECK(!quernel_i_plan_tiles_copy(&l, 2112) && !quernel_i_plan_tiles_copy(&l, 1024), "rows lie in many sets");
    CHECK(quernel_i_plan_tiles_far(&l, L2), "4 MiB of weights do not stay in L2");
    l.stream = QUERNEL_I_STREAM_ROWS;
    CHECK(!quernel_i_plan_tiles_stay(&l, L1), "rows that pass by do not stay");
    l = product(&w, "quernel_uk_gemm_u8s8_32x32x64_amxint8", 1024, 1024);
    CHECK(!quernel_i_plan_tiles_stay(&l, L1) && !quernel_i_plan_tiles_far(&l, L2), "K = 1024: L1 holds the rows, L2 the weights");
    l = product(&w, "quernel_uk_gemm_u8s8_14x32x4_avx512vnni", 2048, 2048);
    CHECK(!l.gemm || !quernel_i_plan_tiles_far(&l, L2), "no tiles");
}
