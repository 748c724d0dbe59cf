// SPDX-License-Identifier: Apache-2.0
// AMX-INT8: tdpbusd in tiles, 16 cycles each; six chains hide its latency of 52. Reading is
// AVX-512's.
#include "tune/probe/probe.h"

// Palette 1, eight tiles of 16 rows of 64 bytes.
static const struct {
    uint8_t palette, start, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} config __attribute__((aligned(64))) = {
    1, 0, {0}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};

#define STEP(acc) "tdpbusd %%tmm7, %%tmm6, " acc "\n\t"
#define ZERO(tile) "tilezero " tile "\n\t"

uint64_t probe_amxint8(uint32_t rounds) {
    uint64_t count = rounds;
    __asm__ volatile("ldtilecfg %1\n\t" ZERO("%%tmm0") ZERO("%%tmm1") ZERO("%%tmm2") ZERO("%%tmm3")
                         ZERO("%%tmm4") ZERO("%%tmm5") ZERO("%%tmm6")
                             ZERO("%%tmm7") "1:\n\t" STEP("%%tmm0") STEP("%%tmm1") STEP("%%tmm2")
                                 STEP("%%tmm3") STEP("%%tmm4")
                                     STEP("%%tmm5") "dec %0\n\tjnz 1b\n\ttilerelease"
                     : "+r"(count)
                     : "m"(config)
                     : "cc");
    return (uint64_t)rounds * 6 * 16 * 16 * 64;
}
