// SPDX-License-Identifier: Apache-2.0
// Graphs by hand, as the plugin's host would read them, and islands of them run.
#ifndef QUERNEL_TESTS_COMPILER_GRAPHS_H
#define QUERNEL_TESTS_COMPILER_GRAPHS_H

#include "../../engines/onnxruntime/compiler.h"

enum { MAX_VALUES = 64, MAX_NODES = 32 };

typedef struct graph {
    quernel_ep_value values[MAX_VALUES];
    quernel_ep_node nodes[MAX_NODES];
    int32_t ends[MAX_NODES][8]; // inputs, then outputs
    quernel_ep_attribute attributes[MAX_NODES][2];
    quernel_ep_graph view;
} graph;

/// A value without data. A dimension of 0 ends the list.
int32_t graph_value(graph *g, int32_t type, int64_t n, int64_t c, int64_t h, int64_t w);
int32_t graph_constant(graph *g, int32_t type, const void *data, size_t bytes, uint32_t rank,
                       const int64_t *dims);
int32_t graph_number(graph *g, const float *f); // which stays
/// A node of ONNX's own operators; inputs end with −1.
quernel_ep_node *graph_node(graph *g, const char *op, int32_t version, const int32_t *inputs,
                            int32_t output);
/// DequantizeLinear and QuantizeLinear of u8, or s8, with one scale and zero point.
int32_t graph_dequantize(graph *g, int32_t codes, const float *scale, const void *zero);
int32_t graph_quantize(graph *g, int32_t floats, int32_t type, const float *scale,
                       const void *zero);

/// An input of codes → DequantizeLinear → 1x1 convolution of 8 to 8 channels, 6 x 5 pixels, and
/// nothing behind it. Returns the convolution's float output.
int32_t graph_convolution(graph *g, int32_t codes);
extern const int8_t graph_weights[64];
extern const float graph_weight_scale, graph_scales[4];
extern const uint8_t graph_zeros[2];

/// The only island with all its nodes wanted; NULL with a failed check.
quernel_ep_program *graph_program(graph *g, bool units, quernel_ep_partition *ret_partition);
/// Runs a program of one input and one output, of four dimensions.
int graph_run(const quernel_ep_program *program, const void *x, void *y, size_t y_bytes);

#endif
