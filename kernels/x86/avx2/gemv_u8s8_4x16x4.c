// SPDX-License-Identifier: Apache-2.0
// GEMV for AVX2, up to 4 u8 rows, exact on any data; reads w16x4 as it is and walks the weights
// once.
//
// A row's bytes are split into nibbles, a = low + 16·high, once per call. A nibble times a weight
// is at most 15·128, a pair of them 3840: vpmaddubsw cannot saturate, and 8 pairs may be added in
// 16 bits before vpmaddwd brings low·1 + high·16 into the 32-bit sums. Per 64 bytes of weights and
// row: 4 vpmaddubsw, 4 vpaddw, 2 broadcasts, an eighth of a flush.
//
// One row: 4 multiplications on 2 pipes are 2 cycles for 64 bytes, 90 GB/s at 2.85 GHz; measured on
// Zen 4 57 GB/s from L2, 43 from L3 (a plain loop reads 92 and 57); on Zen 3 92-102 % of the plain
// loop for 16 MB in L3, 75-83 % from memory (10 distances and hints of prefetching between 73 and
// 85 %, loads ahead instead 63-77). More rows are bound by arithmetic.
#include <immintrin.h>

#include "epilogue.h"
#include "kernels/ukr.h"

enum {
    MR = 4,
    NR = 16,
    CHUNK = 8, // blocks that the second pair of rows finds in L1: 4 KiB
    BLOCK = 8, // quads between two flushes: 8 pairs reach 8·15·128·2 = 30 720 < 32 768
};

size_t quernel_uk_gemv_u8s8_4x16x4_avx2_scratch(uint32_t k_quads);
size_t quernel_uk_gemv_u8s8_4x16x4_avx2_scratch(uint32_t k_quads) {
    return ((size_t)k_quads * MR * 8 + 63) / 64 * 64;
}

// The nibbles of one row: per group 4 low ones, then 4 high ones; `step` elements from group to
// group.
static void split_row(const quernel_i_gemm *g, uint32_t m, uint32_t *to, uint32_t step) {
    const uint8_t *row = (const uint8_t *)g->a + (ptrdiff_t)m * g->a_row;
    for (uint32_t i = 0; i < g->n_k_runs; i++)
        for (uint32_t j = 0; j < g->k_runs[i].k_quads; j++, to += step) {
            uint32_t quad;
            memcpy(&quad, row + g->k_runs[i].offset + 4 * (size_t)j, sizeof quad);
            to[0] = quad & 0x0f0f0f0fu;
            to[1] = quad >> 4 & 0x0f0f0f0fu;
        }
}

// One row of a group, its nibbles at a + k. Sums of 16 bits: low nibbles by oc 0-7 and 8-15,
// then the high ones.
#define NIBBLES(k) "vpbroadcastd " #k "(%[a]), %%ymm12\n\tvpbroadcastd 4+" #k "(%[a]), %%ymm13\n\t"
#define PRODUCTS(p0, p1, p2, p3)                                                           \
    "vpmaddubsw %%ymm10, %%ymm12, %%" #p0 "\n\tvpmaddubsw %%ymm11, %%ymm12, %%" #p1 "\n\t" \
    "vpmaddubsw %%ymm10, %%ymm13, %%" #p2 "\n\tvpmaddubsw %%ymm11, %%ymm13, %%" #p3 "\n\t"
#define ADD(product, sum) "vpaddw %%" #product ", %%" #sum ", %%" #sum "\n\t"
#define ROW_FIRST(k, l0, l1, h0, h1) NIBBLES(k) PRODUCTS(l0, l1, h0, h1)
// clang-format off
#define ROW(k, l0, l1, h0, h1)                                                                   \
    NIBBLES(k) PRODUCTS(ymm14, ymm15, ymm12, ymm13) ADD(ymm14, l0) ADD(ymm15, l1) ADD(ymm12, h0) \
    ADD(ymm13, h1)
