// SPDX-License-Identifier: Apache-2.0
// The plugin's compiler without ONNX Runtime: graphs by hand against what they mean, what is
// refused and why, islands that must not reach around a node, programs saved, loaded and damaged.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/check.h"
#include "base/crc32c.h"
#include "graphs.h"
#include "prices.h"

enum { C = 8, PIXELS = 30, COUNT = C * PIXELS };

static void fill(uint8_t *x) {
    for (uint32_t i = 0; i < COUNT; i++) x[i] = (uint8_t)(i * 37 + i / 11);
}

static double value(uint8_t code, int k) {
    return (code - (double)graph_zeros[k]) * (double)graph_scales[k];
}

static double convolved(const uint8_t *x, uint32_t channel, uint32_t pixel) {
    double sum = 0;
    for (uint32_t i = 0; i < C; i++)
        sum += value(x[i * PIXELS + pixel], 0) * graph_weights[channel * C + i] *
               (double)graph_weight_scale;
    return sum;
}

static double code_of(double x, int k) {
    return fmin(fmax(nearbyint(x / (double)graph_scales[k]) + graph_zeros[k], 0), 255);
}

static int32_t input(graph *g) { return graph_value(g, QUERNEL_EP_TYPE_U8, 1, C, 6, 5); }

static int32_t like(graph *g) { return graph_value(g, QUERNEL_EP_TYPE_F32, 1, C, 6, 5); }

// The graph is one island, whose program gives the codes that are right.
static void check_codes(void (*make)(graph *),
                        bool is_right(const uint8_t *x, uint32_t i, uint8_t y)) {
    static graph g;
    quernel_ep_partition partition = {0};
    memset(&g, 0, sizeof g);
    make(&g);
    const quernel_ep_program *program = graph_program(&g, false, &partition);
    uint8_t x[COUNT], y[COUNT];
    fill(x);
    CHECK(partition.n_islands == 1, "%u islands", partition.n_islands);
    if (program && CHECK(!graph_run(program, x, y, sizeof y), "run"))
        for (uint32_t i = 0; i < COUNT; i++) CHECK(is_right(x, i, y[i]), "element %u: %u", i, y[i]);
    quernel_ep_partition_free(&partition);
}

// Conv → Add(x) → Relu → Q, one unit.
static void make_residual(graph *g) {
    const int32_t x = input(g), y = graph_convolution(g, x), sum = like(g), relu = like(g);
    const int32_t r = graph_dequantize(g, x, &graph_scales[0], &graph_zeros[0]);
    graph_node(g, "Add", 14, (int32_t[]){y, r, -1}, sum);
    graph_node(g, "Relu", 14, (int32_t[]){sum, -1}, relu);
    const int32_t q =
        graph_quantize(g, relu, QUERNEL_EP_TYPE_U8, &graph_scales[1], &graph_zeros[1]);
    g->values[q].graph_output = true;
}

static bool is_residual(const uint8_t *x, uint32_t i, uint8_t y) {
    const double sum = convolved(x, i / PIXELS, i % PIXELS) + value(x[i], 0);
    return fabs(code_of(fmax(sum, 0), 1) - y) <= 1;
}

static void test_residual(void) { check_codes(make_residual, is_residual); }

// Q → {DQ, DQ → Sigmoid → Q → DQ} → Mul → Q behind a convolution: a table, exactly.
static void make_silu(graph *g) {
    const int32_t x = input(g), y = graph_convolution(g, x), s = like(g), product = like(g);
    const int32_t q = graph_quantize(g, y, QUERNEL_EP_TYPE_U8, &graph_scales[1], &graph_zeros[1]);
    const int32_t a = graph_dequantize(g, q, &graph_scales[1], &graph_zeros[1]),
                  b = graph_dequantize(g, q, &graph_scales[1], &graph_zeros[1]);
    graph_node(g, "Sigmoid", 13, (int32_t[]){b, -1}, s);
    const int32_t inner =
        graph_quantize(g, s, QUERNEL_EP_TYPE_U8, &graph_scales[3], &graph_zeros[1]);
    const int32_t c = graph_dequantize(g, inner, &graph_scales[3], &graph_zeros[1]);
    graph_node(g, "Mul", 14, (int32_t[]){a, c, -1}, product);
    const int32_t out =
        graph_quantize(g, product, QUERNEL_EP_TYPE_U8, &graph_scales[1], &graph_zeros[1]);
    g->values[out].graph_output = true;
}

