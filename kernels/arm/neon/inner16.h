// SPDX-License-Identifier: Apache-2.0
// Products of 16-bit values by Winograd's inner product ("A New Algorithm for Inner Product",
// 1968): one multiplication for two products, on cores that multiply with half of their vector
// pipes, or fewer.
//
//   (a0 + b1)(a1 + b0) = a0·b0 + a1·b1 + a0·a1 + b0·b1
//
// The last two terms belong to the row alone and to the output channel alone: a tile's sums begin
// with them, negative. Everything is computed modulo 2^32, so the result is exact as long as no
// a + b leaves 16 bits.
//
// A quad of k is a first pair, k0 and k1, and a second one, k2 and k3, which meet. Of rows it is 8
// bytes; of weights 128: [16 oc][first pair], [16 oc][second pair].
//
// A register tile is 2 rows by 16 oc: for a quad 10 loads, 4 dup, 16 additions and 16 smlal, 128
// products. The order is for cores that issue in order: the sums of 4 oc's pairs are made before
// the products of the 4 oc before them, so that these take the time that those wait for; two loads
// lie together, behind which a shorter operation would wait; what the next quad needs is loaded
// among the last products of this one, at fixed offsets, since such cores wait for an address that
// a load has changed.
#ifndef QUERNEL_NEON_INNER16_H
#define QUERNEL_NEON_INNER16_H

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>

enum {
    INNER_ROWS = 2,
    INNER_OC = 16,
    INNER_PAIRS = 32,             // values of 16 oc's first or second pairs
    INNER_QUAD = 2 * INNER_PAIRS, // of both
    INNER_SUMS = 8,               // vectors of a row's accumulators: two sums an oc
};

// Accumulators are v0 … v7 of the first row, v8 … v15 of the second; weights of 4 oc v16, v17 and
// v18, v19 in turn; sums of pairs v20 … v23, v28 … v31; the rows' pairs, 4 times each, v24, v25 and
// v26, v27.
#define INNER_ADD(to, a, b) "add v" #to ".8h, v" #a ".8h, v" #b ".8h\n\t"
#define INNER_LOW(acc, t, u) "smlal v" #acc ".4s, v" #t ".4h, v" #u ".4h\n\t"
#define INNER_HIGH(acc, t, u) "smlal2 v" #acc ".4s, v" #t ".8h, v" #u ".8h\n\t"
#define INNER_B(v, at) "ldr q" #v ", [%[b], #" #at "]\n\t"
#define INNER_A(v, row, at) "ldr d" #v ", [%[" #row "], #" #at "]\n\t"
#define INNER_DUP(to, from, pair) "dup v" #to ".4s, v" #from ".s[" #pair "]\n\t"
// clang-format off
// The sums of pairs of 4 oc, whose weights are `first` and `second`, and both rows.
#define INNER_MEET(t0, u0, t1, u1, first, second)                                           \
    INNER_ADD(t0, 24, second) INNER_ADD(u0, 25, first)                                      \
    INNER_ADD(t1, 26, second) INNER_ADD(u1, 27, first)
#define INNER_PRODUCTS(low0, high0, low1, high1, t0, u0, t1, u1)                            \
    INNER_LOW(low0, t0, u0) INNER_HIGH(high0, t0, u0)                                       \
    INNER_LOW(low1, t1, u1) INNER_HIGH(high1, t1, u1)
