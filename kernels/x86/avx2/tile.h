// SPDX-License-Identifier: Apache-2.0
// The register tile of vpmaddwd kernels in assembly: up to 6 rows by 16 oc of 32-bit sums in
// ymm0 … ymm11. What a step does for a row is the kernel's macro ROW(k, at, acc0, acc1): `k` an
// offset, `at` the row's address in AT&T form.
#ifndef QUERNEL_AVX2_TILE_H
#define QUERNEL_AVX2_TILE_H

#include <stddef.h>
#include <stdint.h>

enum { TILE_MR = 6, TILE_NR = 16 };

#define TILE_ROWS_1(ROW, k) ROW(k, "(%[a])", 0, 1)
#define TILE_ROWS_2(ROW, k) TILE_ROWS_1(ROW, k) ROW(k, "(%[a],%[s])", 2, 3)
#define TILE_ROWS_3(ROW, k) TILE_ROWS_2(ROW, k) ROW(k, "(%[a],%[s],2)", 4, 5)
#define TILE_ROWS_4(ROW, k) TILE_ROWS_3(ROW, k) ROW(k, "(%[c])", 6, 7)
#define TILE_ROWS_5(ROW, k) TILE_ROWS_4(ROW, k) ROW(k, "(%[c],%[s])", 8, 9)
#define TILE_ROWS_6(ROW, k) TILE_ROWS_5(ROW, k) ROW(k, "(%[c],%[s],2)", 10, 11)

// Before and after the loop: op(bytes from the first row's sums, acc0, acc1).
#define TILE_EDGE_1(op) op(0, 0, 1)
#define TILE_EDGE_2(op) TILE_EDGE_1(op) op(64, 2, 3)
#define TILE_EDGE_3(op) TILE_EDGE_2(op) op(128, 4, 5)
#define TILE_EDGE_4(op) TILE_EDGE_3(op) op(192, 6, 7)
#define TILE_EDGE_5(op) TILE_EDGE_4(op) op(256, 8, 9)
#define TILE_EDGE_6(op) TILE_EDGE_5(op) op(320, 10, 11)
#define TILE_STORE(at, acc0, acc1) \
    "vmovdqa %%ymm" #acc0 ", " #at "(%[t])\n\tvmovdqa %%ymm" #acc1 ", 32+" #at "(%[t])\n\t"

/// Rows at `a`, `s` bytes apart; weights at `b`; `n` steps; start values at `init`; sums to
/// acc[rows][16].
typedef void tile_function(const uint8_t *a, ptrdiff_t s, const void *b, uint32_t n,
                           const int32_t *init, int32_t *acc);

/// Defines a tile_function: `step` goes on by itself from a, c = a + 3s and b.
#define TILE(name, start, step, end)                                                               \
    static void name(const uint8_t *a, ptrdiff_t s, const void *b, uint32_t n,                     \
                     const int32_t *init, int32_t *acc) {                                          \
        const uint8_t *c = a + 3 * s;                                                              \
        __asm__ volatile(start ".p2align 5\n1:\n\t" step "dec %[n]\n\tjnz 1b\n\t" end              \
                         : [a] "+&r"(a), [c] "+&r"(c), [b] "+&r"(b), [n] "+&r"(n)                  \
                         : [s] "r"(s), [i] "r"(init), [t] "r"(acc)                                 \
                         : "cc", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", \
                           "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",    \
                           "xmm15");                                                               \
    }

#endif
