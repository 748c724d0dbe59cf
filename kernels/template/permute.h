// SPDX-License-Identifier: Apache-2.0
// Permutations by a shuffle of 16 bytes. A template for any instruction set: who includes it has
// defined bytes16, and
//     bytes16_load(at), bytes16_or(a, b)
//     bytes16_shuffle(v, order)   byte order[i] of v, 0 where order[i] has its top bit set
//     store_bytes(to, v, n)       the first n <= 16 bytes of v (vector.h)
// 16 bytes of the result at a time, for all rows: each 16 bytes of the source that they come from
// give theirs, and 0 for the others. What is left at the end is made again with the bytes before.
#ifndef QUERNEL_TEMPLATE_PERMUTE_H
#define QUERNEL_TEMPLATE_PERMUTE_H

#include <string.h>

#include "kernels/ukr.h"

/// Where a part of 16 result bytes comes from, and the order.
typedef struct permute_part {
    uint32_t at; // of the source
    uint8_t order[16];
} permute_part;

// The parts of result bytes [first, first + count); `last`: where the source's last 16 bytes begin.
static inline uint32_t permute_parts(const uint32_t *index, uint32_t count, uint32_t last,
                                     permute_part *parts) {
    uint32_t used = 0;
    for (uint32_t k = 0; k < count; k++) {
        const uint32_t at = index[k] / 16 * 16 < last ? index[k] / 16 * 16 : last;
        uint32_t i = 0;
        while (i < used && parts[i].at != at) i++;
        if (i == used) {
            parts[used].at = at;
            memset(parts[used++].order, 0x80, sizeof parts->order);
        }
        parts[i].order[k] = (uint8_t)(index[k] - at);
    }
    return used;
}

// `used`: a constant where this is called, or any number.
static inline __attribute__((always_inline)) void permute_rows(const quernel_i_permute *p,
                                                               const permute_part *parts,
                                                               uint32_t used, uint8_t *y,
                                                               uint32_t count) {
    uint8_t narrow[16] = {0};
    const uint8_t *x = p->x;
    for (uint32_t m = 0; m < p->rows; m++, x += p->x_row, y += p->y_row) {
        const uint8_t *from = p->source < 16 ? memcpy(narrow, x, p->source) : x;
        bytes16 v = bytes16_shuffle(bytes16_load(from + parts[0].at), bytes16_load(parts[0].order));
        for (uint32_t i = 1; i < used; i++)
            v = bytes16_or(
                v, bytes16_shuffle(bytes16_load(from + parts[i].at), bytes16_load(parts[i].order)));
        store_bytes(y, v, count);
    }
}

static inline void permute(const quernel_i_permute *p) {
    const uint32_t last = p->source < 16 ? 0 : p->source - 16, n = p->count < 16 ? p->count : 16;
    permute_part parts[16];
    for (uint32_t k = 0; k < p->count; k += 16) {
        if (p->count - k < n) k = p->count - n;
        uint8_t *y = p->y + k;
        switch (permute_parts(p->index + k, n, last, parts)) {
        case 1: permute_rows(p, parts, 1, y, n); break;
        case 2: permute_rows(p, parts, 2, y, n); break;
        case 3: permute_rows(p, parts, 3, y, n); break;
        case 4: permute_rows(p, parts, 4, y, n); break;
        default: permute_rows(p, parts, permute_parts(p->index + k, n, last, parts), y, n); break;
        }
    }
}

#endif
