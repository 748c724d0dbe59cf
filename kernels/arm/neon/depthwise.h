// SPDX-License-Identifier: Apache-2.0
// Depthwise for NEON, s8 and u8 rows, kernels of any size and stride, exact on any data.
//
// 4 pixels of 16 channels have their sums in registers. Taps go two by two: smull and smlal add two
// products in 16 bits, which hold them unless both weights are -128; such a pair, which trained
// layers hardly have, goes one by one, beside weights of zero. u8 is moved to s8, and the start
// values put it right.
#ifndef QUERNEL_NEON_DEPTHWISE_H
#define QUERNEL_NEON_DEPTHWISE_H

#include "bytes.h"
#include "epilogue.h"
#include "kernels/template/depthwise.h"

enum {
    MR = 4,
    NR = EPILOGUE_NR,
    PIXELS = 32, // of a tile of sums: 2 KiB
    MARGIN = 6,  // pixels before and behind, for who begins sums ahead of the first one
    PAIRS = 32   // of taps, that are prepared at a time: all of 7x7
};

// Two taps: bytes from a pixel's address, weights of 16 channels.
typedef struct pair {
    ptrdiff_t at[2];
    int8x16_t w[2];
} pair;

// Up to 16 channels, and the taps from `first` to `next`.
typedef struct block {
    const quernel_i_depthwise *d;
    uint32_t channel, count;
    bool moved; // bytes are u8, and moved to s8
    int32_t init[NR];
    uint32_t first, next, n_pairs;
    pair pairs[PAIRS];
    pair gathered[PAIRS]; // the same of a window that was gathered tap by tap
} block;

static uint32_t taps_of(const quernel_i_depthwise *d) { return d->kernel_h * d->kernel_w; }

static int8x16_t weights_of(const block *b, uint32_t tap) {
    return vld1q_s8(b->d->w + tap * b->d->w_tap + b->channel);
}
static ptrdiff_t offset_of(const block *b, uint32_t tap) {
    const quernel_i_depthwise *d = b->d;
    return tap / d->kernel_w * d->tap_line + tap % d->kernel_w * d->tap_pixel;
}

// Whether two products of these weights may not fit 16 bits.
static bool overflows(int8x16_t v, int8x16_t w) {
    const uint8x16_t least = vreinterpretq_u8_s8(vdupq_n_s8(INT8_MIN));
    return vmaxvq_u8(
        vandq_u8(vceqq_u8(vreinterpretq_u8_s8(v), least), vceqq_u8(vreinterpretq_u8_s8(w), least)));
}

// As many pairs as there is room for, from the tap `first` on.
static void pair_taps(block *b, uint32_t first) {
    const uint32_t taps = taps_of(b->d);
    uint32_t tap = b->first = first, n = 0;
    for (; tap < taps && n < PAIRS; n++) {
        pair *p = &b->pairs[n];
        const uint32_t one = tap;
        p->at[0] = p->at[1] = offset_of(b, tap), p->w[0] = weights_of(b, tap++);
        p->w[1] = vdupq_n_s8(0);
        if (tap < taps && !overflows(p->w[0], weights_of(b, tap)))
            p->at[1] = offset_of(b, tap), p->w[1] = weights_of(b, tap++);
        const ptrdiff_t at = (ptrdiff_t)(one - first) * NR, after = (ptrdiff_t)(tap - one - 1) * NR;
        b->gathered[n] = (pair){{at, at + after}, {p->w[0], p->w[1]}};
    }
    b->next = tap, b->n_pairs = n;
}

static void begin_pairs(block *b, uint32_t channel) {
    const quernel_i_depthwise *d = b->d;
    b->channel = channel;
    b->count = d->oc - channel < NR ? d->oc - channel : NR;
    memcpy(b->init, d->init + channel, sizeof b->init);
    for (uint32_t tap = 0; b->moved && tap < taps_of(d); tap++)
        for (uint32_t c = 0; c < NR; c++)
            b->init[c] = (int32_t)((uint32_t)b->init[c] +
                                   128u * (uint32_t)d->w[tap * d->w_tap + channel + c]);
    pair_taps(b, 0);
}

// `count` bytes, moved or not, as constants.
NEON_INLINE int8x16_t load(const uint8_t *a, uint32_t count, bool moved) {
    const uint8x16_t v = load_bytes(a, count);
    return vreinterpretq_s8_u8(moved ? veorq_u8(v, vdupq_n_u8(128)) : v); // the sign
}

