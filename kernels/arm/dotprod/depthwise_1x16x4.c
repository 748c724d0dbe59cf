// SPDX-License-Identifier: Apache-2.0
// Depthwise for the dot products of Armv8.2: a lane is four taps, one below the other, of one
// channel.
//
// 3x3, 5x5 and 7x7 with stride 1 slide over a line: a column of lines is interleaved once, and
// meets all output pixels whose taps it has; of 7x7, whose sums would fill all registers, 8
// channels at a time. Their sums stay in registers, each in one of as many places as the kernel has
// columns in turn, so that none is moved. Other kernels, and channels that do not fill 16, go as on
// base NEON (kernels/arm/neon/depthwise.h); stride 2 gained less than it cost on Neoverse N1.
//
// A column of 3x3 for 16 outputs: 3 loads, 8 zips, 12 dots. Speed is a model here: llvm-mca 22,
// caches and branches perfect; no Arm processor was timed. Cycles for 16 outputs, behind them base
// NEON's for s8 rows:
//          N1       N2       V1       V2       Cortex-A55
//   3x3    27, 28   16, 20   7, 15    10, 15   59, 64
//   5x5    66, 72   35, 52   18, 39   23, 39   150, 166
//   7x7    98, 138  54, 101  27, 76   31, 76   219, 319
// as GCC schedules it for Neoverse N1 (kernels/meson.build): for any core A55 takes 79, 216, 340.
#include "kernels/arm/neon/depthwise.h"

enum {
    SIZE = 7,  // of the largest kernel that slides
    QUADS = 2, // of lines
    FULL = 16  // sums that leave registers for more than a column and weights
};

// 16 channels of 4 taps.
typedef struct quad {
    int8x16_t q[4];
} quad;

typedef struct sliding sliding;
typedef void slider(const sliding *s, const int8_t *a, uint32_t pixels, int32_t *acc);
struct sliding {
    block pairs; // the first member
    slider *slide;
    quad w[SIZE][QUADS];
};

NEON_INLINE int16x8_t halves(int8x16_t v) { return vreinterpretq_s16_s8(v); }
NEON_INLINE int8x16_t bytes(int16x8_t v) { return vreinterpretq_s8_s16(v); }

NEON_INLINE quad interleave(const int8x16_t line[4]) {
    const int16x8_t a = halves(vzip1q_s8(line[0], line[1])),
                    c = halves(vzip1q_s8(line[2], line[3])),
                    b = halves(vzip2q_s8(line[0], line[1])),
                    d = halves(vzip2q_s8(line[2], line[3]));
    return (quad){{bytes(vzip1q_s16(a, c)), bytes(vzip2q_s16(a, c)), bytes(vzip1q_s16(b, d)),
                   bytes(vzip2q_s16(b, d))}};
}

