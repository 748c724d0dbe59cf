// SPDX-License-Identifier: Apache-2.0
// Which kernel a plan takes for a 3x3 layer on an instruction set, whether or not this CPU has it.
#include <stdlib.h>
#include <string.h>

#include "../unit/check.h"
#include "op/product.h"
#include "plan/cost.h"
#include "plan/plan.h"
#include "quernel/conv2d.h"
#include "registry/registry.h"
#include "tests.h"

#define SET(isa) (1u << QUERNEL_ISA_##isa)

static quernel_operator *conv3x3(uint32_t channels, uint32_t size, uint32_t stride) {
    int8_t *data = calloc((size_t)channels * channels * 9, 1);
    quernel_weights_desc w = QUERNEL_WEIGHTS_DESC_INIT;
    quernel_weights *packed = NULL;
    quernel_operator *op = NULL;
    w.kind = QUERNEL_WEIGHTS_CONV2D, w.type = QUERNEL_TYPE_S8, w.out = w.in = channels,
    w.kernel_h = w.kernel_w = 3, w.data = data;
    CHECK(!quernel_weights_pack(&w, &packed, NULL), "weights");
    quernel_conv2d_desc d = QUERNEL_CONV2D_DESC_INIT;
    d.weights = packed, d.x.n = 1, d.x.c = channels, d.x.h = d.x.w = size,
    d.x.type = QUERNEL_TYPE_U8;
    d.x.layout = d.y.layout = QUERNEL_LAYOUT_NHWC, d.epilogue.y_type = QUERNEL_TYPE_S32;
    d.stride_h = d.stride_w = stride, d.pad_top = d.pad_left = d.pad_bottom = d.pad_right = 1;
    CHECK(!quernel_conv2d_create(&d, &op, NULL), "conv2d");
    quernel_weights_release(packed);
    free(data);
    return op;
}

enum {
    AVX2_SETS = SET(REF) | SET(AVX2),
    VNNI = AVX2_SETS | SET(AVXVNNI),
    WIDE = VNNI | SET(AVX512VNNI)
};

// A layer of as many channels in as out, the sets that may be used, and the kernel that is best.
typedef struct conv3x3_case {
    uint32_t channels, size, stride, sets;
    const char *kernel;
} conv3x3_case;

// Products of 16 bits run at half the speed of those of bytes where vpdpbusd is there: Winograd's
// quarter of them pays where it outweighs the weights' preparation, with stride 2 its 81 of 144
// do not.
static const conv3x3_case cases[] = {
    {64, 56, 1, AVX2_SETS, "quernel_uk_conv3x3_u8s8_6x16x2_avx2"},
    {64, 56, 1, VNNI, "quernel_uk_conv3x3_u8s8_6x16x2_avxvnni"},
    {64, 56, 1, WIDE, "quernel_uk_conv3x3_u8s8_12x32x2_avx512vnni"},
    {128, 28, 1, WIDE, "quernel_uk_conv3x3_u8s8_12x32x2_avx512vnni"},
    {256, 14, 1, WIDE, "quernel_uk_gemm_u8s8_14x32x4_avx512vnni"},
    {64, 20, 1, VNNI, "quernel_uk_conv3x3_u8s8_6x16x2_avxvnni"},
    {256, 60, 1, VNNI, "quernel_uk_conv3x3_u8s8_6x16x2_avxvnni"},
    {256, 60, 1, WIDE, "quernel_uk_conv3x3_u8s8_12x32x2_avx512vnni"},
    {16, 56, 1, AVX2_SETS, "quernel_uk_conv3x3_u8s8_6x16x2_avx2"},
    {16, 56, 1, VNNI, "quernel_uk_gemm_u8s8_7x16x4_avxvnni"},
    {16, 56, 1, WIDE, "quernel_uk_gemm_u8s8_14x32x4_avx512vnni"},
    {256, 14, 1, VNNI, "quernel_uk_gemm_u8s8_7x16x4_avxvnni"},
    {128, 56, 2, VNNI, "quernel_uk_gemm_u8s8_7x16x4_avxvnni"},
    {128, 56, 2, WIDE, "quernel_uk_gemm_u8s8_14x32x4_avx512vnni"}};

static void check_case(const conv3x3_case *c, const quernel_i_machine *machine) {
    if (!quernel_i_registry_named(c->kernel)) return; // a compiler without it
    quernel_operator *op = conv3x3(c->channels, c->size, c->stride);
    if (!op) return;
    const quernel_i_config none = {0};
    quernel_i_plan plan;
    if (CHECK(!quernel_i_plan_make(&quernel_i_product_of(op)->problem, &none, machine, &plan, NULL),
              "no plan"))
        CHECK(!strcmp(plan.kernels.main->name, c->kernel),
              "%u channels, %u pixels, stride %u, sets %x: %s", c->channels, c->size, c->stride,
              c->sets, plan.kernels.main->name);
    quernel_operator_destroy(op);
}

void test_choice_conv3x3(void) {
    if (!quernel_i_registry_named(cases[0].kernel)) {
        test_skip("this build has no x86 kernels");
        return;
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const quernel_i_machine machine = quernel_i_machine_of(cases[i].sets);
        check_case(&cases[i], &machine);
    }
}

// Direct products: with stride 3 there is no other way.
void test_choice_multipliers(void) {
    const conv3x3_case two = {64, 56, 3, AVX2_SETS, "quernel_uk_gemm_u8s8_6x16x4_avx2"},
                       one = {64, 56, 3, AVX2_SETS, "quernel_uk_gemm_u8s8_2x32x4_avx2"};
    if (!quernel_i_registry_named(one.kernel)) {
        test_skip("this build has no x86 kernels");
        return;
    }
    quernel_i_machine machine = quernel_i_machine_of(AVX2_SETS);
    machine.one_multiplier = false;
    check_case(&two, &machine);
    machine.one_multiplier = true;
    check_case(&one, &machine);
}

static double cost_of(const quernel_operator *op, quernel_i_op kind, uint32_t set) {
    const quernel_i_kernel *k = quernel_i_registry_best(kind, set, QUERNEL_TYPE_U8);
    return k ? quernel_i_cost_cycles(&quernel_i_product_of(op)->problem, k) : 0;
}

// Counted cycles rank the sets, and Winograd's algorithm within them, as they were measured.
void test_choice_costs(void) {
    static const uint32_t sets[] = {SET(AVX2), SET(AVXVNNI), SET(AVX512VNNI)};
    quernel_operator *op = conv3x3(64, 56, 1);
    if (!op) return;
    double before = 1e300;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        const double direct = cost_of(op, QUERNEL_I_OP_GEMM, sets[i]),
                     points = cost_of(op, QUERNEL_I_OP_CONV3X3, sets[i]);
        if (!direct) continue; // a compiler without it
        CHECK(direct < before, "set %x costs more than the one below it", sets[i]);
        CHECK(points > 0 && points < direct, "set %x: %.0f and %.0f cycles", sets[i], points,
              direct);
        before = direct;
    }
    quernel_operator_destroy(op);
}
