// SPDX-License-Identifier: Apache-2.0
// Tiles and tails of every kind of product.
#include "shapes.h"

#include <stdlib.h>

// 4x4 outputs are one tile of Winograd's algorithms; a register tile takes `mr` of them.
enum { TILE = 4 };

static void add(shapes *s, shape one) {
    if (s->count == SHAPES_MAX) abort();
    s->of[s->count++] = one;
}

static uint32_t quads_of_step(const quernel_i_kernel *k) { return k->kr > 4 ? k->kr / 4 : 1; }

static shape product(uint32_t rows, uint32_t oc, uint32_t quads, uint32_t runs) {
    return (shape){
        .lines = 1, .pixels = rows, .oc = oc, .window = {runs, 1, 1, 1, 4 * quads, 0, 0}};
}

static void add_crossed(shapes *s, const quernel_i_kernel *k, uint32_t max_rows) {
    for (uint32_t rows = 1; rows <= max_rows; rows++)
        for (uint32_t oc = 1; oc <= k->nr + 1u; oc++)
            add(s, product(rows, oc, quads_of_step(k) + 1, 1));
}

static void add_products(shapes *s, const quernel_i_kernel *k, bool crossed) {
    const uint32_t step = quads_of_step(k), max_rows = k->op == QUERNEL_I_OP_GEMV ? 4 : k->mr + 1u;
    add(s, product(k->mr, k->nr, step + 1, 1));
    for (uint32_t rows = 1; rows <= max_rows; rows++) add(s, product(rows, k->nr, step + 1, 1));
    for (uint32_t oc = 1; oc <= k->nr + 1u; oc++) add(s, product(k->mr, oc, step + 1, 1));
    for (uint32_t q = 1; q <= 2 * step + 2; q++) add(s, product(k->mr, k->nr, q, 1));
    for (uint32_t q = 1; q <= step + 1; q++) add(s, product(k->mr, k->nr, q, 2));
    if (crossed) add_crossed(s, k, max_rows);
}

static shape conv3x3(uint32_t lines, uint32_t pixels, uint32_t oc, uint32_t stride,
                     uint32_t channels) {
    return (shape){.lines = lines,
                   .pixels = pixels,
                   .oc = oc,
                   .window = {3, 3, stride, stride, channels, 0, 0},
                   .ic_split = 1};
}

static void add_conv3x3(shapes *s, const quernel_i_kernel *k) {
    const uint32_t stride = k->fits.stride_h.min;
    add(s, conv3x3(TILE, TILE, k->nr, stride, 2));
    add(s, conv3x3(TILE, TILE * k->mr, 2, stride, 2));
    for (uint32_t lines = 1; lines <= TILE + 1; lines++) add(s, conv3x3(lines, 5, 1, stride, 1));
    for (uint32_t pixels = 1; pixels <= 2 * TILE + 1; pixels++)
        add(s, conv3x3(2, pixels, 1, stride, 1));
    add(s, conv3x3(2, TILE * k->mr + 1, 1, stride, 1));
    for (uint32_t oc = 1; oc <= k->nr + 1u; oc++) add(s, conv3x3(1, 2, oc, stride, 1));
    for (uint32_t channels = 1; channels <= 5; channels++)
        add(s, conv3x3(TILE, TILE, 3, stride, channels));
}

static shape of_lines(uint32_t pixels, uint32_t oc, quernel_i_window window) {
    return (shape){.lines = TILE + 1, .pixels = pixels, .oc = oc, .window = window, .ic_split = 1};
}

static void add_lines(shapes *s, const quernel_i_kernel *k) {
    add(s, of_lines(3, k->nr, (quernel_i_window){4, 1, 1, 1, 2, 0, 0}));
    add(s, of_lines(k->mr, 2, (quernel_i_window){7, 3, 2, 2, 3, 0, 0}));
    for (uint32_t height = 3; height <= 8; height++)
        for (uint32_t stride = 1; stride <= 2; stride++)
            add(s, of_lines(3, 2, (quernel_i_window){height, 2, stride, 1, 2, 0, 0}));
    for (uint32_t pixels = 1; pixels <= 2u * k->mr + 1; pixels++)
        add(s, of_lines(pixels, 1, (quernel_i_window){3, 1, 1, 1, 3, 0, 0}));
    for (uint32_t oc = 1; oc <= k->nr + 1u; oc++)
        add(s, of_lines(2, oc, (quernel_i_window){3, 1, 2, 1, 1, 0, 0}));
    for (uint32_t channels = 1; channels <= 5; channels++)
        add(s, of_lines(2, 2, (quernel_i_window){5, 2, 2, 2, channels, 0, 0}));
}

