// SPDX-License-Identifier: Apache-2.0
// A piece of an ONNX graph, in plain structs: what the host reads from ONNX Runtime and the
// compiler understands. Nothing here knows ONNX Runtime, nor Quernel.
#ifndef QUERNEL_EP_GRAPH_H
#define QUERNEL_EP_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { QUERNEL_EP_MAX_RANK = 8 };

/// ONNX's element types, as far as anything here asks for them.
typedef enum quernel_ep_type {
    QUERNEL_EP_TYPE_NONE = 0,
    QUERNEL_EP_TYPE_F32 = 1,
    QUERNEL_EP_TYPE_U8 = 2,
    QUERNEL_EP_TYPE_S8 = 3,
    QUERNEL_EP_TYPE_S32 = 6,
    QUERNEL_EP_TYPE_S64 = 7
} quernel_ep_type;

/// A value: a constant, an input, or what a node writes.
typedef struct quernel_ep_value {
    const char *name;
    int32_t type; // ONNX's number, known here or not
    bool has_shape;
    uint32_t rank;
    int64_t dims[QUERNEL_EP_MAX_RANK]; // −1: not known yet
    const void *data;                  // constants: their elements, else NULL
    size_t bytes;
    bool graph_output; // read by someone outside of all nodes
} quernel_ep_value;

typedef enum quernel_ep_attribute_kind {
    QUERNEL_EP_ATTRIBUTE_INT = 1,
    QUERNEL_EP_ATTRIBUTE_INTS,
    QUERNEL_EP_ATTRIBUTE_FLOAT,
    QUERNEL_EP_ATTRIBUTE_FLOATS,
    QUERNEL_EP_ATTRIBUTE_STRING,
    QUERNEL_EP_ATTRIBUTE_OTHER // tensors, graphs: a node that has one is not understood
} quernel_ep_attribute_kind;

typedef struct quernel_ep_attribute {
    const char *name;
    int32_t kind;
    uint32_t count;
    union {
        const int64_t *ints; // INT: one
        const float *floats;
        const char *text; // terminated
    };
} quernel_ep_attribute;

/// A node. Inputs and outputs are indices of values, −1 for an optional one that is left out.
typedef struct quernel_ep_node {
    const char *name, *op, *domain; // domain "" is ONNX's own
    int32_t version;                // of the operator: the opset that introduced it
    uint32_t n_inputs, n_outputs, n_attributes;
    const int32_t *inputs, *outputs;
    const quernel_ep_attribute *attributes;
} quernel_ep_node;

/// Nodes lie in an order in which they can run. Everything is owned by whoever made the graph.
typedef struct quernel_ep_graph {
    const quernel_ep_value *values;
    uint32_t n_values;
    const quernel_ep_node *nodes;
    uint32_t n_nodes;
} quernel_ep_graph;

#endif