#define INNER_LOOP                                                                          \
    INNER_ADD(20, 24, 17) INNER_ADD(21, 25, 16) INNER_B(18, 16) INNER_B(19, 80)             \
    INNER_ADD(22, 26, 17) INNER_ADD(23, 27, 16) INNER_B(16, 32) INNER_B(17, 96)             \
    INNER_MEET(28, 29, 30, 31, 18, 19) INNER_B(18, 48) INNER_B(19, 112)                     \
    "subs %w[n], %w[n], #1\n\t"                                                             \
    INNER_PRODUCTS(0, 1, 8, 9, 20, 21, 22, 23)                                              \
    INNER_MEET(20, 21, 22, 23, 16, 17)                                                      \
    INNER_PRODUCTS(2, 3, 10, 11, 28, 29, 30, 31) INNER_B(16, 128) INNER_B(17, 192)          \
    INNER_MEET(28, 29, 30, 31, 18, 19)                                                      \
    INNER_PRODUCTS(4, 5, 12, 13, 20, 21, 22, 23) INNER_A(24, a0, 8) INNER_A(26, a1, 8)      \
    "add %[b], %[b], #128\n\t"                                                              \
    INNER_PRODUCTS(6, 7, 14, 15, 28, 29, 30, 31)                                            \
    INNER_DUP(25, 24, 1) INNER_DUP(27, 26, 1) INNER_DUP(24, 24, 0) INNER_DUP(26, 26, 0)     \
    "add %[a0], %[a0], #8\n\tadd %[a1], %[a1], #8\n\t"

// A term of the row and 8 vectors of the oc.
#define INNER_START(to, term, oc) "add v" #to ".4s, v" #term ".4s, v" #oc ".4s\n\t"
#define INNER_START_8(term, a, b, c, d, e, f, g, h)                                         \
    INNER_START(a, term, 0) INNER_START(b, term, 1) INNER_START(c, term, 2)                 \
    INNER_START(d, term, 3) INNER_START(e, term, 4) INNER_START(f, term, 5)                 \
    INNER_START(g, term, 6) INNER_START(h, term, 7)
#define INNER_JOIN(to, low, high) "addp v" #to ".4s, v" #low ".4s, v" #high ".4s\n\t"
#define INNER_END(o, a, b, c, d, e, f, g, h)                                                \
    INNER_JOIN(a, a, b) INNER_JOIN(c, c, d) INNER_JOIN(e, e, f) INNER_JOIN(g, g, h)         \
    "stp q" #a ", q" #c ", [%[" #o "]]\n\tstp q" #e ", q" #g ", [%[" #o "], #32]\n\t"

/// acc0[16], acc1[16] = terms + rows a0, a1 · weights b of `quads` > 0. Behind the last quad the
/// next one's 8 bytes of rows and the first 80 of weights are read.
static inline void inner_tile(const int16_t *a0, const int16_t *a1, const int16_t *b,
                              uint32_t quads, const int32x4_t *a0_term, const int32x4_t *a1_term,
                              const int32x4_t *b_terms, int32_t *acc0, int32_t *acc1) {
    __asm__ volatile(
        "ldp q0, q1, [%[bt]]\n\tldp q2, q3, [%[bt], #32]\n\t"
        "ldp q4, q5, [%[bt], #64]\n\tldp q6, q7, [%[bt], #96]\n\t"
        "ldr q28, [%[t0]]\n\tldr q29, [%[t1]]\n\t" INNER_A(24, a0, 0) INNER_A(26, a1, 0)
        INNER_START_8(29, 8, 9, 10, 11, 12, 13, 14, 15) INNER_B(16, 0) INNER_B(17, 64)
        INNER_START_8(28, 0, 1, 2, 3, 4, 5, 6, 7)
        INNER_DUP(25, 24, 1) INNER_DUP(27, 26, 1) INNER_DUP(24, 24, 0) INNER_DUP(26, 26, 0)
        ".p2align 4\n1:\n\t" INNER_LOOP "b.ne 1b\n\t"
        INNER_END(o0, 0, 1, 2, 3, 4, 5, 6, 7) INNER_END(o1, 8, 9, 10, 11, 12, 13, 14, 15)
        : [a0] "+&r"(a0), [a1] "+&r"(a1), [b] "+&r"(b), [n] "+&r"(quads)
        : [bt] "r"(b_terms), [t0] "r"(a0_term), [t1] "r"(a1_term), [o0] "r"(acc0), [o1] "r"(acc1)
        : "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11",
          "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24",
          "v25", "v26", "v27", "v28", "v29", "v30", "v31");
}
// clang-format on

enum { INNER_CHAINS = 4 }; // rows whose terms are added up together: they wait for each other else