static shape groups(uint32_t pixels, uint32_t kernel, uint32_t stride, uint32_t in, uint32_t out,
                    uint32_t count) {
    return (shape){.lines = 2,
                   .pixels = pixels,
                   .oc = out * count,
                   .window = {kernel, kernel, stride, stride, in * count, count, out},
                   .ic_split = 1};
}

static void add_groups(shapes *s, const quernel_i_kernel *k) {
    const bool lanes = k->fits.group_lanes; // as many out as in, that fill lanes
    add(s, groups(2, 2, 1, 4, 4, 4));
    for (uint32_t pixels = 1; pixels <= k->mr + 1u; pixels++) add(s, groups(pixels, 2, 1, 4, 4, 4));
    for (uint32_t kernel = 1; kernel <= 5; kernel++)
        for (uint32_t stride = 1; stride <= 2; stride++)
            add(s, groups(2, kernel, stride, 2, lanes ? 2 : 3, 2));
    for (uint32_t in = 1; in <= 8; in++) { // as many out, more, fewer
        if (lanes && (in == 1 || 8 % in)) continue;
        add(s, groups(2, 2, 1, in, in, 16 / in));
        add(s, groups(2, 2, 1, in, lanes ? in : 9 - in, 2));
    }
}

static shape depthwise(uint32_t lines, uint32_t pixels, uint32_t channels, uint32_t kernel,
                       uint32_t stride, uint32_t pad) {
    return (shape){.lines = lines,
                   .pixels = pixels,
                   .oc = channels,
                   .window = {kernel, kernel, stride, stride, 1, 0, 0},
                   .pad = pad};
}

static void add_depthwise(shapes *s, const quernel_i_kernel *k) {
    add(s, depthwise(3, k->mr, k->nr, 3, 1, 1));
    for (uint32_t lines = 1; lines <= 5; lines++) add(s, depthwise(lines, 4, k->nr, 3, 1, 1));
    for (uint32_t pixels = 2; pixels <= 2u * k->mr + 1; pixels++)
        for (uint32_t pad = 0; pad <= 1; pad++) add(s, depthwise(2, pixels, k->nr, 3, 1, pad));
    for (uint32_t channels = 1; channels <= k->nr + 17u; channels++)
        add(s, depthwise(2, 3, channels, 3, 1, 0));
    for (uint32_t kernel = 1; kernel <= 8; kernel++)
        for (uint32_t stride = 1; stride <= 2; stride++)
            for (uint32_t pad = 0; pad < kernel && pad <= 2; pad += 2)
                add(s, depthwise(2, 5, k->nr, kernel, stride, pad));
}

void shapes_make(shapes *s, const quernel_i_kernel *k, bool crossed) {
    s->count = 0;
    if (k->call == QUERNEL_I_CALL_GEMM) add_products(s, k, crossed);
    else if (k->call == QUERNEL_I_CALL_DEPTHWISE) add_depthwise(s, k);
    else if (k->fits.whole_lines) add_lines(s, k);
    else if (k->fits.group_channels) add_groups(s, k);
    else add_conv3x3(s, k);
}

shape shapes_long(const quernel_i_kernel *k) {
    enum { OC = 256 };
    // more quads than any sum of 16 bits is let grow over
    if (k->call == QUERNEL_I_CALL_GEMM) return product(k->mr, OC, 18, 1);
    if (k->call == QUERNEL_I_CALL_DEPTHWISE) return depthwise(2, k->mr + 1u, OC, 3, 1, 0);
    if (k->fits.whole_lines) return of_lines(2, OC, (quernel_i_window){7, 3, 2, 2, 2, 0, 0});
    if (k->fits.group_channels) return groups(2, 3, 1, 4, 4, 4);
    return conv3x3(TILE, TILE, OC, k->fits.stride_h.min, 4);
}

shape shapes_at_bound(const quernel_i_kernel *k, uint32_t parts) {
    enum { LARGEST = 255 * 128 }; // product of a code of u8 and a weight
    const uint32_t products = ((1u << k->bound) - 1) / LARGEST;
    // three kernel lines of 16 pixels there; a tile has few of them
    if (k->fits.whole_lines)
        return of_lines(1, 2, (quernel_i_window){3, 16, 1, 1, products / 48, 0, 0});
    shape f = conv3x3(TILE, TILE, 2, k->fits.stride_h.min, parts * (products / 9 / 4 * 4));
    f.ic_split = parts;
    return f;
}
