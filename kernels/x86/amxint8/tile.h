// SPDX-License-Identifier: Apache-2.0
// AMX tiles as these kernels use them: one instruction each, registers by number.
//
// Palette 1 has eight tiles of up to 16 rows of up to 64 bytes. A kernel takes tiles 0 … 3 for
// sums, then as many as it needs for rows, the rest for weights. The configuration is written for
// the call, whose rows its tiles divide evenly, so that no tail of rows needs a configuration of
// its own.
#ifndef QUERNEL_AMXINT8_TILE_H
#define QUERNEL_AMXINT8_TILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TILES = 8, TILE_SUMS = 4, TILE_ROWS = 16, TILE_BYTES = 64, TILE_K_QUADS = 16 };

typedef struct tile_config {
    uint8_t palette, start, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_config;

/// Tiles of rows: heights[i] x 4·depth bytes. Of sums: `column_tiles` for each of those in order,
/// as high, x 16 oc. Of weights: depth x 64 bytes.
static inline void tiles_configure(const uint8_t *heights, uint32_t row_tiles,
                                   uint32_t column_tiles, uint32_t depth) {
    tile_config c __attribute__((aligned(64))) = {.palette = 1};
    for (uint32_t i = 0; i < TILES; i++) {
        const uint32_t row = i < TILE_SUMS ? i / column_tiles : i - TILE_SUMS;
        const bool is_rows = i >= TILE_SUMS && row < row_tiles,
                   is_weights = i >= TILE_SUMS && !is_rows;
        c.row_bytes[i] = (uint16_t)(is_rows ? 4 * depth : TILE_BYTES);
        c.rows[i] = is_weights ? (uint8_t)depth : row < row_tiles ? heights[row] : 0;
        if (!c.rows[i]) c.row_bytes[i] = 0; // a tile that is not used has neither
    }
    __asm__ volatile("ldtilecfg %0" ::"m"(c));
}

static inline void tiles_release(void) { __asm__ volatile("tilerelease" ::: "memory"); }

typedef char tile_bytes[1 << 30]; // what a load may read, for the compiler's knowledge of memory

// `once`: the lines will not be read again soon, and should not push others out of L1.
#define TILE_LOAD_AS(instruction, tile, from, stride)                                             \
    __asm__ volatile(instruction " (%0,%1,1), %%tmm" #tile ::"r"(from), "r"((ptrdiff_t)(stride)), \
                     "m"(*(const tile_bytes *)(from)))
#define TILE_LOAD(tile, from, stride, once)                        \
    do {                                                           \
        if (once) TILE_LOAD_AS("tileloaddt1", tile, from, stride); \
        else TILE_LOAD_AS("tileloadd", tile, from, stride);        \
    } while (0)
#define TILE_STORE(tile, to, stride)                                                            \
    __asm__ volatile("tilestored %%tmm" #tile ", (%0,%1,1)" ::"r"(to), "r"((ptrdiff_t)(stride)) \
                     : "memory")
#define TILE_ZERO(tile) __asm__ volatile("tilezero %tmm" #tile)
// sums += rows·weights; rows are u8 or s8.
#define TILE_DOT(is_signed, sums, rows, weights)                                                \
    do {                                                                                        \
        if (is_signed) __asm__ volatile("tdpbssd %tmm" #weights ", %tmm" #rows ", %tmm" #sums); \
        else __asm__ volatile("tdpbusd %tmm" #weights ", %tmm" #rows ", %tmm" #sums);           \
    } while (0)

#endif