NEON_INLINE ints16 add_pair(ints16 sum, const pair *p, const uint8_t *a, uint32_t count,
                            bool moved) {
    const int8x16_t x = load(a + p->at[0], count, moved), y = load(a + p->at[1], count, moved);
    const int16x8_t low = vmlal_s8(vmull_s8(vget_low_s8(x), vget_low_s8(p->w[0])), vget_low_s8(y),
                                   vget_low_s8(p->w[1])),
                    high = vmlal_high_s8(vmull_high_s8(x, p->w[0]), y, p->w[1]);
    return (ints16){{vaddw_s16(sum.q[0], vget_low_s16(low)), vaddw_high_s16(sum.q[1], low),
                     vaddw_s16(sum.q[2], vget_low_s16(high)), vaddw_high_s16(sum.q[3], high)}};
}

// acc[MR][NR] += the pairs, for the pixels at `a`.
NEON_INLINE void add_pixels(const pair *p, const pair *end, const uint8_t *const a[MR],
                            int32_t *acc, uint32_t count, bool moved) {
    ints16 sum[MR];
#define BODY(p) sum[p] = load_ints(acc + p * NR);
    EACH_4(BODY)
#undef BODY
    for (; p != end; p++) {
#define BODY(i) sum[i] = add_pair(sum[i], p, a[i], count, moved);
        EACH_4(BODY)
#undef BODY
    }
#define BODY(p) store_ints(acc + p * NR, sum[p]);
    EACH_4(BODY)
#undef BODY
}

// Functions of their own, whose loops a compiler keeps in registers.
#define ADDER(name, count, moved)                                                          \
    static __attribute__((noinline)) void name(const block *b, const pair *pairs,          \
                                               const uint8_t *const a[MR], int32_t *acc) { \
        add_pixels(pairs, pairs + b->n_pairs, a, acc, count, moved);                       \
    }
ADDER(add_16, NR, false)
ADDER(add_8, NR / 2, false)
ADDER(add_some, b->count, false)
ADDER(add_16_moved, NR, true)
ADDER(add_8_moved, NR / 2, true)
ADDER(add_some_moved, b->count, true)

typedef void adder(const block *b, const pair *pairs, const uint8_t *const a[MR], int32_t *acc);

static adder *adder_of(const block *b) {
    if (b->count == NR) return b->moved ? add_16_moved : add_16;
    if (b->count == NR / 2) return b->moved ? add_8_moved : add_8;
    return b->moved ? add_some_moved : add_some;
}

// All pixels of a tile; those behind the last one are the last one again.
static void add_taps(const block *b, const uint8_t *a, uint32_t pixels, int32_t *acc) {
    const ptrdiff_t row = b->d->a_row;
    adder *const add = adder_of(b);
    for (uint32_t m = 0; m < pixels; m += MR, acc += MR * NR) {
        const uint8_t *at[MR];
        for (uint32_t p = 0; p < MR; p++) at[p] = a + (m + p < pixels ? m + p : pixels - 1) * row;
        add(b, b->pairs, at, acc);
    }
}

// The taps from `first` to `next` of a window that begins at byte `line` + `pixel`, some of it
// outside x.
static void gather(const block *b, ptrdiff_t line, ptrdiff_t pixel, uint8_t to[][NR]) {
    const quernel_i_depthwise *d = b->d;
    for (uint32_t tap = b->first; tap < b->next; tap++, to++) {
        const ptrdiff_t l = line + tap / d->kernel_w * d->tap_line,
                        p = pixel + tap % d->kernel_w * d->tap_pixel;
        if (depthwise_has_line(d, l) && p >= 0 && p < d->width)
            memcpy(*to, (const uint8_t *)d->a + l + p + b->channel, b->count);
        else memset(*to, d->outside, NR);
    }
}

// The same as add_taps for windows from byte `pixel` of a line on that are not all inside x.
static void add_gathered(const block *b, ptrdiff_t line, ptrdiff_t pixel, uint32_t pixels,
                         int32_t *acc) {
    uint8_t around[MR][2 * PAIRS][NR];
    adder *const add = adder_of(b);
    for (uint32_t m = 0; m < pixels; m += MR, acc += MR * NR) {
        const uint8_t *at[MR];
        for (uint32_t p = 0; p < MR; p++) {
            const uint32_t i = m + p < pixels ? m + p : pixels - 1;
            gather(b, line, pixel + (ptrdiff_t)i * b->d->a_row, around[p]);
            at[p] = around[p][0];
        }
        add(b, b->gathered, at, acc);
    }
}

