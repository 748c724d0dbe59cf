// SPDX-License-Identifier: Apache-2.0
// What the plan's own choice loses by the model where nothing was tuned: every listed layer on Arm
// cores of each instruction set, none of which was at hand to be measured. QUERNEL_TEST_FIT=1
// prints every layer.
#include <stdio.h>
#include <stdlib.h>

#include "../unit/check.h"
#include "cpu/cpu.h"
#include "op/product.h"
#include "plan/model.h"
#include "plan/space.h"
#include "quernel/conv2d.h"
#include "tests.h"
#include "tune/workload/shapes.h"

#define SET(isa) (1u << QUERNEL_ISA_##isa)
#define REGRET_MAX 0.04 // of the model's best plan, in the mean; 0.036 on Cortex-A53
enum { PLANS = 4096, MOVES = 1 };

static const struct {
    const char *name;
    quernel_i_machine machine; // sets, L1 and L2
} cores[] = {
    {"Cortex-A53", {.isas = SET(REF) | SET(NEON), .l1d_bytes = 32 << 10, .l2_bytes = 512 << 10}},
    {"Neoverse N1",
     {.isas = SET(REF) | SET(NEON) | SET(DOTPROD), .l1d_bytes = 64 << 10, .l2_bytes = 1 << 20}},
    {"Neoverse V1",
     {.isas = SET(REF) | SET(NEON) | SET(DOTPROD) | SET(I8MM),
      .l1d_bytes = 64 << 10,
      .l2_bytes = 1 << 20}}};

// The layer, as ref would run it.
static quernel_operator *layer_of(const shape *s) {
    quernel_weights_desc w = QUERNEL_WEIGHTS_DESC_INIT;
    w.kind = s->op == SHAPE_DECONV ? QUERNEL_WEIGHTS_DECONV2D : QUERNEL_WEIGHTS_CONV2D;
    w.type = QUERNEL_TYPE_S8, w.in = s->c_in, w.out = s->c_out, w.groups = s->groups;
    w.kernel_h = s->kernel, w.kernel_w = s->kernel_w;
    if (s->op == SHAPE_DECONV) w.deconv_stride_h = s->stride, w.deconv_stride_w = s->stride_w;
    int8_t *data = calloc((size_t)s->c_in * s->c_out, (size_t)s->kernel * s->kernel_w);
    w.data = data;
    quernel_conv2d_desc d = QUERNEL_CONV2D_DESC_INIT;
    CHECK(!quernel_weights_pack(&w, (quernel_weights **)&d.weights, NULL), "%s: weights", s->layer);
    free(data);
    d.x = (quernel_tensor){.type = QUERNEL_TYPE_U8,
                           .layout = QUERNEL_LAYOUT_NHWC,
                           .n = s->batch,
                           .c = s->c_in,
                           .h = s->h,
                           .w = s->w};
    d.y.layout = QUERNEL_LAYOUT_NHWC, d.epilogue.y_type = QUERNEL_TYPE_U8;
    d.stride_h = s->stride, d.stride_w = s->stride_w, d.dilation_h = d.dilation_w = s->dilation;
    d.pad_top = d.pad_bottom = s->pad, d.pad_left = d.pad_right = s->pad_w;
    d.out_pad_h = d.out_pad_w = s->out_pad, d.isa = QUERNEL_ISA_REF;
    quernel_operator *op = NULL;
    const int status =
        (s->op == SHAPE_DECONV ? quernel_deconv2d_create : quernel_conv2d_create)(&d, &op, NULL);
    CHECK(!status, "%s: %d", s->layer, status);
    quernel_weights_release((quernel_weights *)d.weights);
    return op;
}

// Of what the model's best plan takes.
static double regret(const quernel_i_problem *p, const quernel_i_machine *m,
                     quernel_i_candidate *plans) {
    const quernel_i_config none = {0};
    quernel_i_plan own;
    if (!CHECK(!quernel_i_plan_make(p, &none, m, &own, NULL), "no plan")) return 0;
    const size_t count = quernel_i_space(p, m, MOVES, plans, PLANS);
    const double ns = quernel_i_model_ns(p, &own, m);
    double least = ns;
    for (size_t i = 0; i < count; i++)
        if (plans[i].ns < least) least = plans[i].ns;
    return ns / least - 1;
}

static void check_core(const char *name, const quernel_i_machine *m, const shape *rows, int count,
                       quernel_i_candidate *plans) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
        quernel_operator *op = layer_of(&rows[i]);
        if (!op) return;
        const double lost = regret(&quernel_i_product_of(op)->problem, m, plans);
        if (getenv("QUERNEL_TEST_FIT"))
            printf("  %s, %s %s: %.3f\n", name, rows[i].model, rows[i].layer, lost);
        sum += lost / count;
        quernel_operator_destroy(op);
    }
    if (getenv("QUERNEL_TEST_FIT")) printf("  %s: mean %.4f\n", name, sum);
    CHECK(sum <= REGRET_MAX, "%s: mean regret %.3f", name, sum);
}

// The core that has what this one has, so that the cores of a test run share the work.
void test_untuned(void) {
    size_t core = 0;
    while (core < sizeof cores / sizeof *cores &&
           cores[core].machine.isas != quernel_i_cpu()->detected)
        core++;
    if (core == sizeof cores / sizeof *cores) {
        test_skip("no listed Arm core has the instruction sets of this one");
        return;
    }
    shape *rows = NULL;
    const int count = shapes_read(QUERNEL_SHAPES "/layers.csv", 0, &rows);
    quernel_i_candidate *plans = malloc(PLANS * sizeof *plans);
    if (CHECK(count > 0 && plans, "no layers were read"))
        check_core(cores[core].name, &cores[core].machine, rows, count, plans);
    free(plans), free(rows);
}
