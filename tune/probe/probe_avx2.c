// SPDX-License-Identifier: Apache-2.0
// AVX2: the saturating byte product that everybody's peak is quoted by, and 32-byte loads.
#include <immintrin.h>

#include "tune/probe/probe.h"

// Ten independent chains: vpmaddubsw and vpmaddwd of constants, vpaddd into the chain.
#define STEP(acc)                                                                           \
    "vpmaddubsw %%ymm15, %%ymm14, %%ymm13\n\tvpmaddwd %%ymm12, %%ymm13, %%ymm13\n\tvpaddd " \
    "%%ymm13, " acc ", " acc "\n\t"

uint64_t probe_avx2(uint32_t rounds) {
    uint64_t count = rounds;
    __asm__ volatile("vpxor %%ymm15, %%ymm15, %%ymm15\n\tvpxor %%ymm14, %%ymm14, %%ymm14\n\tvpxor "
                     "%%ymm12, %%ymm12, %%ymm12\n\t"
                     "1:\n\t" STEP("%%ymm0") STEP("%%ymm1") STEP("%%ymm2") STEP("%%ymm3")
                         STEP("%%ymm4") STEP("%%ymm5") STEP("%%ymm6") STEP("%%ymm7") STEP("%%ymm8")
                             STEP("%%ymm9") "dec %0\n\tjnz 1b\n\tvzeroupper"
                     : "+r"(count)::"xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                       "xmm8", "xmm9", "xmm12", "xmm13", "xmm14", "xmm15", "cc");
    return (uint64_t)rounds * 10 * 32;
}

void probe_read_avx2(const void *from, size_t bytes) {
    const char *p = from, *end = p + bytes;
    __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
    for (; p < end; p += 256) {
        const __m256i *v = (const __m256i *)p;
        a = _mm256_or_si256(_mm256_or_si256(a, _mm256_loadu_si256(v)), _mm256_loadu_si256(v + 1));
        b = _mm256_or_si256(_mm256_or_si256(b, _mm256_loadu_si256(v + 2)),
                            _mm256_loadu_si256(v + 3));
        c = _mm256_or_si256(_mm256_or_si256(c, _mm256_loadu_si256(v + 4)),
                            _mm256_loadu_si256(v + 5));
        d = _mm256_or_si256(_mm256_or_si256(d, _mm256_loadu_si256(v + 6)),
                            _mm256_loadu_si256(v + 7));
    }
    a = _mm256_or_si256(_mm256_or_si256(a, b), _mm256_or_si256(c, d));
    __asm__ volatile("" ::"x"(a));
}