static void start_pixels(const block *b, uint32_t pixels, int32_t *acc) {
    const ints16 init = load_ints(b->init);
    for (uint32_t m = 0; m < (pixels + MR - 1) / MR * MR; m++) store_ints(acc + m * NR, init);
}

static void sum_pairs(block *b, const uint8_t *a, uint32_t pixels, int32_t *acc) {
    start_pixels(b, pixels, acc);
    for (uint32_t tap = 0; tap < taps_of(b->d); tap = b->next) {
        if (tap != b->first) pair_taps(b, tap);
        add_taps(b, a, pixels, acc);
    }
    if (b->first) pair_taps(b, 0);
}

static void sum_gathered(block *b, ptrdiff_t line, ptrdiff_t pixel, uint32_t pixels, int32_t *acc) {
    start_pixels(b, pixels, acc);
    for (uint32_t tap = 0; tap < taps_of(b->d); tap = b->next) {
        if (tap != b->first) pair_taps(b, tap);
        add_gathered(b, line, pixel, pixels, acc);
    }
    if (b->first) pair_taps(b, 0);
}

/// What a kernel does: `begin` prepares channels from `channel` on, `sum` makes acc[pixels][NR].
typedef struct depthwise_way {
    void (*begin)(block *b, uint32_t channel);
    void (*sum)(block *b, const uint8_t *a, uint32_t pixels, int32_t *acc);
} depthwise_way;

// Output pixels of a line whose windows lie inside x; the line's taps begin at byte `line`.
static depthwise_columns inside_of(const quernel_i_depthwise *d, ptrdiff_t line) {
    const ptrdiff_t last = (ptrdiff_t)(d->kernel_h - 1) * d->tap_line,
                    behind = d->width + d->left - (ptrdiff_t)(d->kernel_w - 1) * d->tap_pixel;
    if (!depthwise_has_line(d, line) || !depthwise_has_line(d, line + last))
        return (depthwise_columns){d->rows, d->rows};
    const uint32_t from = depthwise_before(d->left, d->a_row, d->rows),
                   to = depthwise_before(behind, d->a_row, d->rows);
    return (depthwise_columns){from, from < to ? to : from};
}

static void run_line(block *b, const depthwise_way *way, uint32_t number, bool plain) {
    int32_t sums[(MARGIN + PIXELS + MARGIN) * NR] __attribute__((aligned(64)));
    int32_t *const acc = sums + MARGIN * NR;
    const quernel_i_depthwise *d = b->d;
    const quernel_i_epilogue f = depthwise_epilogue(d, number);
    const ptrdiff_t line = (ptrdiff_t)number * d->a_line - d->top;
    const depthwise_columns in = inside_of(d, line);
    for (uint32_t m = 0, pixels; m < d->rows; m += pixels) {
        const bool inside = m >= in.from && m < in.to;
        const uint32_t end = inside ? in.to : m < in.from ? in.from : d->rows;
        const ptrdiff_t pixel = (ptrdiff_t)m * d->a_row - d->left;
        pixels = end - m < PIXELS ? end - m : PIXELS;
        if (inside) way->sum(b, (const uint8_t *)d->a + line + pixel + b->channel, pixels, acc);
        else sum_gathered(b, line, pixel, pixels, acc);
        epilogue_run(&(epilogue_tile){acc, pixels, b->count, m, b->channel}, &f, plain);
    }
}

// Lines for which a block of channels is computed before the next one: those whose cache lines of
// input half of L1 keeps.
static uint32_t lines_kept(const quernel_i_depthwise *d) {
    const ptrdiff_t pixel = d->a_row < 64 ? d->a_row : 64,
                    kept = (16 << 10) / ((ptrdiff_t)d->rows * pixel) - (ptrdiff_t)d->kernel_h;
    return kept < 1 ? 1 : (uint32_t)kept;
}

/// `b` has the call, and whether its rows are moved.
static void depthwise(block *b, const depthwise_way *way) {
    const quernel_i_depthwise *d = b->d;
    const bool plain = epilogue_is_plain(d->epilogue);
    const uint32_t kept = lines_kept(d);
    for (uint32_t line = 0, end; line < d->lines; line = end) {
        end = d->lines - line < kept ? d->lines : line + kept;
        for (uint32_t channel = 0; channel < d->oc; channel += NR) {
            way->begin(b, channel);
            for (uint32_t l = line; l < end; l++) run_line(b, way, l, plain);
        }
    }
}

#endif
