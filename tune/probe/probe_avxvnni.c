// SPDX-License-Identifier: Apache-2.0
// AVX-VNNI: vpdpbusd in 256-bit registers. Reading is AVX2's.
#include "tune/probe/probe_vnni.h"

uint64_t probe_avxvnni(uint32_t rounds) {
    PROBE_LOOP(rounds, "%{vex%} vpdpbusd", "ymm");
    return (uint64_t)rounds * PROBE_CHAINS * 32;
}
