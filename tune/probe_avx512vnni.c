// SPDX-License-Identifier: Apache-2.0
// AVX-512-VNNI: vpdpbusd in registers, and 64-byte loads.
#include <immintrin.h>

#include "tune/probe.h"

#define STEP(acc) "vpdpbusd %%zmm15, %%zmm14, " acc "\n\t"

uint64_t probe_avx512vnni(uint32_t rounds) {
    uint64_t count = rounds;
    __asm__ volatile("1:\n\t" STEP("%%zmm0") STEP("%%zmm1") STEP("%%zmm2") STEP("%%zmm3") STEP("%%zmm4") STEP("%%zmm5")
                     STEP("%%zmm6") STEP("%%zmm7") STEP("%%zmm8") STEP("%%zmm9") STEP("%%zmm10") STEP("%%zmm11")
                     "dec %0\n\tjnz 1b\n\tvzeroupper"
                     : "+r"(count)::"xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
                       "xmm10", "xmm11", "xmm14", "xmm15", "cc");
    return (uint64_t)rounds * 12 * 64;
}

void probe_read_avx512vnni(const void *from, size_t bytes) {
    const char *p = from, *end = p + bytes;
    __m512i a = _mm512_setzero_si512(), b = a;
    for (; p < end; p += 256) {
        a = _mm512_or_si512(_mm512_or_si512(a, _mm512_loadu_si512(p)), _mm512_loadu_si512(p + 64));
        b = _mm512_or_si512(_mm512_or_si512(b, _mm512_loadu_si512(p + 128)), _mm512_loadu_si512(p + 192));
    }
    a = _mm512_or_si512(a, b);
    __asm__ volatile("" ::"v"(a));
}
