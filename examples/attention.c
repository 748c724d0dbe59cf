// SPDX-License-Identifier: Apache-2.0
// The attention of a transformer on codes: scores of each head, their softmax, and what the shares
// make of the values. Heads are the lines of a tensor, tokens its pixels.
#include <stdio.h>
#include <stdlib.h>

#include <quernel/quernel.h>

enum { HEADS = 2, TOKENS = 10, WIDTH = 16 };

static uint8_t queries[HEADS * TOKENS * WIDTH], keys[HEADS * TOKENS * WIDTH],
    values[HEADS * TOKENS * WIDTH], scores[HEADS * TOKENS * TOKENS],
    shares[HEADS * TOKENS * TOKENS], mixed[HEADS * TOKENS * WIDTH];

// u8 of `width` channels for each token of each head.
static quernel_operand codes(uint32_t width, float scale, int32_t zero) {
    quernel_operand o = QUERNEL_OPERAND_INIT;
    o.tensor =
        (quernel_tensor){.type = QUERNEL_TYPE_U8, .n = 1, .c = width, .h = HEADS, .w = TOKENS};
    o.scale = scale, o.zero = zero;
    return o;
}

// Runs an operator with a workspace of its own, and destroys it.
static int run(quernel_operator *op, const void *x, const void *z, void *y, quernel_error *error) {
    const size_t bytes = quernel_operator_workspace(op);
    void *workspace = aligned_alloc(64, (bytes + 127) / 64 * 64);
    const int status = quernel_operator_run(op, x, z, y, workspace, bytes, NULL, error);
    free(workspace);
    quernel_operator_destroy(op);
    return status;
}

// y = x·z, or x times z with rows and columns exchanged.
static int multiply(int transposed, const quernel_operand *x, const uint8_t *x_codes,
                    const quernel_operand *z, const uint8_t *z_codes, const quernel_operand *y,
                    uint8_t *y_codes, quernel_error *error) {
    quernel_matmul_desc d = QUERNEL_MATMUL_DESC_INIT;
    quernel_operator *op;
    d.transposed = transposed, d.x = *x, d.z = *z;
    d.epilogue.y_type = QUERNEL_TYPE_U8, d.epilogue.y_scale = y->scale;
    d.epilogue.y_zero = y->zero;
    const int status = quernel_matmul_create(&d, &op, error);
    return status ? status : run(op, x_codes, z_codes, y_codes, error);
}

static int share(const quernel_operand *x, const quernel_operand *y, quernel_error *error) {
    quernel_normalize_desc d = QUERNEL_NORMALIZE_DESC_INIT;
    quernel_operator *op;
    d.kind = QUERNEL_NORMALIZE_SOFTMAX, d.x = *x;
    d.epilogue.y_type = QUERNEL_TYPE_U8, d.epilogue.y_scale = y->scale;
    d.epilogue.y_zero = y->zero;
    const int status = quernel_normalize_create(&d, &op, error);
    return status ? status : run(op, scores, NULL, shares, error);
}

int main(void) {
    for (int i = 0; i < HEADS * TOKENS * WIDTH; i++) {
        queries[i] = (uint8_t)(i * 37 % 256), keys[i] = (uint8_t)(i * 53 % 256);
        values[i] = (uint8_t)(i * 29 % 256);
    }
    const quernel_operand token = codes(WIDTH, 0.02f, 128), score = codes(TOKENS, 0.1f, 128),
                          portion = codes(TOKENS, 1.0f / 255.0f, 0);
    quernel_error error = {0};
    int status = multiply(1, &token, queries, &token, keys, &score, scores, &error);
    if (!status) status = share(&score, &portion, &error);
    if (!status) status = multiply(0, &portion, shares, &token, values, &token, mixed, &error);
    if (status) fprintf(stderr, "%s\n", error.text);
    else printf("first score %u, share %u, value %u\n", scores[0], shares[0], mixed[0]);
    return status != 0;
}
