// SPDX-License-Identifier: Apache-2.0
// AMX's tiles in memory, one set for each thread. What a CPU would answer with a fault ends in
// SIGSEGV here too, after a line that says why.
#ifndef QUERNEL_SIMULATED_TILES_H
#define QUERNEL_SIMULATED_TILES_H

#include <stddef.h>

#pragma GCC visibility push(default) // tests share them with the library
void simulated_fault(const char *why);

void simulated_ldtilecfg(const void *from);
void simulated_sttilecfg(void *to);
void simulated_tilerelease(void);
void simulated_tilezero(int tile);
void simulated_tileloadd(int tile, const void *from, ptrdiff_t stride);
void simulated_tilestored(void *to, ptrdiff_t stride, int tile);
void simulated_tdpbusd(int sums, int rows, int weights);
void simulated_tdpbssd(int sums, int rows, int weights);
#pragma GCC visibility pop

/// The same with a hint.
static inline void simulated_tileloaddt1(int tile, const void *from, ptrdiff_t stride) {
    simulated_tileloadd(tile, from, stride);
}

#endif