// clang-format on
#define WEIGHTS(i) "vmovdqa 64*" #i "(%[b]), %%ymm10\n\tvmovdqa 64*" #i "+32(%[b]), %%ymm11\n\t"
#define GROUP_1(i) WEIGHTS(i) ROW(8 * (i), ymm0, ymm1, ymm2, ymm3)
#define GROUP_2(i) \
    WEIGHTS(i) ROW(16 * (i), ymm0, ymm1, ymm2, ymm3) ROW(16 * (i) + 8, ymm4, ymm5, ymm6, ymm7)
// The constants are 16-bit ones in ymm8 and sixteens in ymm9.
#define SUM(l, h)                                                                    \
    "vpmaddwd %%ymm8, %%" #l ", %%" #l "\n\tvpmaddwd %%ymm9, %%" #h ", %%" #h "\n\t" \
    "vpaddd %%" #l ", %%" #h ", %%" #h "\n\t"
#define FLUSH_TO(to, l, h) SUM(l, h) "vpaddd %%" #h ", %%" #to ", %%" #to "\n\t"
#define FLUSH_AT(at, l, h) \
    SUM(l, h) "vpaddd " #at "(%[t]), %%" #h ", %%" #h "\n\tvmovdqa %%" #h ", " #at "(%[t])\n\t"

// For weights that come from beyond L2: farther ahead than the hardware prefetcher looks, whatever
// lies there (the next sub-panel, or nothing that is read: a prefetch has no faults). Within L2 it
// would cost 8 %. 16 KiB were best on Zen 3; on Zen 1 1 to 8 KiB are 1 to 6 % faster, half a KiB 5
// % slower, none 16 %.
#define AHEAD(i) "prefetcht0 64*" #i "(%[b],%[d])\n\t"
#define FAR_AHEAD AHEAD(0) AHEAD(1) AHEAD(2) AHEAD(3) AHEAD(4) AHEAD(5) AHEAD(6) AHEAD(7)

