// SPDX-License-Identifier: Apache-2.0
// Winograd's inner product (inner16.h) in a tile of 2 rows by 32 oc, two sub-panels: a step
// takes half of the broadcasts that two tiles of 4 by 16 take, and reads the weights from memory,
// 256 bytes for 256 products. From L2 they come fast enough.
#ifndef QUERNEL_AVX2_INNER32_H
#define QUERNEL_AVX2_INNER32_H

#include <stddef.h>
#include <stdint.h>

#include "inner16.h"

enum { WIDE_MR = 2, WIDE_NR = 2 * TILE_NR };

// 8 oc of a row, whose broadcast pairs are `first` and `second`. A product joins its sum while
// the next one is made: `waits`, to acc.
#define WIDE(weights, first, second, t, u, waits, acc)                                         \
    "vpaddw 64+" weights ", %%ymm" #first ", %%ymm" #t "\n\tvpaddw " weights ", %%ymm" #second \
    ", %%ymm" #u "\n\t"                                                                        \
    "vpaddd %%ymm" #waits ", %%ymm" #acc ", %%ymm" #acc "\n\tvpmaddwd %%ymm" #t ", %%ymm" #u   \
    ", %%ymm" #t "\n\t"
#define WIDE_PAIR(at, to0, to1) \
    "vpbroadcastd " at ", %%ymm" #to0 "\n\tvpbroadcastd 4" at ", %%ymm" #to1 "\n\t"
// Row 0 has ymm0 … ymm3, row 1 ymm4 … ymm7; the last product waits in ymm14 for the next step.
// clang-format off
#define WIDE_STEP                                                                           \
    WIDE_PAIR("(%[a])", 8, 9) WIDE("0(%[b])", 8, 9, 12, 13, 14, 7)                          \
    WIDE_PAIR("(%[a],%[s])", 10, 11) WIDE("0(%[b])", 10, 11, 14, 15, 12, 0)                 \
    WIDE("32(%[b])", 8, 9, 12, 13, 14, 4) WIDE("32(%[b])", 10, 11, 14, 15, 12, 1)           \
    WIDE("0(%[b],%[p])", 8, 9, 12, 13, 14, 5) WIDE("0(%[b],%[p])", 10, 11, 14, 15, 12, 2)   \
    WIDE("32(%[b],%[p])", 8, 9, 12, 13, 14, 6) WIDE("32(%[b],%[p])", 10, 11, 14, 15, 12, 3) \
    "add $8, %[a]\n\tsub $-128, %[b]\n\t"
// clang-format on
#define WIDE_START(at, acc0, acc1)                                                               \
    "vmovdqa " #at "(%[i]), %%ymm" #acc0 "\n\tvpsubd %%ymm9, %%ymm" #acc0 ", %%ymm" #acc1 "\n\t" \
    "vpsubd %%ymm8, %%ymm" #acc0 ", %%ymm" #acc0 "\n\t"
#define WIDE_STORE(at, panel, acc) "vmovdqa %%ymm" #acc ", " #at "(%[t]" panel ")\n\t"

/// Rows at `a`, `s` bytes apart, 2 of them; sub-panels at `b`, `p` bytes apart, n quads of k; start
/// values of 32 oc, a value that is taken away in each row; sums to acc[2][16], and those of
/// the second sub-panel `q` bytes behind it.
static inline void inner_wide(const uint8_t *a, ptrdiff_t s, const void *b, size_t p, uint32_t n,
                              const int32_t *start, const int32_t *terms, int32_t *acc, size_t q) {
    __asm__ volatile(
        "vpbroadcastd (%[r]), %%ymm8\n\tvpbroadcastd 4(%[r]), %%ymm9\n\t" WIDE_START(0, 0, 4)
            WIDE_START(32, 1, 5) WIDE_START(64, 2, 6) WIDE_START(
                96, 3, 7) "vpxor %%xmm14, %%xmm14, %%xmm14\n\t.p2align 5\n1:\n\t" WIDE_STEP
                          "dec %[n]\n\tjnz 1b\n\t"
                          "vpaddd %%ymm14, %%ymm7, %%ymm7\n\t" WIDE_STORE(0, "", 0)
                              WIDE_STORE(32, "", 1) WIDE_STORE(64, "", 4) WIDE_STORE(96, "", 5)
                                  WIDE_STORE(0, ",%[q]", 2) WIDE_STORE(32, ",%[q]", 3)
                                      WIDE_STORE(64, ",%[q]", 6) WIDE_STORE(96, ",%[q]", 7)
        : [a] "+&r"(a), [b] "+&r"(b), [n] "+&r"(n)
        : [s] "r"(s), [p] "r"(p), [i] "r"(start), [r] "r"(terms), [t] "r"(acc), [q] "r"(q)
        : "cc", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
          "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

#endif
