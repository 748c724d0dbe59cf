// SPDX-License-Identifier: Apache-2.0
// Which kernel a plan takes for a layer on an instruction set, whether or not this CPU has it.
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

// A square layer, the sets that may be used, and the kernel that is best.
typedef struct layer_case {
    uint32_t channels, size, stride, sets;
    const char *best;
    uint32_t out, kernel, groups;   // 0: as many as `channels`, 3, 1
    uint32_t one_multiplier, light; // of quernel_i_machine
    bool chain;                     // y is bytes, and both have the border that padding needs
} layer_case;

static quernel_operator *convolution(const layer_case *c) {
    const uint32_t kernel = c->kernel ? c->kernel : 3;
    quernel_weights_desc w = QUERNEL_WEIGHTS_DESC_INIT;
    quernel_weights *packed = NULL;
    quernel_operator *op = NULL;
    w.kind = QUERNEL_WEIGHTS_CONV2D, w.type = QUERNEL_TYPE_S8, w.in = c->channels,
    w.out = c->out ? c->out : c->channels, w.kernel_h = w.kernel_w = kernel;
    if (c->groups) w.groups = c->groups;
    int8_t *data = calloc((size_t)w.out * w.in * kernel * kernel, 1);
    w.data = data;
    CHECK(!quernel_weights_pack(&w, &packed, NULL), "weights");
    quernel_conv2d_desc d = QUERNEL_CONV2D_DESC_INIT;
    d.weights = packed, d.x.n = 1, d.x.c = c->channels, d.x.h = d.x.w = c->size,
    d.x.type = QUERNEL_TYPE_U8;
    d.x.layout = d.y.layout = QUERNEL_LAYOUT_NHWC, d.epilogue.y_type = QUERNEL_TYPE_S32;
    if (c->chain)
        d.epilogue.y_type = QUERNEL_TYPE_U8,
        d.x.border_h = d.x.border_w = d.y.border_h = d.y.border_w = kernel / 2;
    d.stride_h = d.stride_w = c->stride,
    d.pad_top = d.pad_left = d.pad_bottom = d.pad_right = kernel / 2;
    CHECK(!quernel_conv2d_create(&d, &op, NULL), "conv2d");
    quernel_weights_release(packed);
    free(data);
    return op;
}

enum {
    AVX2_SETS = SET(REF) | SET(AVX2),
    VNNI = AVX2_SETS | SET(AVXVNNI),
    WIDE = VNNI | SET(AVX512VNNI),
    TILED = WIDE | SET(AMXINT8),
    NEON_SETS = SET(REF) | SET(NEON),
    DOTS = NEON_SETS | SET(DOTPROD),
    MATRICES = DOTS | SET(I8MM)
};

// Products of 16 bits run at half the speed of those of bytes where vpdpbusd is there: Winograd's
// quarter of them pays where it outweighs the weights' preparation, with stride 2 its 81 of 144
// do not.
static const layer_case conv3x3_cases[] = {
    {64, 56, 1, AVX2_SETS, .best = "quernel_uk_conv3x3_u8s8_6x16x2_avx2"},
    {64, 56, 1, VNNI, .best = "quernel_uk_conv3x3_u8s8_6x16x2_avxvnni"},
    {64, 56, 1, WIDE, .best = "quernel_uk_conv3x3_u8s8_12x32x2_avx512vnni"},
    {128, 28, 1, WIDE, .best = "quernel_uk_conv3x3_u8s8_12x32x2_avx512vnni"},
    {256, 14, 1, WIDE, .best = "quernel_uk_gemm_u8s8_14x32x4_avx512vnni"},
    {64, 20, 1, VNNI, .best = "quernel_uk_conv3x3_u8s8_6x16x2_avxvnni"},
    {256, 60, 1, VNNI, .best = "quernel_uk_conv3x3_u8s8_6x16x2_avxvnni"},
    {256, 60, 1, WIDE, .best = "quernel_uk_conv3x3_u8s8_12x32x2_avx512vnni"},
    {16, 56, 1, AVX2_SETS, .best = "quernel_uk_conv3x3_u8s8_6x16x2_avx2"},
    {16, 56, 1, VNNI, .best = "quernel_uk_gemm_u8s8_7x16x4_avxvnni"},
    {16, 56, 1, WIDE, .best = "quernel_uk_gemm_u8s8_14x32x4_avx512vnni"},
    {256, 14, 1, VNNI, .best = "quernel_uk_gemm_u8s8_7x16x4_avxvnni"},
    {128, 56, 2, VNNI, .best = "quernel_uk_gemm_u8s8_7x16x4_avxvnni"},
    {128, 56, 2, WIDE, .best = "quernel_uk_gemm_u8s8_14x32x4_avx512vnni"}};

