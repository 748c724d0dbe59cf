// SPDX-License-Identifier: Apache-2.0
// Every refusal of eltwise: at create, and of where its tensors lie at run.
#include <math.h>
#include <string.h>

#include "counting.h"
#include "fixture.h"
#include "tests.h"

static quernel_operator *const SENTINEL = (quernel_operator *)(uintptr_t)0x5a5a;

// A sum of u8, 1x4x3x5, whose z is the same for all pixels; as float y.
static quernel_eltwise_desc sum(void) {
    quernel_eltwise_desc d = QUERNEL_ELTWISE_DESC_INIT;
    d.kind = QUERNEL_ELTWISE_ADD;
    d.x.tensor = (quernel_tensor){.type = QUERNEL_TYPE_U8, .n = 1, .c = 4, .h = 3, .w = 5};
    d.z.tensor = (quernel_tensor){.type = QUERNEL_TYPE_S8, .n = 1, .c = 4, .h = 1, .w = 1};
    return d;
}

static const uint8_t table[4 * 256];

static quernel_eltwise_desc lookup(void) {
    quernel_eltwise_desc d = sum();
    d.kind = QUERNEL_ELTWISE_LOOKUP, d.table = table, d.tables = 4;
    d.epilogue.y_type = QUERNEL_TYPE_S8;
    return d;
}

static void refuse(quernel_eltwise_desc *d, refusal wanted, const char *what) {
    quernel_error error = {0};
    quernel_operator *op = SENTINEL;
    counting memory;
    counting_init(&memory, 0);
    if (!d->allocator) d->allocator = &memory.allocator;
    const int code = quernel_eltwise_create(d, &op, &error);
    expect_refusal(code, &error, wanted, what);
    if (code == QUERNEL_OK) quernel_operator_destroy(op);
    else CHECK(op == SENTINEL, "%s: ret_op was written to", what);
    counting_check(&memory, what);
}

