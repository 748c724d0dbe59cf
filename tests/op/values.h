// SPDX-License-Identifier: Apache-2.0
// Operators on values: random tensors and epilogues of them, their memory, and the oracle's law of
// one element (docs/numerics.md, rule 8), restated from the public headers.
#ifndef QUERNEL_TESTS_VALUES_H
#define QUERNEL_TESTS_VALUES_H

#include "case.h"

enum { VALUES_CHANNELS_MAX = 300 };

/// Arrays that a descriptor points to.
typedef struct values_arrays {
    float x_scales[VALUES_CHANNELS_MAX], z_scales[VALUES_CHANNELS_MAX];
    float slopes[VALUES_CHANNELS_MAX], smooth[VALUES_CHANNELS_MAX];
} values_arrays;

/// A tensor's memory: `first` is element (0, 0, 0, 0), the window is all that must keep what the
/// oracle says; `expected` is a copy of it.
typedef struct values_buffer {
    quernel_tensor t; // strides filled in
    uint8_t *first, *window, *expected;
    size_t window_bytes;
} values_buffer;

/// A tensor of sizes s, n, c, h, w. Any layout and strides; int8 NHWC also with a border where
/// `border`.
quernel_tensor values_draw_tensor(rng *r, int32_t type, const uint32_t s[4], bool border);
/// One of the four types.
int32_t values_draw_type(rng *r);
/// Type, scale, zero point, and sometimes `scales`, of a tensor whose c is set.
void values_draw_operand(rng *r, quernel_operand *operand, float *scales);
/// Activation and output of `channels` channels.
void values_draw_epilogue(rng *r, quernel_epilogue *f, uint32_t channels, values_arrays *a);

/// Memory of a tensor, poisoned, and its copy. `slot`: which of four memories. False where there is
/// none.
bool values_take(values_buffer *b, rng *r, const quernel_tensor *t, int slot);
void values_fill(values_buffer *b, rng *r);
/// The copy becomes what the memory holds now.
void values_keep(values_buffer *b);
void values_free(values_buffer *b);

/// Bytes from element (0, 0, 0, 0); sizes of 1 are the same for all.
int64_t values_at(const quernel_tensor *t, int64_t n, int64_t c, int64_t h, int64_t w);
/// The value of an element. `data`: element (0, 0, 0, 0).
float values_read(const quernel_operand *o, const quernel_tensor *t, const uint8_t *data, int64_t n,
                  int64_t c, int64_t h, int64_t w);
/// Activation, factor and type: writes one element of y.
void values_write(const quernel_epilogue *f, uint32_t c, float t, uint8_t *at);
/// Writes the border of y.
void values_border(const quernel_tensor *y, uint8_t zero, uint8_t *data);

/// NULL, or what is wrong with memory that should hold its copy.
const char *values_compare(values_buffer *b, char *text, size_t capacity);

/// Runs `op` in an odd float environment, over `threads` workers in some way. NULL, or what went
/// wrong.
const char *values_run(rng *r, const quernel_operator *op, uint32_t threads, const void *x,
                       const void *z, void *y);

#endif
