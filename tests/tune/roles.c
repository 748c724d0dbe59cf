// SPDX-License-Identifier: Apache-2.0
// The sets of the kernels around a product: as demands of a config, and in the search space.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/check.h"
#include "cpu/cpu.h"
#include "op/product.h"
#include "plan/space.h"
#include "quernel/conv2d.h"
#include "registry/registry.h"
#include "tests.h"

#define SET(isa) (1u << QUERNEL_ISA_##isa)

enum {
    WIDE = SET(REF) | SET(AVX2) | SET(AVXVNNI) | SET(AVX512VNNI),
    C = 20,
    SIZE = 9,
    SPACE = 4096
};

// A deconvolution with every role: f32 NCHW on both sides, quantized by the range of its input.
// `type` int8: with none.
static quernel_operator *deconvolution(int32_t type, const char *config) {
    static float data[C * C * 4];
    for (int i = 0; i < C * C * 4; i++) data[i] = (float)(i * 37 % 251) - 125;
    quernel_weights_desc w = QUERNEL_WEIGHTS_DESC_INIT;
    w.kind = QUERNEL_WEIGHTS_DECONV2D, w.in = w.out = C, w.kernel_h = w.kernel_w = 2, w.data = data;
    w.deconv_stride_h = w.deconv_stride_w = 2;
    quernel_weights *packed = NULL;
    quernel_operator *op = NULL;
    if (!CHECK(!quernel_weights_pack(&w, &packed, NULL), "weights")) return NULL;
    const bool floats = type == QUERNEL_TYPE_F32;
    quernel_conv2d_desc d = QUERNEL_CONV2D_DESC_INIT;
    d.weights = packed, d.config = config, d.stride_h = d.stride_w = 2;
    d.x.n = 1, d.x.c = C, d.x.h = d.x.w = SIZE, d.x.type = type;
    d.x.layout = d.y.layout = floats ? QUERNEL_LAYOUT_NCHW : QUERNEL_LAYOUT_NHWC;
    d.quant.mode = floats ? QUERNEL_QUANT_DYNAMIC_CALL : QUERNEL_QUANT_STATIC;
    d.epilogue.y_type = floats ? QUERNEL_TYPE_F32 : QUERNEL_TYPE_S32;
    quernel_deconv2d_create(&d, &op, NULL);
    quernel_weights_release(packed);
    return op;
}

static quernel_i_candidate *list_space(const quernel_operator *op, uint32_t sets,
                                       size_t *ret_count) {
    quernel_i_candidate *space = malloc(SPACE * sizeof *space);
    const quernel_i_machine machine = quernel_i_machine_of(sets);
    *ret_count = quernel_i_space(&quernel_i_product_of(op)->problem, &machine, 2, space, SPACE);
    return space;
}

// Sets below the best that a role has a kernel of are tried, one role at a time, and never ref.
void test_roles_space(void) {
    if (!quernel_i_registry_named("quernel_uk_epilogue_s32_16x32x1_avx512vnni")) {
        test_skip("this build has no such kernels");
        return;
    }
    quernel_operator *op = deconvolution(QUERNEL_TYPE_F32, NULL);
    size_t count, tried[3] = {0};
    quernel_i_candidate *space = list_space(op, WIDE, &count);
    for (size_t i = 0; i < count; i++) {
        const quernel_i_config *c = &space[i].config;
        const uint32_t sets[] = {c->quantize, c->range, c->epilogue};
        int below = 0;
        for (int role = 0; role < 3; role++) {
            CHECK(sets[role] == QUERNEL_ISA_AVX2 + 1 || sets[role] == QUERNEL_ISA_AVX512VNNI + 1,
                  "role %d: set %u", role, sets[role] - 1);
            tried[role] += sets[role] == QUERNEL_ISA_AVX2 + 1;
            below += sets[role] == QUERNEL_ISA_AVX2 + 1;
        }
        CHECK(below <= 1, "%d sets left the best at once", below);
    }
    CHECK(tried[0] && tried[1] && tried[2], "tried %zu, %zu, %zu", tried[0], tried[1], tried[2]);
    CHECK(count < SPACE, "the space is cut short");
    free(space);
    quernel_operator_destroy(op);
}

// Taken back as printed, and refused where the layer has no such role or the set no such kernel.
void test_roles_demands(void) {
    static const char all[] = "quantize=ref range=ref epilogue=ref", plain[] = "quantize=ref";
    char text[512];
    quernel_operator *op = deconvolution(QUERNEL_TYPE_F32, all);
    quernel_operator_explain(op, text, sizeof text);
    CHECK(strstr(text, all), "%s", text);
    quernel_operator_destroy(op);
    op = deconvolution(QUERNEL_TYPE_U8, NULL);
    quernel_operator_explain(op, text, sizeof text);
    CHECK(!strstr(text, "quantize=") && !strstr(text, "range="), "int8 has no such role: %s", text);
    quernel_operator_destroy(op);
    CHECK(!deconvolution(QUERNEL_TYPE_U8, plain), "int8 input is not quantized");
    CHECK(!deconvolution(QUERNEL_TYPE_F32, "quantize=avxvnni"), "AVX-VNNI has no such kernel");
    CHECK(!deconvolution(QUERNEL_TYPE_F32, "quantize=avx3"), "no set");
}

static float *run(const quernel_operator *op, const float *x) {
    const size_t bytes = quernel_operator_workspace(op), count = C * SIZE * SIZE * 4;
    float *y = malloc(count * sizeof *y);
    void *workspace = aligned_alloc(64, bytes);
    memset(y, 0xa5, count * sizeof *y); // what a plan leaves out differs
    CHECK(!quernel_operator_run(op, x, NULL, y, workspace, bytes, NULL, NULL), "run");
    free(workspace);
    return y;
}

// Every set of every role: the same bits.
void test_roles_bits(void) {
    static const char *const roles[] = {"quantize", "range", "epilogue"};
    static float x[C * SIZE * SIZE];
    for (int i = 0; i < C * SIZE * SIZE; i++) x[i] = (float)(i * 89 % 1021) * 0.01f - 3;
    quernel_operator *plain = deconvolution(QUERNEL_TYPE_F32, NULL);
    float *expected = run(plain, x);
    for (uint32_t isa = 0; isa < QUERNEL_I_ISA_COUNT; isa++)
        for (int role = 0; role < 3 && quernel_i_cpu()->usable >> isa & 1; role++) {
            char config[64];
            snprintf(config, sizeof config, "%s=%s", roles[role], quernel_i_isas[isa].name);
            quernel_operator *op = deconvolution(QUERNEL_TYPE_F32, config);
            if (!op) continue; // the set has no kernel of its own
            float *y = run(op, x);
            CHECK(!memcmp(y, expected, sizeof *y * C * SIZE * SIZE * 4), "%s: other bits", config);
            free(y);
            quernel_operator_destroy(op);
        }
    free(expected);
    quernel_operator_destroy(plain);
}