static double silu_of(double code) {
    const double x = value((uint8_t)code, 1), s = 1 / (1 + exp(-x));
    const double inner =
        fmin(fmax(nearbyint(s / (double)graph_scales[3]) + graph_zeros[1], 0), 255);
    return code_of(x * (inner - graph_zeros[1]) * (double)graph_scales[3], 1);
}

static bool is_silu(const uint8_t *x, uint32_t i, uint8_t y) {
    const double code = code_of(convolved(x, i / PIXELS, i % PIXELS), 1);
    return y == silu_of(code) || y == silu_of(fmax(code - 1, 0)) ||
           y == silu_of(fmin(code + 1, 255));
}

static void test_lookup(void) { check_codes(make_silu, is_silu); }

// conv → {unknown, Q → DQ → Relu} → Add: what is around the unknown node is not one island.
static void test_detour(void) {
    static graph g;
    quernel_ep_partition partition = {0};
    const int32_t x = input(&g), y = graph_convolution(&g, x), strange = like(&g), sum = like(&g);
    graph_node(&g, "Strange", 1, (int32_t[]){y, -1}, strange);
    graph_node(&g, "Add", 14, (int32_t[]){y, strange, -1}, sum);
    const int32_t q =
        graph_quantize(&g, sum, QUERNEL_EP_TYPE_U8, &graph_scales[1], &graph_zeros[1]);
    g.values[q].graph_output = true;
    const quernel_ep_options options = {1, -1, false, true};
    CHECK(!quernel_ep_partition_find(&g.view, &options, &partition, NULL), "partition");
    CHECK(partition.n_islands == 2, "%u islands", partition.n_islands);
    CHECK(partition.n_refusals == 1 && strstr(partition.refusals[0].reason, "Strange"), "%s",
          partition.n_refusals ? partition.refusals[0].reason : "none");
    quernel_ep_partition_free(&partition);
}

static void check_refused(graph *g, uint32_t node, const char *word) {
    quernel_ep_partition partition = {0};
    const quernel_ep_options options = {1, -1, false, true};
    bool found = false;
    CHECK(!quernel_ep_partition_find(&g->view, &options, &partition, NULL), "partition");
    for (uint32_t i = 0; i < partition.n_refusals; i++)
        if (partition.refusals[i].node == node)
            found = CHECK(strstr(partition.refusals[i].reason, word), "%s: '%s'", word,
                          partition.refusals[i].reason);
    CHECK(found, "node %u is taken; wanted: %s", node, word);
    quernel_ep_partition_free(&partition);
}

static void test_refusals(void) {
    static graph g;
    const uint32_t conv = 2; // behind the DequantizeLinears of x and of the weights
    static const int64_t one[] = {1};
    make_residual(&g);
    g.nodes[conv].version = 99;
    check_refused(&g, conv, "opset 99");
    g.nodes[conv].version = 11;
    g.attributes[conv][0] = (quernel_ep_attribute){
        .name = "strange", .kind = QUERNEL_EP_ATTRIBUTE_INT, .count = 1, .ints = one};
    g.nodes[conv].n_attributes = 1;
    check_refused(&g, conv, "attribute strange");
    g.nodes[conv].n_attributes = 0;
    static const float bad[] = {NAN, 0.0f, -1.0f, 1e-40f, INFINITY};
    quernel_ep_value *scale = &g.values[g.ends[0][1]]; // x's
    const void *good = scale->data;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        scale->data = &bad[i];
        check_refused(&g, 0, "scale");
    }
    scale->data = good;
    g.values[g.ends[conv][0]].type = 10; // f16
    check_refused(&g, conv, "type 10");
}

