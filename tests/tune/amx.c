// SPDX-License-Identifier: Apache-2.0
// How large products are planned for AMX tiles, on any machine: the functions look at sizes alone.
#include "../unit/check.h"
#include "plan/tiled.h"
#include "registry/registry.h"
#include "tests.h"

enum { L1 = 48 << 10, L2 = 2 << 20 };

static quernel_i_problem product(quernel_weights *w, uint32_t oc, uint32_t k) {
    *w = (quernel_weights){
        .shape = {.oc16 = oc, .k_quads = k / 4, .format = QUERNEL_I_FORMAT_W16X4}};
    return (quernel_i_problem){.weights = w, .kernel_h = 1, .kernel_w = 1};
}

// Quads of k that stay in L1.
static uint32_t stay(const quernel_i_problem *p, const quernel_i_kernel *k,
                     quernel_i_streamed streamed) {
    return quernel_i_tiled_l1_resident(p, k, QUERNEL_I_PATH_INPLACE, streamed, L1);
}

static quernel_i_streamed streamed(const quernel_i_problem *p, const quernel_i_kernel *k) {
    return quernel_i_tiled_streamed(p, k, QUERNEL_I_PATH_INPLACE, p->weights->shape.oc16, L1);
}

// Whether the weights are read from beyond L2.
static bool far_away(const quernel_i_problem *p, const quernel_i_kernel *k) {
    return quernel_i_tiled_far(p, k, QUERNEL_I_PATH_INPLACE, L2);
}

// Of 256 rows by 128 output channels, 512 times.
static double cycles(const quernel_i_kernel *k, uint32_t depth, quernel_type type) {
    const quernel_i_machine machine = {.l1d_bytes = L1, .l2_bytes = L2};
    quernel_weights w;
    quernel_i_problem p = product(&w, 128, depth);
    w.shape.run_k_quads = depth / 4, w.shape.subproblems = w.shape.phases = 1;
    p.grid_w = 256, p.grid_h = 512, p.x.n = 1, p.threads = 1;
    p.y = (quernel_tensor){.n = 1, .c = 128, .h = 512, .w = 256, .type = type};
    p.y.stride_w = 1, p.y.stride_c = 512 * 256;
    return quernel_i_tiled_cycles(&p, k, &machine);
}

// Planes that L2 does not hold take their time, which longer products give them.
static void check_planes(const quernel_i_kernel *k) {
    CHECK(cycles(k, 64, QUERNEL_TYPE_F32) > 2 * cycles(k, 64, QUERNEL_TYPE_U8), "K = 64");
    CHECK(cycles(k, 2048, QUERNEL_TYPE_F32) == cycles(k, 2048, QUERNEL_TYPE_U8), "K = 2048");
}

void test_tiles(void) {
    const quernel_i_kernel *tiles =
        quernel_i_registry_named("quernel_uk_gemm_u8s8_32x32x64_amxint8");
    const quernel_i_kernel *vectors =
        quernel_i_registry_named("quernel_uk_gemm_u8s8_14x32x4_avx512vnni");
    if (!tiles) {
        test_skip("this build has no AMX kernel");
        return;
    }
    check_planes(tiles);
    quernel_weights w;
    quernel_i_problem p = product(&w, 2048, 2048); // weights do not stay in L1
    const uint32_t kept = stay(&p, tiles, QUERNEL_I_STREAMED_WEIGHTS);
    CHECK(kept == 18 * 16, "K = 2048: 18 of 32 steps fit, not %u", kept / 16);
    CHECK(quernel_i_tiled_copy(&p, tiles, 2048) && quernel_i_tiled_copy(&p, tiles, 4096),
          "rows meet in one set");
    CHECK(!quernel_i_tiled_copy(&p, tiles, 2112) && !quernel_i_tiled_copy(&p, tiles, 1024),
          "rows lie in many sets");
    CHECK(far_away(&p, tiles), "4 MiB of weights do not stay in L2");
    CHECK(!stay(&p, tiles, QUERNEL_I_STREAMED_ROWS), "streamed rows do not stay");
    CHECK(!vectors || !far_away(&p, vectors), "no tiles");
    p = product(&w, 1024, 1024);
    CHECK(!stay(&p, tiles, QUERNEL_I_STREAMED_WEIGHTS) && !far_away(&p, tiles),
          "K = 1024: L1 holds the rows, L2 the weights");
    CHECK(streamed(&p, tiles) == QUERNEL_I_STREAMED_WEIGHTS, "L1 does not hold 1 MiB");
    p = product(&w, 64, 576);
    CHECK(streamed(&p, tiles) == QUERNEL_I_STREAMED_ROWS, "36 KiB of weights leave no room for 18");
    p = product(&w, 64, 256);
    CHECK(streamed(&p, tiles) == QUERNEL_I_STREAMED_NONE, "L1 holds 16 and 8 KiB");
}