// acc[rows][16] += blocks of quads. `first` is a block's first group, `flush` ends a block.
#define BLOCKS_OF(rows, name, ahead, begin, first, flush, end)                                \
    static void name(const uint32_t *a, const int8_t *b, uint32_t blocks, int32_t *acc,       \
                     size_t distance) {                                                       \
        __asm__ volatile(                                                                     \
            "vpcmpeqd %%ymm8, %%ymm8, %%ymm8\n\tvpsrlw $15, %%ymm8, %%ymm8\n\t"               \
            "vpsllw $4, %%ymm8, %%ymm9\n\t" begin ".p2align 5\n1:\n\t" ahead WEIGHTS(0)       \
                first GROUP_##rows(1) GROUP_##rows(2) GROUP_##rows(3) GROUP_##rows(4)         \
                    GROUP_##rows(5) GROUP_##rows(6) GROUP_##rows(7) flush                     \
            "add $64*" #rows ", %[a]\n\tadd $512, %[b]\n\t"                                   \
            "dec %[n]\n\tjnz 1b\n\t" end                                                      \
            : [a] "+&r"(a), [b] "+&r"(b), [n] "+&r"(blocks)                                   \
            : [t] "r"(acc), [d] "r"(distance)                                                 \
            : "cc", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", \
              "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");          \
    }
#define BLOCKS_1(name, ahead)                                                           \
    BLOCKS_OF(1, name, ahead, "vmovdqa (%[t]), %%ymm4\n\tvmovdqa 32(%[t]), %%ymm5\n\t", \
              ROW_FIRST(0, ymm0, ymm1, ymm2, ymm3),                                     \
              FLUSH_TO(ymm4, ymm0, ymm2) FLUSH_TO(ymm5, ymm1, ymm3),                    \
              "vmovdqa %%ymm4, (%[t])\n\tvmovdqa %%ymm5, 32(%[t])\n\t")
BLOCKS_1(blocks_1, "")
BLOCKS_1(blocks_1_far, FAR_AHEAD)
BLOCKS_OF(2, blocks_2, "", "",
          ROW_FIRST(0, ymm0, ymm1, ymm2, ymm3) ROW_FIRST(8, ymm4, ymm5, ymm6, ymm7),
          FLUSH_AT(0, ymm0, ymm2) FLUSH_AT(32, ymm1, ymm3) FLUSH_AT(64, ymm4, ymm6)
              FLUSH_AT(96, ymm5, ymm7),
          "")

// The last quads, fewer than a block, of one row.
static void add_tail(const uint32_t *a, uint32_t step, const int8_t *b, uint32_t k_quads,
                     int32_t *acc) {
    const __m256i one = _mm256_set1_epi16(1), sixteen = _mm256_set1_epi16(16);
    for (uint32_t i = 0; i < k_quads; i++, a += step)
        for (int half = 0; half < 2; half++, b += 32) {
            const __m256i w = _mm256_load_si256((const __m256i *)b);
            const __m256i low = _mm256_maddubs_epi16(_mm256_set1_epi32((int)a[0]), w);
            const __m256i high = _mm256_maddubs_epi16(_mm256_set1_epi32((int)a[1]), w);
            const __m256i sum =
                _mm256_add_epi32(_mm256_madd_epi16(low, one), _mm256_madd_epi16(high, sixteen));
            __m256i *to = (__m256i *)acc + half;
            *to = _mm256_add_epi32(*to, sum);
        }
}

// acc[rows][16] += the panel. Rows go two by two over a chunk of weights: the second pair finds it
// in L1.
static void panel(const uint32_t *a, uint32_t rows, const int8_t *b, uint32_t ahead,
                  uint32_t k_quads, int32_t *acc) {
    const uint32_t *second = a + (size_t)k_quads * 4;
    const uint32_t first_step = rows > 1 ? 4 : 2, second_step = rows > 3 ? 4 : 2;
    for (uint32_t left = k_quads / BLOCK, n; left; left -= n, b += 64 * BLOCK * n) {
        n = rows > 2 && left > CHUNK ? CHUNK : left;
        if (rows == 1) (ahead ? blocks_1_far : blocks_1)(a, b, n, acc, ahead);
        else blocks_2(a, b, n, acc, 0);
        if (rows == 3) blocks_1(second, b, n, acc + 2 * NR, 0);
        if (rows == 4) blocks_2(second, b, n, acc + 2 * NR, 0);
        a += n * BLOCK * first_step, second += n * BLOCK * second_step;
    }
    k_quads %= BLOCK;
    if (!k_quads) return;
    for (uint32_t r = 0; r < rows; r++)
        add_tail(r < 2 ? a + 2 * r : second + 2 * (r - 2), r < 2 ? first_step : second_step, b,
                 k_quads, acc + r * NR);
}

void quernel_uk_gemv_u8s8_4x16x4_avx2(const quernel_i_gemm *g);
void quernel_uk_gemv_u8s8_4x16x4_avx2(const quernel_i_gemm *g) {
    int32_t acc[MR * NR] __attribute__((aligned(64)));
    const bool plain = epilogue_is_plain(g->epilogue);
    uint32_t *a = g->scratch;
    for (uint32_t m = 0; m < g->rows; m++) {
        const uint32_t pair = m & ~1u; // rows of a pair alternate, a last single row is alone
        split_row(g, m, a + (size_t)pair * 2 * g->k_quads + 2 * (m - pair),
                  pair + 1 < g->rows ? 4 : 2);
    }
    for (uint32_t n = 0; n < g->oc; n += NR) {
        for (uint32_t m = 0; m < g->rows; m++) memcpy(acc + m * NR, g->init + n, NR * sizeof *acc);
        panel(a, g->rows, (const int8_t *)g->b + n / NR * g->b_panel, g->prefetch, g->k_quads, acc);
        const uint32_t oc = g->oc - n < NR ? g->oc - n : NR;
        epilogue_run(&(epilogue_tile){acc, g->rows, oc, 0, n}, g->epilogue, plain);
    }
}
