// SPDX-License-Identifier: Apache-2.0
// Reads as much of ONNX's protobuf files as the node test vectors need: tensors, and one node's
// integer attributes.
#ifndef QUERNEL_TESTS_ONNX_H
#define QUERNEL_TESTS_ONNX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ONNX_MAX_DIMS = 8, ONNX_MAX_INPUTS = 9, ONNX_MAX_OUTPUTS = 3, ONNX_MAX_INTS = 8 };

/// ONNX's own numbers of element types.
enum { ONNX_FLOAT = 1, ONNX_UINT8 = 2, ONNX_INT8 = 3, ONNX_INT32 = 6 };

typedef struct onnx_tensor {
    int32_t type;
    uint32_t n_dims;
    int64_t dims[ONNX_MAX_DIMS];
    size_t count; ///< elements: the product of dims, 1 for a scalar
    void *data;   ///< elements in the machine's order, malloc'ed; NULL: absent
} onnx_tensor;

typedef struct onnx_attribute {
    char name[24];
    uint32_t count;
    int64_t values[ONNX_MAX_INTS];
} onnx_attribute;

/// One folder of vectors: the model's first node, and the tensors of its first data set.
typedef struct onnx_case {
    char op[40];
    uint32_t n_attributes;
    onnx_attribute attributes[8];
    uint32_t n_inputs, n_outputs;
    onnx_tensor inputs[ONNX_MAX_INPUTS], outputs[ONNX_MAX_OUTPUTS];
} onnx_case;

/// Reads a folder. Returns false, and frees what it read, where a file is missing or malformed.
bool onnx_read(const char *folder, onnx_case *c);
void onnx_free(onnx_case *c);

/// Value i of an integer attribute, or `otherwise` where the node does not have it.
int64_t onnx_int(const onnx_case *c, const char *name, uint32_t i, int64_t otherwise);

#endif