#define REFUSES(begin, change, ...)                  \
    do {                                             \
        quernel_eltwise_desc d = begin();            \
        change;                                      \
        refuse(&d, (refusal){__VA_ARGS__}, #change); \
    } while (0)
#define SUM(change, ...) REFUSES(sum, change, __VA_ARGS__)
#define LOOKUP(change, ...) REFUSES(lookup, change, __VA_ARGS__)

static void refuse_pointers(void) {
    quernel_error error = {0};
    quernel_operator *op = SENTINEL;
    const quernel_eltwise_desc d = sum();
    expect_refusal(quernel_eltwise_create(NULL, &op, &error), &error,
                   (refusal){QUERNEL_E_NULL, "desc", NULL, -1}, "no descriptor");
    expect_refusal(quernel_eltwise_create(&d, NULL, &error), &error,
                   (refusal){QUERNEL_E_NULL, "ret_op", NULL, -1}, "no result");
    CHECK(op == SENTINEL, "ret_op was written to");
}

static void refuse_operands(void) {
    float scales[] = {1, 1, 0, 1};
    SUM(d.kind = 6, QUERNEL_E_VALUE, "kind", "6", -1);
    SUM(d.x.tensor.type = QUERNEL_TYPE_S32, QUERNEL_E_VALUE, "x", "2", -1);
    SUM(d.z.tensor.type = 9, QUERNEL_E_VALUE, "z", "9", -1);
    SUM(d.x.scale = 0, QUERNEL_E_VALUE, "x.scale", "0", -1);
    SUM(d.z.scale = NAN, QUERNEL_E_VALUE, "z.scale", "nan", -1);
    SUM(d.x.scales = scales, QUERNEL_E_VALUE, "x.scales", "0", 2);
    SUM(d.x.zero = 256, QUERNEL_E_VALUE, "x.zero", "256", -1);
    SUM(d.z.zero = -129, QUERNEL_E_VALUE, "z.zero", "-129", -1);
    SUM(d.x.reserved[1] = 1, QUERNEL_E_VALUE, "x.reserved", NULL, -1);
    SUM(d.z.tensor.reserved[0] = 1, QUERNEL_E_VALUE, "z.reserved", NULL, -1);
    SUM(d.z.tensor.c = 3, QUERNEL_E_SHAPE, "z", "3", -1);
    SUM(d.z.tensor.w = 2, QUERNEL_E_SHAPE, "z", "2", -1);
    SUM(d.x.tensor.h = 0, QUERNEL_E_SHAPE, "x", "0", -1);
    SUM(d.y.c = 5, QUERNEL_E_SHAPE, "y", "5", -1);
    SUM(d.y.stride_w = 3, QUERNEL_E_STRIDE, "y", "3", -1);
    SUM(d.y.border_w = 1, QUERNEL_E_VALUE, "y", NULL, -1);
}

static void refuse_output(void) {
    const float bias[4] = {0};
    SUM(d.epilogue.y_type = QUERNEL_TYPE_S32, QUERNEL_E_VALUE, "epilogue.y_type", NULL, -1);
    SUM(d.epilogue.bias = bias, QUERNEL_E_VALUE, "epilogue.bias", NULL, -1);
    SUM(d.epilogue.residual = 1, QUERNEL_E_VALUE, "epilogue.residual", NULL, -1);
    SUM(d.epilogue.reserved[0] = 1, QUERNEL_E_VALUE, "epilogue.reserved", NULL, -1);
    SUM((d.epilogue.y_type = QUERNEL_TYPE_U8, d.epilogue.y_scale = -1), QUERNEL_E_VALUE,
        "epilogue.y_scale", "-1", -1);
    SUM((d.epilogue.y_type = QUERNEL_TYPE_U8, d.epilogue.y_zero = -1), QUERNEL_E_VALUE,
        "epilogue.y_zero", "-1", -1);
    SUM(d.epilogue.activation = 99, QUERNEL_E_VALUE, "epilogue.activation", "99", -1);
    SUM(d.epilogue.activation = QUERNEL_ACTIVATION_PRELU, QUERNEL_E_NULL, "epilogue.slopes", NULL,
        -1);
    SUM(d.threads = 5000, QUERNEL_E_VALUE, "threads", "5000", -1);
    SUM(d.isa = 77, QUERNEL_E_VALUE, "isa", "77", -1);
}

static void refuse_tables(void) {
    LOOKUP(d.table = NULL, QUERNEL_E_NULL, "table", NULL, -1);
    LOOKUP(d.tables = 3, QUERNEL_E_SHAPE, "tables", "3", -1);
    LOOKUP(d.tables = 0, QUERNEL_E_SHAPE, "tables", "0", -1);
    LOOKUP(d.x.tensor.type = QUERNEL_TYPE_F32, QUERNEL_E_VALUE, "x.type", NULL, -1);
    LOOKUP(d.epilogue.y_type = QUERNEL_TYPE_BF16, QUERNEL_E_VALUE, "epilogue.y_type", NULL, -1);
    LOOKUP(d.epilogue.activation = QUERNEL_ACTIVATION_RELU, QUERNEL_E_VALUE, "epilogue.activation",
           NULL, -1);
}

void test_refuse_eltwise(void) {
    refuse_pointers();
    refuse_operands();
    refuse_output();
    refuse_tables();
}

static void *no_memory(void *user, size_t bytes, size_t alignment) {
    return (void)user, (void)bytes, (void)alignment, NULL;
}
static void nothing(void *user, void *memory, size_t bytes) {
    (void)user, (void)memory, (void)bytes;
}

void test_refuse_eltwise_memory(void) {
    const quernel_allocator none = {no_memory, nothing, NULL, {0, 0}};
    quernel_eltwise_desc d = sum();
    quernel_operator *op = SENTINEL;
    quernel_error error = {0};
    d.allocator = &none;
    CHECK(quernel_eltwise_create(&d, &op, &error) == QUERNEL_E_MEMORY && op == SENTINEL,
          "no memory: %s", error.text);
}

// y may be an operand of the same strides and sizes, and nothing else of it.
void test_eltwise_in_place(void) {
    quernel_eltwise_desc d = sum();
    quernel_operator *op = NULL;
    quernel_error error = {0};
    uint8_t x[128] = {1}, z[128] = {2};
    d.epilogue.y_type = QUERNEL_TYPE_U8;
    if (!CHECK(!quernel_eltwise_create(&d, &op, &error), "create: %s", error.text)) return;
    CHECK(!quernel_operator_run(op, x, z, x, NULL, 0, NULL, &error), "y is x: %s", error.text);
    expect_refusal(quernel_operator_run(op, x, z, z, NULL, 0, NULL, &error), &error,
                   (refusal){QUERNEL_E_OVERLAP, "y", "residual", -1}, "y is a smaller z");
    expect_refusal(quernel_operator_run(op, x, z, x + 1, NULL, 0, NULL, &error), &error,
                   (refusal){QUERNEL_E_OVERLAP, "y", "x", -1}, "y is beside x");
    expect_refusal(quernel_operator_run(op, x, NULL, x, NULL, 0, NULL, &error), &error,
                   (refusal){QUERNEL_E_NULL, "residual", NULL, -1}, "no z");
    char text[200];
    const size_t length = quernel_operator_explain(op, text, sizeof text);
    CHECK(length == strlen(text) && strstr(text, "kernel="), "explain: %s", text);
    quernel_plan_choice choice = QUERNEL_PLAN_CHOICE_INIT;
    quernel_plan_candidate candidate;
    CHECK(quernel_operator_choice(op, &choice) == QUERNEL_E_UNSUPPORTED, "a choice of no plan");
    CHECK(quernel_operator_candidates(op, &candidate, 1) == 0, "candidates of no plan");
    CHECK(quernel_operator_report(op, text, sizeof text) == length, "report: %s", text);
    quernel_operator_destroy(op);
}