static void *saved(const quernel_ep_program *program, size_t *ret_bytes) {
    *ret_bytes = quernel_ep_program_save(program, NULL, 0);
    void *data = aligned_alloc(64, (*ret_bytes + 63) / 64 * 64);
    quernel_ep_program_save(program, data, *ret_bytes);
    return data;
}

static int load_and_run(const void *data, size_t bytes, const uint8_t *x, uint8_t *y) {
    const quernel_ep_options options = {1, -1, false, false};
    quernel_ep_program *program = NULL;
    int code = quernel_ep_program_load(data, bytes, &options, &program, NULL);
    if (code) return code;
    const quernel_ep_signature s = quernel_ep_program_signature(program);
    code = s.n_inputs == 1 && s.n_outputs == 1 && s.inputs[0] == QUERNEL_EP_TYPE_U8 &&
                   s.outputs[0] == QUERNEL_EP_TYPE_U8
               ? graph_run(program, x, y, COUNT)
               : QUERNEL_E_BLOB;
    quernel_ep_program_destroy(program);
    return code;
}

static void test_save(void) {
    static graph g;
    quernel_ep_partition partition = {0};
    make_silu(&g);
    const quernel_ep_program *program = graph_program(&g, false, &partition);
    uint8_t x[COUNT], y[COUNT], again[COUNT];
    size_t bytes = 0;
    fill(x);
    if (!program) return quernel_ep_partition_free(&partition);
    void *data = saved(program, &bytes);
    CHECK(!graph_run(program, x, y, sizeof y), "run");
    quernel_ep_partition_free(&partition);
    CHECK(!load_and_run(data, bytes, x, again), "load");
    CHECK(!memcmp(y, again, sizeof y), "the loaded program gives other codes");
    for (size_t less = 1; less < bytes; less += 61)
        CHECK(load_and_run(data, bytes - less, x, again), "%zu bytes less", less);
    free(data);
}

// Every flipped bit is found by a checksum; with the checksum set right, nothing leads outside.
static void test_damage(void) {
    static graph g;
    quernel_ep_partition partition = {0};
    make_silu(&g);
    const quernel_ep_program *program = graph_program(&g, false, &partition);
    uint8_t x[COUNT], y[COUNT];
    size_t bytes = 0;
    fill(x);
    if (!program) return quernel_ep_partition_free(&partition);
    uint8_t *data = saved(program, &bytes);
    quernel_ep_partition_free(&partition);
    uint64_t image;
    memcpy(&image, data + 16, sizeof image);           // quernel_ep_image.bytes
    const size_t checked = (image + 8 + 63) / 64 * 64; // and one blob's size
    for (size_t i = 0; i < bytes; i += 3) {
        data[i] ^= (uint8_t)(1u << i % 8);
        const int code = load_and_run(data, bytes, x, y);
        CHECK(code || i >= checked, "byte %zu", i);
        data[i] ^= (uint8_t)(1u << i % 8);
    }
    uint32_t seed = 1, taken = 0;
    for (size_t i = 16; i < checked; i++) {
        const uint8_t old = data[i];
        seed = seed * 1664525u + 1013904223u;
        data[i] = (uint8_t)(seed >> 24);
        const uint32_t crc = quernel_i_crc32c(0, data + 16, checked - 16);
        memcpy(data + 12, &crc, sizeof crc); // quernel_ep_image.crc
        taken += !load_and_run(data, bytes, x, y);
        data[i] = old;
    }
    CHECK(taken > 0, "nothing but the original is taken");
    free(data);
}

const char test_suite[] = "compiler";
const test_entry test_entries[] = {{"residual", test_residual}, {"lookup", test_lookup},
                                   {"detour", test_detour},     {"refusals", test_refusals},
                                   {"prices", test_prices},     {"save", test_save},
                                   {"damage", test_damage},     {NULL, NULL}};
