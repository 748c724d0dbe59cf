// SPDX-License-Identifier: Apache-2.0
// A linear layer with dynamic scales: each row of float input is quantized with a scale of its own.
#include <stdio.h>
#include <stdlib.h>

#include <quernel/quernel.h>

enum { M = 4, K = 256, N = 32 };

int main(void) {
    static float x[M * K], y[M * N], weights[N * K];
    // rows of different size
    for (int i = 0; i < M * K; i++) x[i] = (float)(i % 17 - 8) * (float)(i / K + 1);
    for (int i = 0; i < N * K; i++) weights[i] = (float)(i % 13 - 6) / 64;

    quernel_error error = {0};
    quernel_weights *packed = NULL;
    quernel_operator *linear = NULL;
    quernel_weights_desc w = QUERNEL_WEIGHTS_DESC_INIT;
    w.out = N, w.in = K, w.data = weights;
    quernel_linear_desc d = QUERNEL_LINEAR_DESC_INIT;
    d.m = M;
    d.quant.type = QUERNEL_TYPE_S8, d.quant.mode = QUERNEL_QUANT_DYNAMIC_ROW;
    int status = quernel_weights_pack(&w, &packed, &error);
    d.weights = packed;
    if (!status) status = quernel_linear_create(&d, &linear, &error);
    const size_t bytes = quernel_operator_workspace(linear);
    void *workspace = aligned_alloc(64, bytes + 64);
    if (!status) status = quernel_operator_run(linear, x, NULL, y, workspace, bytes, NULL, &error);
    if (status) fprintf(stderr, "%s\n", error.text);
    for (int m = 0; m < M && !status; m++) {
        float exact = 0;
        for (int k = 0; k < K; k++) exact += x[m * K + k] * weights[5 * K + k];
        printf("row %d: int8 %.4f, float %.4f\n", m, (double)y[m * N + 5], (double)exact);
    }
    free(workspace);
    quernel_operator_destroy(linear);
    quernel_weights_release(packed);
    return status != 0;
}
