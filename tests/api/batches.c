// SPDX-License-Identifier: Apache-2.0
// Batches of a pointwise layer: rows of one product, and planned as such.
#include <stdlib.h>
#include <string.h>

#include "../op/rng.h"
#include "fixture.h"
#include "tests.h"

enum { IMAGES = 24, C = 40, OUT = 24, PLAN = 400 };

static float weights[OUT * C], x[IMAGES * C];

static void fill(void) {
    rng r = rng_make(7, 0);
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++)
        weights[i] = rng_float(&r, -1.0f, 1.0f);
    for (size_t i = 0; i < sizeof x / sizeof *x; i++) x[i] = rng_float(&r, 0.0f, 1.0f);
}

// A 1x1 convolution of n images of w pixels side by side, whose pixels all lie one behind another
// in memory but for `gap` floats between images: its plan, and what it makes.
static void run(uint32_t n, uint32_t w, int64_t gap, char plan[PLAN], float *y) {
    quernel_weights_desc packing = QUERNEL_WEIGHTS_DESC_INIT;
    packing.kind = QUERNEL_WEIGHTS_CONV2D, packing.out = OUT, packing.in = C;
    packing.kernel_h = packing.kernel_w = 1, packing.data = weights;
    quernel_conv2d_desc d = QUERNEL_CONV2D_DESC_INIT;
    d.x = (quernel_tensor){.n = n, .c = C, .h = 1, .w = w};
    d.y = (quernel_tensor){.stride_n = w * OUT + gap};
    d.quant.scale = 1.0f / 255;
    quernel_weights *packed = NULL;
    quernel_operator *op = NULL;
    quernel_error error = {0};
    int code = quernel_weights_pack(&packing, &packed, &error);
    d.weights = packed;
    if (!code) code = quernel_conv2d_create(&d, &op, &error);
    const size_t bytes = quernel_operator_workspace(op);
    void *workspace = aligned_alloc(64, (bytes + 64) / 64 * 64);
    if (!code) code = quernel_operator_run(op, x, NULL, y, workspace, bytes, NULL, &error);
    CHECK(!code, "%s", error.text);
    quernel_operator_explain(op, plan, PLAN);
    free(workspace);
    quernel_operator_destroy(op);
    quernel_weights_release(packed);
}

void test_batches_are_rows(void) {
    enum { GAP = 8, ALL = IMAGES * (OUT + GAP) };
    static float rows[ALL], images[ALL], pairs[ALL], apart[ALL];
    char plan[PLAN], same[PLAN], other[PLAN];
    fill();
    run(1, IMAGES, 0, plan, rows);
    run(IMAGES, 1, 0, same, images);
    CHECK(!strcmp(plan, same), "one row: %s\nimages: %s", plan, same);
    CHECK(!memcmp(rows, images, sizeof rows), "images of a pixel differ from one row");
    run(IMAGES / 2, 2, 0, same, pairs);
    CHECK(!strcmp(plan, same), "one row: %s\npairs: %s", plan, same);
    CHECK(!memcmp(rows, pairs, sizeof rows), "images of two pixels differ from one row");
    run(IMAGES, 1, GAP, other, apart);
    CHECK(strcmp(plan, other), "images that lie apart are taken for one");
    for (size_t i = 0; i < IMAGES; i++)
        CHECK(!memcmp(rows + i * OUT, apart + i * (OUT + GAP), OUT * sizeof *rows),
              "image %zu that lies apart differs", i);
}
