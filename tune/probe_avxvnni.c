// SPDX-License-Identifier: Apache-2.0
// AVX-VNNI: vpdpbusd in 256-bit registers. Reading is AVX2's.
#include "tune/probe.h"

#define STEP(acc) "%{vex%} vpdpbusd %%ymm15, %%ymm14, " acc "\n\t"

uint64_t probe_avxvnni(uint32_t rounds) {
    uint64_t count = rounds;
    __asm__ volatile("1:\n\t" STEP("%%ymm0") STEP("%%ymm1") STEP("%%ymm2") STEP("%%ymm3") STEP("%%ymm4") STEP("%%ymm5")
                     STEP("%%ymm6") STEP("%%ymm7") STEP("%%ymm8") STEP("%%ymm9") STEP("%%ymm10") STEP("%%ymm11")
                     "dec %0\n\tjnz 1b\n\tvzeroupper"
                     : "+r"(count)::"xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
                       "xmm10", "xmm11", "xmm14", "xmm15", "cc");
    return (uint64_t)rounds * 12 * 32;
}