/// What the sums of rows begin with, −Σ of the products of pairs, as two sums, twice: of `rows`,
/// and up to the next multiple of INNER_CHAINS. `row` in values.
static inline void inner_row_terms(const int16_t *a, size_t row, uint32_t rows, uint32_t quads,
                                   int32x4_t *terms) {
    for (uint32_t m = 0; m < rows; m += INNER_CHAINS) {
        const int16_t *at[INNER_CHAINS];
        int32x4_t sum[INNER_CHAINS], last[INNER_CHAINS];
        for (uint32_t i = 0; i < INNER_CHAINS; i++) {
            at[i] = a + (m + i < rows ? m + i : m) * row;
            sum[i] = last[i] = vdupq_n_s32(0);
        }
        uint32_t q = 0;
        for (; q + 4 <= quads; q += 4)
#pragma GCC unroll 4
            for (uint32_t i = 0; i < INNER_CHAINS; i++) {
                const int32x4_t low = vreinterpretq_s32_s16(vld1q_s16(at[i] + 4 * q)),
                                high = vreinterpretq_s32_s16(vld1q_s16(at[i] + 4 * q + 8));
                const int16x8_t first = vreinterpretq_s16_s32(vuzp1q_s32(low, high)),
                                second = vreinterpretq_s16_s32(vuzp2q_s32(low, high));
                sum[i] = vmlsl_s16(sum[i], vget_low_s16(first), vget_low_s16(second));
                sum[i] = vmlsl_high_s16(sum[i], first, second);
            }
        for (; q < quads; q++) // each product twice
            for (uint32_t i = 0; i < INNER_CHAINS; i++) {
                const int16x4_t one = vld1_s16(at[i] + 4 * q);
                last[i] = vmlsl_s16(last[i], one, vext_s16(one, one, 2));
            }
        for (uint32_t i = 0; i < INNER_CHAINS; i++) {
            const uint32x4_t two = vreinterpretq_u32_s32(sum[i]), swapped = vextq_u32(two, two, 2);
            terms[m + i] = vreinterpretq_s32_u32(
                vaddq_u32(vaddq_u32(two, swapped), vreinterpretq_u32_s32(last[i])));
        }
    }
}

/// The same of 16 output channels, two sums each.
static inline void inner_oc_terms(const int16_t *b, uint32_t quads, int32x4_t terms[INNER_SUMS]) {
    int32x4_t sum[INNER_SUMS];
#pragma GCC unroll 8
    for (uint32_t i = 0; i < INNER_SUMS; i++) sum[i] = vdupq_n_s32(0);
    for (; quads; quads--, b += INNER_QUAD)
#pragma GCC unroll 4
        for (uint32_t i = 0; i < INNER_SUMS / 2; i++) {
            const int16x8_t first = vld1q_s16(b + 8 * i),
                            second = vld1q_s16(b + INNER_PAIRS + 8 * i);
            sum[2 * i] = vmlsl_s16(sum[2 * i], vget_low_s16(first), vget_low_s16(second));
            sum[2 * i + 1] = vmlsl_high_s16(sum[2 * i + 1], first, second);
        }
#pragma GCC unroll 8
    for (uint32_t i = 0; i < INNER_SUMS; i++) terms[i] = sum[i];
}

/// acc[rows][16] = rows · weights, of which those know what their sums begin with. The last
/// register tile shares a row with the one before it; a single row is both of its own. `row` in
/// values.
static inline void inner_rows(const int16_t *a, size_t row, uint32_t rows, const int16_t *b,
                              uint32_t quads, const int32x4_t *row_terms, int32_t *acc) {
    int32x4_t oc_terms[INNER_SUMS];
    const uint32_t second = rows > 1 ? 1 : 0;
    inner_oc_terms(b, quads, oc_terms);
    for (uint32_t m = 0; m < rows; m += INNER_ROWS) {
        const uint32_t at = m + second < rows ? m : m - 1, next = at + second;
        inner_tile(a + at * row, a + next * row, b, quads, row_terms + at, row_terms + next,
                   oc_terms, acc + at * INNER_OC, acc + next * INNER_OC);
    }
}

#endif
