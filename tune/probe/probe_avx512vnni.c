// SPDX-License-Identifier: Apache-2.0
// AVX-512-VNNI: vpdpbusd in registers, and 64-byte loads.
#include <immintrin.h>

#include "tune/probe/probe_vnni.h"

uint64_t probe_avx512vnni(uint32_t rounds) {
    PROBE_LOOP(rounds, "vpdpbusd", "zmm");
    return (uint64_t)rounds * PROBE_CHAINS * 64;
}

void probe_read_avx512vnni(const void *from, size_t bytes) {
    const char *p = from, *end = p + bytes;
    __m512i a = _mm512_setzero_si512(), b = a;
    for (; p < end; p += 256) {
        a = _mm512_or_si512(_mm512_or_si512(a, _mm512_loadu_si512(p)), _mm512_loadu_si512(p + 64));
        b = _mm512_or_si512(_mm512_or_si512(b, _mm512_loadu_si512(p + 128)),
                            _mm512_loadu_si512(p + 192));
    }
    a = _mm512_or_si512(a, b);
    __asm__ volatile("" ::"v"(a));
}
