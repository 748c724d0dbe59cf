// SPDX-License-Identifier: Apache-2.0
// A 3x3 convolution of a float image in int8: pack the weights once, describe, create, run.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <quernel/quernel.h>

enum { C = 64, H = 62, W = 54, N = 64 };

int main(void) {
    static float x[C * H * W], y[N * H * W], weights[N * C * 9], bias[N];
    // after a ReLU: 0 … 1
    for (int i = 0; i < C * H * W; i++) x[i] = fmaxf(0.0f, sinf((float)i * 0.37f));
    for (int i = 0; i < N * C * 9; i++) weights[i] = 0.01f + 0.05f * cosf((float)i * 0.11f);

    quernel_error error = {0};
    quernel_weights *packed = NULL;
    quernel_operator *conv = NULL;
    quernel_weights_desc w = QUERNEL_WEIGHTS_DESC_INIT;
    w.kind = QUERNEL_WEIGHTS_CONV2D, w.out = N, w.in = C, w.kernel_h = w.kernel_w = 3,
    w.data = weights;
    quernel_conv2d_desc d = QUERNEL_CONV2D_DESC_INIT;
    d.x = (quernel_tensor){.layout = QUERNEL_LAYOUT_NCHW, .n = 1, .c = C, .h = H, .w = W};
    d.y.layout = QUERNEL_LAYOUT_NCHW;
    d.pad_top = d.pad_left = d.pad_bottom = d.pad_right = 1;
    d.quant.scale = 1.0f / 255; // u8: 0 … 1
    d.epilogue.bias = bias, d.epilogue.activation = QUERNEL_ACTIVATION_RELU;
    int status = quernel_weights_pack(&w, &packed, &error);
    d.weights = packed;
    if (!status) status = quernel_conv2d_create(&d, &conv, &error);
    const size_t bytes = quernel_operator_workspace(conv);
    void *workspace = aligned_alloc(64, bytes + 64);
    if (!status) status = quernel_operator_run(conv, x, NULL, y, workspace, bytes, NULL, &error);
    if (status) fprintf(stderr, "%s\n", error.text);
    else printf("y[0] = %.6f, y[last] = %.6f\n", (double)y[0], (double)y[N * H * W - 1]);
    free(workspace);
    quernel_operator_destroy(conv);
    quernel_weights_release(packed);
    return status != 0;
}
