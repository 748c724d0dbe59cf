// SPDX-License-Identifier: Apache-2.0
// What stands between convolutions, in int8 from end to end: a 3x3 maximum with stride 2, then the
// average of the whole image as floats.
#include <stdio.h>
#include <stdlib.h>

#include <quernel/quernel.h>

enum { C = 32, H = 56, W = 56, HALF = 28 };

// Runs an operator with a workspace of its own, and destroys it.
static int run(quernel_operator *op, const void *x, void *y, quernel_error *error) {
    const size_t bytes = quernel_operator_workspace(op);
    void *workspace = aligned_alloc(64, bytes + 64);
    const int status = quernel_operator_run(op, x, NULL, y, workspace, bytes, NULL, error);
    free(workspace);
    quernel_operator_destroy(op);
    return status;
}

int main(void) {
    static uint8_t x[H * W * C], halved[HALF * HALF * C]; // NHWC
    static float average[C];
    for (int i = 0; i < H * W * C; i++) x[i] = (uint8_t)(i * 37 % 256);

    quernel_error error = {0};
    quernel_operator *op = NULL;
    quernel_pool2d_desc d = QUERNEL_POOL2D_DESC_INIT;
    d.kind = QUERNEL_POOL2D_MAX;
    d.x.tensor = (quernel_tensor){.type = QUERNEL_TYPE_U8, .n = 1, .c = C, .h = H, .w = W};
    d.x.scale = 0.05f, d.x.zero = 20; // what the codes mean
    d.kernel_h = d.kernel_w = 3, d.stride_h = d.stride_w = 2;
    d.pad_top = d.pad_left = 1;
    // the same codes in y: maxima are codes of x
    d.epilogue.y_type = QUERNEL_TYPE_U8, d.epilogue.y_scale = 0.05f, d.epilogue.y_zero = 20;
    int status = quernel_pool2d_create(&d, &op, &error);
    if (!status) status = run(op, x, halved, &error);

    quernel_pool2d_desc g = QUERNEL_POOL2D_DESC_INIT;
    g.kind = QUERNEL_POOL2D_GLOBAL; // y is F32 where nothing else is said
    g.x = d.x, g.x.tensor.h = g.x.tensor.w = HALF;
    if (!status) status = quernel_pool2d_create(&g, &op, &error);
    if (!status) status = run(op, halved, average, &error);
    if (status) fprintf(stderr, "%s\n", error.text);
    else printf("largest code %u, average %.4f\n", halved[0], (double)average[0]);
    return status != 0;
}
