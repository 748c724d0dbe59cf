// SPDX-License-Identifier: Apache-2.0
// What stands between the products of a transformer: the softmax of its scores, codes in and codes
// out, and the layer normalization of rows of floats.
#include <stdio.h>
#include <stdlib.h>

#include <quernel/quernel.h>

enum { ROWS = 8, SCORES = 197, WIDTH = 384 };

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
    static uint8_t scores[ROWS * SCORES], shares[ROWS * SCORES];
    static float rows[ROWS * WIDTH], gamma[WIDTH];
    static uint8_t normal[ROWS * WIDTH];
    for (int i = 0; i < ROWS * SCORES; i++) scores[i] = (uint8_t)(i * 37 % 256);
    for (int i = 0; i < ROWS * WIDTH; i++) rows[i] = (float)(i * 29 % 101) * 0.1f;
    for (int i = 0; i < WIDTH; i++) gamma[i] = 0.5f;

    quernel_error error = {0};
    quernel_operator *op = NULL;
    quernel_normalize_desc s = QUERNEL_NORMALIZE_DESC_INIT;
    s.kind = QUERNEL_NORMALIZE_SOFTMAX;
    s.x.tensor = (quernel_tensor){.type = QUERNEL_TYPE_U8, .n = 1, .c = SCORES, .h = 1, .w = ROWS};
    s.x.scale = 0.1f, s.x.zero = 128; // what the codes mean
    s.epilogue.y_type = QUERNEL_TYPE_U8, s.epilogue.y_scale = 1.0f / 255.0f;
    int status = quernel_normalize_create(&s, &op, &error);
    if (!status) status = run(op, scores, shares, &error);

    quernel_normalize_desc l = QUERNEL_NORMALIZE_DESC_INIT;
    l.kind = QUERNEL_NORMALIZE_LAYER, l.gamma = gamma, l.epsilon = 1e-6f;
    l.x.tensor = (quernel_tensor){.type = QUERNEL_TYPE_F32, .n = 1, .c = WIDTH, .h = 1, .w = ROWS};
    l.epilogue.y_type = QUERNEL_TYPE_U8, l.epilogue.y_scale = 0.01f, l.epilogue.y_zero = 128;
    if (!status) status = quernel_normalize_create(&l, &op, &error);
    if (!status) status = run(op, rows, normal, &error);
    if (status) fprintf(stderr, "%s\n", error.text);
    else printf("first share %u, first normal %u\n", shares[0], normal[0]);
    return status != 0;
}
