// SPDX-License-Identifier: Apache-2.0
// The register-only loop of vpdpbusd: twelve chains. A template; who includes it gives the
// instruction and a register's prefix.
#include "tune/probe/probe.h"

enum { PROBE_CHAINS = 12 };
#define STEP(dot, r, n) dot " %%" r "15, %%" r "14, %%" r #n "\n\t"
#define PROBE_LOOP(rounds, dot, r)                                                                \
    do {                                                                                          \
        uint64_t count = rounds;                                                                  \
        __asm__ volatile("1:\n\t" STEP(dot, r, 0) STEP(dot, r, 1) STEP(dot, r, 2) STEP(dot, r, 3) \
                             STEP(dot, r, 4) STEP(dot, r, 5) STEP(dot, r, 6) STEP(dot, r, 7)      \
                                 STEP(dot, r, 8) STEP(dot, r, 9) STEP(dot, r, 10)                 \
                                     STEP(dot, r, 11) "dec %0\n\tjnz 1b\n\tvzeroupper"            \
                         : "+r"(count)::"xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",   \
                           "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm14", "xmm15", "cc");     \
    } while (0)
