// SPDX-License-Identifier: Apache-2.0
// The shapes at which a product kernel's ways differ: whole tiles, and each tail of each size.
#ifndef QUERNEL_KCHECK_SHAPES_H
#define QUERNEL_KCHECK_SHAPES_H

#include "scene.h"

enum { SHAPES_MAX = 8192 }; // above what the widest kernel has: every row with every oc

typedef struct shapes {
    uint32_t count;
    shape of[SHAPES_MAX];
} shapes;

/// Each size by itself from 1 to beyond a tile, the others at a tile or less; with `crossed` those
/// of GEMM with each other. The first shape is the
/// smallest whole tile.
void shapes_make(shapes *s, const quernel_i_kernel *kernel, bool crossed);
/// A tile, and what makes sums long, of as many oc as the kernel can take of 256.
shape shapes_long(const quernel_i_kernel *kernel);
/// A tile of as many channels as the kernel's bound lets through with any rows and weights, in each
/// of `parts` parts.
shape shapes_at_bound(const quernel_i_kernel *kernel, uint32_t parts);

#endif