// Base NEON multiplies bytes no faster than words by Winograd's inner product; dot products and
// matrix products of bytes are four and eight times as fast, and keep what Winograd saves. With
// stride 2 it saves less, most of which cores that issue in order take for the rest.
static const layer_case arm_conv3x3_cases[] = {
    {64, 56, 1, NEON_SETS, .best = "quernel_uk_conv3x3_u8s8_2x16x4_neon"},
    {16, 56, 1, NEON_SETS, .best = "quernel_uk_conv3x3_u8s8_2x16x4_neon"},
    {256, 14, 1, NEON_SETS, .best = "quernel_uk_conv3x3_u8s8_2x16x4_neon"},
    {512, 7, 1, NEON_SETS, .best = "quernel_uk_gemm_u8s8_3x16x8_neon"},
    {64, 56, 1, DOTS, .best = "quernel_uk_gemm_s8s8_6x16x4_dotprod"},
    {512, 60, 1, DOTS, .best = "quernel_uk_gemm_s8s8_6x16x4_dotprod"},
    {64, 56, 1, MATRICES, .best = "quernel_uk_gemm_u8s8_6x16x8_i8mm"},
    {128, 56, 2, NEON_SETS, .best = "quernel_uk_gemm_u8s8_3x16x8_neon"},
    {128, 56, 2, NEON_SETS, .best = "quernel_uk_conv3x3s2f4_u8s8_2x16x4_neon", .light = SET(NEON)},
    {32, 56, 2, NEON_SETS, .best = "quernel_uk_gemm_u8s8_3x16x8_neon", .light = SET(NEON)},
    {128, 56, 2, DOTS, .best = "quernel_uk_gemm_s8s8_6x16x4_dotprod", .light = SET(NEON)},
    {3, 224, 2, NEON_SETS, .best = "quernel_uk_convlines_u8s8_2x16x4_neon", .out = 64, .kernel = 7},
    {3, 224, 2, DOTS, .best = "quernel_uk_gemm_s8s8_6x16x4_dotprod", .out = 64, .kernel = 7,
     .light = SET(NEON)},
    {3, 224, 2, NEON_SETS, .best = "quernel_uk_gemm_u8s8_3x16x8_neon", .out = 64, .kernel = 5,
     .light = SET(NEON)}};

// Fewer than 16 output channels: the tail of the product's register tile, or a narrow kernel,
// multiplies less padding than Winograd's algorithm saves.
static const layer_case narrow_cases[] = {
    {64, 56, 1, WIDE, .best = "quernel_uk_gemm_u8s8_14x32x4_avx512vnni", .out = 8},
    {64, 56, 1, WIDE, .best = "quernel_uk_conv3x3_u8s8_12x32x2_avx512vnni", .out = 16},
    {128, 28, 1, WIDE, .best = "quernel_uk_gemm_u8s8_16x4x64_avx512vnni", .out = 10},
    {128, 28, 1, WIDE, .best = "quernel_uk_gemm_u8s8_14x32x4_avx512vnni", .out = 7},
    {48, 28, 1, WIDE, .best = "quernel_uk_gemm_u8s8_14x32x4_avx512vnni", .out = 10},
    {128, 28, 1, VNNI, .best = "quernel_uk_gemm_u8s8_8x4x32_avxvnni", .out = 8},
    {128, 28, 1, VNNI, .best = "quernel_uk_conv3x3_u8s8_6x16x2_avxvnni", .out = 12,
     .light = SET(AVXVNNI)},
    {64, 56, 1, AVX2_SETS, .best = "quernel_uk_conv3x3_u8s8_6x16x2_avx2", .out = 8},
    {256, 28, 1, AVX2_SETS, .best = "quernel_uk_gemm_u8s8_4x4x16_avx2", .out = 6, .kernel = 1},
    {256, 4, 1, AVX2_SETS, .best = "quernel_uk_gemm_u8s8_6x16x2_avx2", .out = 6, .kernel = 1},
    {64, 28, 1, AVX2_SETS, .best = "quernel_uk_gemm_u8s8_6x16x4_avx2", .out = 6, .kernel = 1},
    {256, 28, 1, AVX2_SETS, .best = "quernel_uk_gemm_u8s8_6x16x4_avx2", .out = 7, .kernel = 1}};

