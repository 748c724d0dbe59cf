// SPDX-License-Identifier: Apache-2.0
// Two sibling layers as one operator, and a reader of one of them: a 3x3 layer of 32 channels and
// one of 16 read the same image, so their weights are concatenated and one product computes both.
// Its output holds a slice of channels for each.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <quernel/quernel.h>

enum { C = 32, H = 30, W = 40, A = 32, B = 16, N = A + B, OUT = 8 };

// Runs with a workspace of its own and frees the operator.
static int run(quernel_operator *op, const void *x, void *y, quernel_error *error) {
    const size_t bytes = quernel_operator_workspace(op);
    void *workspace = aligned_alloc(64, bytes + 64);
    const int status = quernel_operator_run(op, x, NULL, y, workspace, bytes, NULL, error);
    free(workspace);
    quernel_operator_destroy(op);
    return status;
}

// f32 weights of a square kernel, without smoothing; the scales are computed from the data.
static int pack(uint32_t out, uint32_t in, uint32_t kernel, const float *data,
                quernel_weights **ret, quernel_error *error) {
    quernel_weights_desc d = QUERNEL_WEIGHTS_DESC_INIT;
    d.kind = QUERNEL_WEIGHTS_CONV2D, d.out = out, d.in = in, d.kernel_h = d.kernel_w = kernel,
    d.data = data;
    return quernel_weights_pack(&d, ret, error);
}

int main(void) {
    static float x[C * H * W], y[OUT * H * W], data[N * C * 9];
    // NHWC: channels 0 … A−1 of a pixel are the first sibling's, the others the second's
    static uint8_t both[H * W * N];
    for (int i = 0; i < C * H * W; i++) x[i] = fmaxf(0.0f, sinf((float)i * 0.37f));
    for (int i = 0; i < N * C * 9; i++) data[i] = 0.01f + 0.05f * cosf((float)i * 0.11f);

    quernel_error error = {0};
    quernel_weights *a = NULL, *b = NULL, *siblings = NULL, *reader = NULL;
    int status = pack(A, C, 3, data, &a, &error);
    if (!status) status = pack(B, C, 3, data + A * C * 9, &b, &error);
    const quernel_weights *const parts[] = {a, b};
    if (!status) status = quernel_weights_concat(parts, 2, NULL, &siblings, &error);
    if (!status) status = pack(OUT, B, 1, data, &reader, &error);

    quernel_operator *op = NULL;
    quernel_conv2d_desc d = QUERNEL_CONV2D_DESC_INIT;
    d.weights = siblings;
    d.x = (quernel_tensor){.layout = QUERNEL_LAYOUT_NCHW, .n = 1, .c = C, .h = H, .w = W};
    d.pad_top = d.pad_left = d.pad_bottom = d.pad_right = 1;
    d.quant.scale = 1.0f / 255;
    d.epilogue.activation = QUERNEL_ACTIVATION_RELU;
    // y_smooth would give each channel a scale of its own
    d.epilogue.y_type = QUERNEL_TYPE_U8, d.epilogue.y_scale = 0.05f;
    if (!status) status = quernel_conv2d_create(&d, &op, &error);
    if (!status) status = run(op, x, both, &error);

    quernel_conv2d_desc r = QUERNEL_CONV2D_DESC_INIT; // reads the second sibling where it lies
    r.weights = reader;
    r.x = (quernel_tensor){.type = QUERNEL_TYPE_U8, .n = 1, .c = B, .h = H, .w = W, .stride_w = N};
    r.y.layout = QUERNEL_LAYOUT_NCHW;
    r.quant.scale = 0.05f;
    if (!status) status = quernel_conv2d_create(&r, &op, &error);
    if (!status) status = run(op, both + A, y, &error);

    if (status) fprintf(stderr, "%s\n", error.text);
    else printf("y[0] = %.6f, y[last] = %.6f\n", (double)y[0], (double)y[OUT * H * W - 1]);
    quernel_weights_release(a), quernel_weights_release(b);
    quernel_weights_release(siblings), quernel_weights_release(reader);
    return status != 0;
}
