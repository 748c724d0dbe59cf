// SPDX-License-Identifier: Apache-2.0
// Memory of exactly what a tensor covers, between pages that trap.
#ifndef QUERNEL_TESTS_FUZZ_BUFFER_H
#define QUERNEL_TESTS_FUZZ_BUFFER_H

#include "source.h"

enum { BUFFER_SLOTS = 24, BUFFER_MOST = 1 << 20 };

typedef struct buffer {
    quernel_tensor t; ///< strides filled in
    uint8_t *first;   ///< element (0, 0, 0, 0)
    uint8_t *window, *before;
    size_t window_bytes;
} buffer;

/// Bytes of all of its elements and its border, with what lies between them; more than BUFFER_MOST
/// where that is too much to run.
size_t buffer_bytes(const quernel_tensor *t);

/// Memory of tensor `t` at either end of its pages, or between them, filled with `poison`. Memory
/// of a slot lasts until it is taken again.
void buffer_take(source *s, buffer *b, const quernel_tensor *t, int slot, uint8_t poison);
/// Fills elements from `seed`, and the border with `zero`.
void buffer_fill(buffer *b, uint64_t seed, uint8_t zero);
/// Remembers what the memory holds.
void buffer_keep(buffer *b);

/// Aborts where a byte changed that is neither of an element nor of the border; with `read`, where
/// any did.
void buffer_check(const buffer *b, bool read, const char *name);
/// Appends all elements and the border, in order, to `all` of *bytes bytes (NULL: none), which is
/// reallocated; a NaN of floats is always the same one.
uint8_t *buffer_append(const buffer *b, uint8_t *all, size_t *bytes);
void buffer_free(buffer *b);

#endif