static const layer_case arm_narrow_cases[] = {
    {64, 56, 1, NEON_SETS, .best = "quernel_uk_gemm_s8s8_8x4x16_neon", .out = 4},
    {64, 56, 1, NEON_SETS, .best = "quernel_uk_gemm_u8s8_3x16x8_neon", .out = 5, .kernel = 1},
    {64, 56, 1, DOTS, .best = "quernel_uk_gemm_s8s8_8x4x16_dotprod", .out = 1},
    {8, 56, 1, DOTS, .best = "quernel_uk_gemm_s8s8_6x16x4_dotprod", .out = 4, .kernel = 1},
    {64, 56, 2, MATRICES, .best = "quernel_uk_gemm_u8s8_8x4x16_i8mm", .out = 3}};

// Few rows: weights that cost less to prepare.
static const layer_case few_cases[] = {
    {64, 7, 1, AVX2_SETS, .best = "quernel_uk_gemm_u8s8_6x16x2_avx2", .kernel = 1},
    {128, 14, 1, AVX2_SETS, .best = "quernel_uk_gemm_u8s8_6x16x4_avx2", .kernel = 1}};

// Small groups: with stride 2 four pixels are spread for an output.
static const layer_case group_cases[] = {
    {64, 56, 1, WIDE, .best = "quernel_uk_convgroups_u8s8_12x16x4_avx512vnni", .groups = 8},
    {64, 56, 2, WIDE, .best = "quernel_uk_gemm_u8s8_14x32x4_avx512vnni", .groups = 8},
    {64, 28, 2, WIDE, .best = "quernel_uk_convgroups_u8s8_12x16x4_avx512vnni", .groups = 16},
    {64, 56, 2, AVX2_SETS, .best = "quernel_uk_gemm_u8s8_6x16x4_avx2", .groups = 8},
    {64, 28, 2, AVX2_SETS, .best = "quernel_uk_convgroups_u8s8_6x16x2_avx2", .groups = 16}};

// Arm reads pixels as they are, whatever the stride. A matrix product multiplies 8 channels, all of
// which are a group's own where it has 8.
static const layer_case arm_group_cases[] = {
    {64, 56, 1, NEON_SETS, .best = "quernel_uk_convgroups_s8s8_2x16x4_neon", .groups = 8},
    {64, 56, 2, NEON_SETS, .best = "quernel_uk_convgroups_s8s8_2x16x4_neon", .groups = 32},
    {48, 28, 1, NEON_SETS, .best = "quernel_uk_gemm_u8s8_3x16x8_neon", .kernel = 5, .groups = 16},
    {64, 56, 2, DOTS, .best = "quernel_uk_convgroups_s8s8_4x16x4_dotprod", .groups = 8},
    {64, 56, 1, DOTS, .best = "quernel_uk_convgroups_s8s8_4x16x4_dotprod", .groups = 32},
    {64, 56, 1, MATRICES, .best = "quernel_uk_convgroups_u8s8_4x16x4_i8mm", .groups = 16},
    {64, 56, 1, MATRICES, .best = "quernel_uk_gemm_u8s8_6x16x8_i8mm", .groups = 8}};

// Tiles multiply eight times as much as vectors, but a gathered row, padding, and groups' zeros
// take their time, too.
static const layer_case tile_cases[] = {
    {64, 56, 1, TILED, .best = "quernel_uk_gemm_u8s8_32x32x64_amxint8"},
    {256, 14, 1, TILED, .best = "quernel_uk_gemm_u8s8_16x64x64_amxint8", .kernel = 1},
    {64, 96, 1, TILED, .best = "quernel_uk_gemm_u8s8_48x16x64_amxint8", .out = 10},
    {64, 56, 1, TILED, .best = "quernel_uk_gemm_u8s8_16x4x64_avx512vnni", .out = 2},
    {128, 56, 1, TILED, .best = "quernel_uk_convgroups_u8s8_12x16x4_avx512vnni", .groups = 32},
    {3, 224, 2, TILED, .best = "quernel_uk_gemm_u8s8_14x32x4_avx512vnni", .out = 32}};

// Where what is not a multiplication weighs less than elsewhere. Direct products with stride 3,
// which has no other way.
static const layer_case multiplier_cases[] = {
    {64, 56, 3, AVX2_SETS, .best = "quernel_uk_gemm_u8s8_6x16x4_avx2"},
    {64, 56, 3, AVX2_SETS, .best = "quernel_uk_gemm_u8s8_2x32x4_avx2", .one_multiplier = SET(AVX2)},
    {128, 28, 1, WIDE, .best = "quernel_uk_gemm_u8s8_14x32x4_avx512vnni", .out = 16},
    {128, 28, 1, WIDE, .best = "quernel_uk_conv3x3_u8s8_12x32x2_avx512vnni", .out = 16,
     .light = SET(AVX512VNNI)},
    {16, 112, 1, WIDE, .best = "quernel_uk_conv3x3_u8s8_12x32x2_avx512vnni", .out = 32},
    {16, 112, 1, WIDE, .best = "quernel_uk_gemm_u8s8_14x32x4_avx512vnni", .out = 32,
     .light = SET(AVX512VNNI)},
    {256, 14, 1, VNNI, .best = "quernel_uk_conv3x3_u8s8_6x16x2_avxvnni", .light = SET(AVXVNNI)},
    {128, 10, 1, AVX2_SETS, .best = "quernel_uk_gemm_u8s8_6x16x4_avx2"},
    {128, 10, 1, AVX2_SETS, .best = "quernel_uk_conv3x3_u8s8_6x16x2_avx2", .light = SET(AVX2)}};

