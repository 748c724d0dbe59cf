// SPDX-License-Identifier: Apache-2.0
// The tile configuration of AMX belongs to the thread, and to whoever else uses tiles there. A task
// whose kernel uses them saves the caller's configuration at entry and puts it back at exit. The
// tiles' contents are not kept: between calls they belong to nobody, as vector registers do. No
// other task comes here.
#ifndef QUERNEL_CPU_TILES_H
#define QUERNEL_CPU_TILES_H

#include <stdint.h>

typedef struct quernel_i_tiles {
    uint8_t config[64]; // its first byte is the palette; 0: the tiles are free
} quernel_i_tiles;
_Static_assert(sizeof(quernel_i_tiles) == 64, "sttilecfg writes 64 bytes");

#if defined(__x86_64__)
static inline void quernel_i_tiles_enter(quernel_i_tiles *ret_caller) {
    __asm__ volatile("sttilecfg %0" : "=m"(*ret_caller));
}
// Kernels leave the tiles free.
static inline void quernel_i_tiles_leave(const quernel_i_tiles *caller) {
    if (caller->config[0]) __asm__ volatile("ldtilecfg %0" ::"m"(*caller));
}
#else
static inline void quernel_i_tiles_enter(quernel_i_tiles *ret_caller) { ret_caller->config[0] = 0; }
static inline void quernel_i_tiles_leave(const quernel_i_tiles *caller) { (void)caller; }
#endif

#endif
