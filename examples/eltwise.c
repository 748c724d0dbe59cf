// SPDX-License-Identifier: Apache-2.0
// Two int8 tensors of different scales are added, with ReLU; then each code goes through a table.
#include <math.h>
#include <stdio.h>

#include <quernel/quernel.h>

enum { C = 24, H = 7, W = 9, COUNT = C * H * W };

int main(void) {
    static uint8_t x[COUNT], y[COUNT], table[256];
    static int8_t z[COUNT];
    for (int i = 0; i < COUNT; i++) x[i] = (uint8_t)(i * 7), z[i] = (int8_t)(i * 3);
    for (int q = 0; q < 256; q++) table[q] = (uint8_t)lrintf(16.0f * sqrtf((float)q));

    quernel_error error = {0};
    quernel_operator *sum = NULL, *root = NULL;
    const quernel_tensor shape = {.type = QUERNEL_TYPE_U8, .n = 1, .c = C, .h = H, .w = W};
    quernel_eltwise_desc d = QUERNEL_ELTWISE_DESC_INIT;
    d.kind = QUERNEL_ELTWISE_ADD;
    d.x.tensor = shape, d.x.scale = 0.02f, d.x.zero = 128;
    d.z.tensor = shape, d.z.tensor.type = QUERNEL_TYPE_S8, d.z.scale = 0.05f;
    d.epilogue.activation = QUERNEL_ACTIVATION_RELU;
    d.epilogue.y_type = QUERNEL_TYPE_U8, d.epilogue.y_scale = 0.04f;
    int status = quernel_eltwise_create(&d, &sum, &error);

    quernel_eltwise_desc l = QUERNEL_ELTWISE_DESC_INIT;
    l.kind = QUERNEL_ELTWISE_LOOKUP;
    l.x.tensor = shape;
    l.epilogue.y_type = QUERNEL_TYPE_U8;
    l.table = table, l.tables = 1;
    if (!status) status = quernel_eltwise_create(&l, &root, &error);

    if (!status) status = quernel_operator_run(sum, x, z, y, NULL, 0, NULL, &error);
    if (!status) printf("code of a sum %d, ", y[100]);
    if (!status) status = quernel_operator_run(root, y, NULL, y, NULL, 0, NULL, &error); // in place
    if (status) fprintf(stderr, "%s\n", error.text);
    const float exact = 0.02f * (float)(x[100] - 128) + 0.05f * (float)z[100];
    if (!status) printf("in float %.2f; through the table %d\n", (double)exact / 0.04, y[100]);
    quernel_operator_destroy(sum);
    quernel_operator_destroy(root);
    return status != 0;
}
