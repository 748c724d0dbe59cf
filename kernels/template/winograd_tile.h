// SPDX-License-Identifier: Apache-2.0
// What the register tiles of conv3x3.h's instruction sets are given.
#ifndef QUERNEL_TEMPLATE_WINOGRAD_TILE_H
#define QUERNEL_TEMPLATE_WINOGRAD_TILE_H

#include <stddef.h>
#include <stdint.h>

/// acc[rows][NR] = rows · weights, 16-bit values and 32-bit sums modulo 2^32.
typedef struct winograd_tile {
    const uint8_t *a; // rows, one behind the other, `row` bytes apart
    size_t row;
    size_t next; // bytes from them to the rows of the tile that follows
    const uint8_t *b;
    size_t b_panel; // bytes from sub-panel to sub-panel
    uint32_t rows, quads, panels;
    int32_t *acc;
#ifdef WINOGRAD_ROW_TERMS
    const vint *row_terms;
#endif
} winograd_tile;

#endif