// Lines `line` … `line` + 3 of a column; those behind the last one are the last one again, and meet
// weights of zero.
NEON_INLINE quad column_of(const int8_t *a, ptrdiff_t tap_line, int line, int size,
                           int8x16_t flip) {
    int8x16_t lines[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
        lines[i] = veorq_s8(vld1q_s8(a + (line + i < size ? line + i : size - 1) * tap_line), flip);
    return interleave(lines);
}

// Vectors of 4 channels from `first` to `end`.
NEON_INLINE ints16 add_quad(ints16 sum, quad x, const quad *w, const int first, const int end) {
#define BODY(i) \
    if (i >= first && i < end) sum.q[i] = vdotq_s32(sum.q[i], x.q[i], w->q[i]);
    EACH_4(BODY)
#undef BODY
    return sum;
}

// All pixels, of 16 channels the vectors from `first` to `end`; these and `size` of the kernel are
// constants. Sums of pixels before the first and behind the last one go to the tile's margins; a
// column behind the last one is the last one again.
NEON_INLINE void slide(const sliding *s, const int8_t *a, uint32_t pixels, int32_t *acc,
                       const int size, const int first, const int end) {
    const quernel_i_depthwise *d = s->pairs.d;
    const bool full = size * (end - first) > FULL; // no register for what can be loaded again
    const ints16 init = load_ints(s->pairs.init);
    const int8x16_t flip = vdupq_n_s8(s->pairs.moved ? INT8_MIN : 0);
    const uint32_t columns = pixels + (uint32_t)size - 1;
    ints16 sum[SIZE];
#pragma GCC unroll 7
    for (int i = 0; i < size; i++) sum[i] = init;
    acc -= (size - 1) * NR;
    for (uint32_t m = 0; m < columns; m += (uint32_t)size) {
#pragma GCC unroll 7
        for (int r = 0; r < size; r++, acc += NR) { // the place of the sum that begins
            const uint32_t column = m + (uint32_t)r < columns ? m + (uint32_t)r : columns - 1;
            sum[r] = full ? load_ints(s->pairs.init) : init;
#pragma GCC unroll 2
            for (int q = 0; 4 * q < size; q++) {
                const quad x = column_of(a + column * d->tap_pixel, d->tap_line, 4 * q, size, flip);
#pragma GCC unroll 7
                for (int i = 0; i < size; i++)
                    sum[(r + size - i) % size] =
                        add_quad(sum[(r + size - i) % size], x, &s->w[i][q], first, end);
                if (full) __asm__ volatile("" ::: "memory"); // no line of the next quad yet
            }
#define BODY(i) \
    if (i >= first && i < end) vst1q_s32(acc + 4 * i, sum[(r + 1) % size].q[i]);
            EACH_4(BODY)
#undef BODY
        }
    }
}

#define SLIDER(size, step)                                                                \
    static __attribute__((noinline)) void slide_##size(const sliding *s, const int8_t *a, \
                                                       uint32_t pixels, int32_t *acc) {   \
        _Pragma("GCC unroll 2") for (int i = 0; i < 4; i += step)                         \
            slide(s, a, pixels, acc, size, i, i + step);                                  \
    }
SLIDER(3, 4)
SLIDER(5, 4)
SLIDER(7, 2)

// NULL where the kernel does not slide, or channels do not fill 16.
static slider *slider_of(const block *b) {
    static slider *const sliders[] = {slide_3, slide_5, slide_7};
    const quernel_i_depthwise *d = b->d;
    const uint32_t size = d->kernel_h;
    const bool odd = size == d->kernel_w && size % 2 && size >= 3 && size <= SIZE;
    return odd && d->a_row == d->tap_pixel && b->count == NR ? sliders[(size - 3) / 2] : NULL;
}

// Four taps of column j, from line 4q on; those behind the last one are 0.
static quad weights_of_quad(const block *b, uint32_t j, uint32_t q) {
    const uint32_t size = b->d->kernel_h;
    int8x16_t lines[4];
    for (uint32_t i = 0; i < 4; i++)
        lines[i] = 4 * q + i < size ? weights_of(b, (4 * q + i) * size + j) : vdupq_n_s8(0);
    return interleave(lines);
}

static void begin(block *b, uint32_t channel) {
    sliding *s = (sliding *)(void *)b;
    begin_pairs(b, channel);
    s->slide = slider_of(b);
    if (!s->slide) return;
    for (uint32_t j = 0; j < b->d->kernel_w; j++)
        for (uint32_t q = 0; q < (b->d->kernel_h + 3) / 4; q++)
            s->w[j][q] = weights_of_quad(b, j, q);
}

static void sum(block *b, const uint8_t *a, uint32_t pixels, int32_t *acc) {
    const sliding *s = (const sliding *)(const void *)b;
    if (s->slide) s->slide(s, (const int8_t *)a, pixels, acc);
    else sum_pairs(b, a, pixels, acc);
}

static void run(const quernel_i_depthwise *d, bool moved) {
    static const depthwise_way dots = {begin, sum};
    sliding s = {.pairs = {.d = d, .moved = moved}};
    depthwise(&s.pairs, &dots);
}

void quernel_uk_depthwise_s8s8_1x16x4_dotprod(const quernel_i_depthwise *d);
void quernel_uk_depthwise_s8s8_1x16x4_dotprod(const quernel_i_depthwise *d) { run(d, false); }
void quernel_uk_depthwise_u8s8_1x16x4_dotprod(const quernel_i_depthwise *d);
void quernel_uk_depthwise_u8s8_1x16x4_dotprod(const quernel_i_depthwise *d) { run(d, true); }
