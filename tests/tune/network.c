// SPDX-License-Identifier: Apache-2.0
// Networks that are tuned as such: which rows are one, which layers are tuned together, and that no
// plan changes a bit of the whole.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../unit/check.h"
#include "table/table.h"
#include "tests.h"
#include "tune/search/finalists.h"

enum { ROWS = 6, RACED = 24 };

static shape row(const char *layer, enum shape_op op, uint32_t c_in, uint32_t size, uint32_t c_out,
                 uint32_t kernel, uint32_t stride, uint32_t input) {
    shape s = {.op = op,
               .model = "small",
               .activation = "relu",
               .batch = 1,
               .c_in = c_in,
               .h = size,
               .w = size,
               .c_out = c_out,
               .kernel = kernel,
               .kernel_w = kernel,
               .stride = stride,
               .stride_w = stride,
               .groups = 1,
               .dilation = 1,
               .repeat = 1,
               .input = input,
               .slice = UINT32_MAX};
    if (op != SHAPE_DECONV) s.pad = s.pad_w = kernel / 2;
    snprintf(s.layer, sizeof s.layer, "%s", layer);
    CHECK(shape_complete(&s), "%s: sizes", layer);
    return s;
}

// Layers b and c have one key, d adds what b wrote, e and f share the output.
static void fill(shape rows[ROWS]) {
    rows[0] = row("a", SHAPE_CONV, 8, 24, 32, 3, 2, 0);
    rows[1] = row("b", SHAPE_CONV, 32, 12, 32, 3, 1, 1);
    rows[2] = row("c", SHAPE_CONV, 32, 12, 32, 3, 1, 2);
    rows[3] = row("d", SHAPE_CONV, 32, 12, 32, 3, 1, 3);
    rows[4] = row("e", SHAPE_CONV, 32, 12, 16, 1, 1, 4);
    rows[5] = row("f", SHAPE_DECONV, 32, 12, 16, 2, 2, 4);
    rows[3].residual = 2, rows[4].slice = 0, rows[5].slice = 16;
    // the output's parts are of one size
    rows[5].stride = rows[5].stride_w = rows[5].kernel = rows[5].kernel_w = 1;
    CHECK(shape_complete(&rows[5]), "f: sizes");
}

static const network_request asked = {.x_type = QUERNEL_TYPE_F32,
                                      .x_layout = QUERNEL_LAYOUT_NCHW,
                                      .y_type = QUERNEL_TYPE_F32,
                                      .y_layout = QUERNEL_LAYOUT_NCHW,
                                      .inner = QUERNEL_TYPE_U8,
                                      .threads = 2,
                                      .isa = -1,
                                      .seed = 1};

static void check_part(const network_plans *plans, uint32_t part) {
    const quernel_i_table *none[] = {NULL};
    contest c;
    if (!CHECK(contest_make_within(&c, plans, part), "part %u: %s", part, c.workload.reason))
        return;
    CHECK(finalists_add(&c, RACED, 1, none) > 0 && c.count > 2, "part %u: %u plans", part, c.count);
    for (uint32_t i = 0; i < c.count; i++)
        CHECK(!c.variants[i].wrong, "part %u, %s: other bits", part, c.variants[i].config);
    quernel_i_key key;
    contest_key(&c, &key);
    CHECK(!strcmp(key.env, "threads=2 network"), "%s", key.env);
    contest_free(&c);
}

void test_network_parts(void) {
    shape rows[ROWS];
    network_workload n;
    network_plans plans;
    bool differs;
    fill(rows);
    CHECK(network_make(&n, rows, ROWS, &asked) && network_check(&n, &differs), "%s", n.reason);
    if (CHECK(network_plans_make(&plans, &n), "%s", n.reason)) {
        CHECK(plans.parts == ROWS - 1 && plans.part_of[1] == plans.part_of[2],
              "%u parts: b and c have one key", plans.parts);
        for (uint32_t part = 0; part < plans.parts; part++) check_part(&plans, part);
    }
    network_plans_free(&plans);
    network_free(&n);
}

static void check_refused(const shape *rows, const char *says) {
    network_workload n;
    CHECK(!network_make(&n, rows, ROWS, &asked) && strstr(n.reason, says), "%s, not %s", n.reason,
          says);
    network_free(&n);
}

void test_network_refusals(void) {
    static const struct {
        uint32_t row;
        size_t column;
        uint32_t value;
        const char *says;
    } cases[] = {{1, offsetof(shape, input), 2, "small: b: input: 2: must be a row"},
                 {3, offsetof(shape, residual), 4, "small: d: residual: 4: must be a row"},
                 {3, offsetof(shape, residual), 5, "small: d: residual: 5: must be a row"},
                 {1, offsetof(shape, input), 0, "small: b: input: 0: has other sizes"},
                 {1, offsetof(shape, w), 11, "small: b: input: 1: has other sizes"},
                 {4, offsetof(shape, residual), 2, "small: e: residual: 2: has other sizes"},
                 {5, offsetof(shape, slice), UINT32_MAX, "small: f: row: 6: no row reads it"},
                 {5, offsetof(shape, slice), 8, "another layer writes these"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        shape rows[ROWS];
        fill(rows);
        memcpy((char *)&rows[cases[i].row] + cases[i].column, &cases[i].value, sizeof(uint32_t));
        check_refused(rows, cases[i].says);
    }
    shape rows[ROWS];
    fill(rows);
    strcpy(rows[2].activation, "sharp");
    check_refused(rows, "small: c: activation: sharp");
}
