// SPDX-License-Identifier: Apache-2.0
// Layers and products read from CSV: columns by name in any order, unknown ones ignored. A row
// that cannot be read whole is refused, with all of the list.
#ifndef QUERNEL_TUNE_SHAPES_H
#define QUERNEL_TUNE_SHAPES_H

#include <stdbool.h>

#include "quernel/quernel.h"

enum shape_op { SHAPE_GEMM, SHAPE_CONV, SHAPE_DECONV, SHAPE_DEPTHWISE };
/// By op; NULL at the end.
extern const char *const shape_op_names[];

/// A name that shape_name makes: with an extension it is one that every file system takes.
enum { SHAPE_MODEL_MAX = 48, SHAPE_LAYER_MAX = 112, SHAPE_NAME_MAX = 240 };

typedef struct shape {
    enum shape_op op;
    char model[SHAPE_MODEL_MAX], layer[SHAPE_LAYER_MAX]; // gemm: `layer` holds its kind
    char activation[16];
    uint32_t batch, c_in, h, w, c_out, kernel, kernel_w, stride, stride_w, pad, pad_w, groups,
        dilation, out_pad;
    uint32_t repeat, residual;
    uint32_t input, slice; // of a network: the row it reads, counted from 1 (0: the input); first
                           // channel of the output, or UINT32_MAX
    uint32_t m, n, k;      // of the product: given for gemm, derived for layers
    uint32_t h_out, w_out; // derived
    uint64_t macs;
} shape;

/// Input and output channels; of a product k and n.
static inline uint32_t shape_in(const shape *s) { return s->op == SHAPE_GEMM ? s->k : s->c_in; }
static inline uint32_t shape_out(const shape *s) { return s->op == SHAPE_GEMM ? s->n : s->c_out; }

/// Reads all rows. Returns their number, or −1 with a line on stderr naming file, line and column.
int shapes_read(const char *path, int gemm, shape **ret_shapes);

/// Fills m, n, k, macs and the output size; false where the kernel does not fit,
/// or one of them is not below 2^31 (macs: 2^64).
int shape_complete(shape *s);

/// "pointpillars_blocks.0.4-10_64x248x216", usable as a file's name.
void shape_name(const shape *s, char *text, size_t capacity);

#endif