// What the plan does on a machine.
static bool planned(const quernel_operator *op, const quernel_i_machine *machine,
                    quernel_i_plan *ret) {
    const quernel_i_config none = {0};
    return CHECK(
        !quernel_i_plan_make(&quernel_i_product_of(op)->problem, &none, machine, ret, NULL),
        "no plan");
}

static void check_case(const layer_case *c) {
    if (!quernel_i_registry_named(c->best)) return; // a compiler without it
    quernel_operator *op = convolution(c);
    if (!op) return;
    quernel_i_machine machine = quernel_i_machine_of(c->sets);
    machine.one_multiplier = c->one_multiplier, machine.light = c->light;
    quernel_i_plan plan;
    if (planned(op, &machine, &plan))
        CHECK(!strcmp(plan.kernels.main->name, c->best),
              "%u to %u channels, %u pixels, stride %u, sets %x: %s", c->channels, c->out, c->size,
              c->stride, c->sets, plan.kernels.main->name);
    quernel_operator_destroy(op);
}

static void check_cases(const layer_case *cases, size_t count) {
    if (!quernel_i_registry_named(cases[0].best)) {
        test_skip("this build has no such kernels");
        return;
    }
    for (size_t i = 0; i < count; i++) check_case(&cases[i]);
}

#define CHECK_CASES(cases) check_cases(cases, sizeof(cases) / sizeof *(cases))

void test_choice_conv3x3(void) { CHECK_CASES(conv3x3_cases); }
void test_choice_arm_conv3x3(void) { CHECK_CASES(arm_conv3x3_cases); }
void test_choice_narrow(void) { CHECK_CASES(narrow_cases); }
void test_choice_arm_narrow(void) { CHECK_CASES(arm_narrow_cases); }
void test_choice_few_rows(void) { CHECK_CASES(few_cases); }
void test_choice_groups(void) { CHECK_CASES(group_cases); }
void test_choice_arm_groups(void) { CHECK_CASES(arm_group_cases); }
void test_choice_tiles(void) { CHECK_CASES(tile_cases); }
void test_choice_multipliers(void) { CHECK_CASES(multiplier_cases); }

// Lines with a border between them are one where a pixel takes less than a call.
void test_choice_collapse(void) {
    static const struct {
        layer_case layer;
        bool collapse;
    } cases[] = {
        {{.channels = 16, .size = 28, .stride = 1, .sets = WIDE, .chain = true}, true},
        {{.channels = 64, .size = 28, .stride = 1, .sets = WIDE, .out = 2, .chain = true}, true},
        {{.channels = 128, .size = 7, .stride = 1, .sets = WIDE, .chain = true}, false}};
    if (!quernel_i_registry_named("quernel_uk_gemm_u8s8_16x4x64_avx512vnni")) {
        test_skip("this build has no AVX-512-VNNI kernels");
        return;
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const layer_case *c = &cases[i].layer;
        const quernel_i_machine machine = quernel_i_machine_of(c->sets);
        quernel_operator *op = convolution(c);
        quernel_i_plan plan;
        if (op && planned(op, &machine, &plan))
            CHECK(plan.collapse == cases[i].collapse, "%u to %u channels, %u pixels: %d",
                  c->channels, c->out, c->size, plan.collapse);
        quernel_operator_destroy(op);
    }
}

static double cost_of(const quernel_operator *op, quernel_i_op kind, uint32_t set) {
    const quernel_i_kernel *k = quernel_i_registry_best(kind, set, QUERNEL_TYPE_U8);
    const quernel_i_machine machine = quernel_i_machine_of(set);
    return k ? quernel_i_cost_cycles(&quernel_i_product_of(op)->problem, k, &machine) : 0;
}

// Counted cycles rank the sets, and Winograd's algorithm within them, as they were measured.
void test_choice_costs(void) {
    static const uint32_t sets[] = {SET(AVX2), SET(AVXVNNI), SET(AVX512VNNI)};
    const layer_case c = {.channels = 64, .size = 56, .stride = 1};
    quernel_operator *op = convolution(&c);
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
