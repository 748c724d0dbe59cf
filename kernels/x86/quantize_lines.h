// SPDX-License-Identifier: Apache-2.0
// Float lines, channels contiguous, to rows: the walk, for the instruction sets of x86. Who
// includes it defines
//   quantizer, quantizer_of(args)
//   row(x, mult, n, q, g_is_1, y)   n codes
//
// Pixels of few channels that lie side by side are taken FEW at a time, as one of as many times the
// channels: a pixel by itself is all tail.
#ifndef QUERNEL_X86_QUANTIZE_LINES_H
#define QUERNEL_X86_QUANTIZE_LINES_H

#include <stdbool.h>

#include "kernels/ukr.h"

enum { FEW = 16 };

static inline __attribute__((always_inline)) void rows(const quernel_i_quantize_args *r,
                                                       bool g_is_1) {
    const quantizer q = quantizer_of(r);
    for (uint32_t p = 0; p < r->pixels; p++)
        row(r->x + p * r->x_pixel, r->mult, r->channels, &q, g_is_1, r->y + p * r->y_pixel);
}

static void rows_of(const quernel_i_quantize_args *r) {
    if (r->g == 1.0f) rows(r, true);
    else rows(r, false);
}

static inline void quantize_lines(const quernel_i_quantize_args *r) {
    quernel_i_quantize_args rest = *r;
    const bool dense = r->x_pixel == r->channels && r->y_pixel == r->channels;
    if (r->channels < FEW && dense && r->pixels >= FEW) {
        float mult[FEW * FEW];
        quernel_i_quantize_args wide = *r;
        wide.mult = mult, wide.channels *= FEW, wide.pixels /= FEW;
        wide.x_pixel *= FEW, wide.y_pixel *= FEW;
        for (uint32_t i = 0; i < wide.channels; i++) mult[i] = r->mult[i % r->channels];
        rows_of(&wide);
        rest.pixels %= FEW;
        rest.x += wide.pixels * wide.x_pixel, rest.y += wide.pixels * wide.y_pixel;
    }
    rows_of(&rest);
}

#endif
