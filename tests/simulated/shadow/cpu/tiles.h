// SPDX-License-Identifier: Apache-2.0
// Stands where the library has src/cpu/tiles.h: the same of simulated tiles.
#ifndef QUERNEL_CPU_TILES_H
#define QUERNEL_CPU_TILES_H

#include <stdint.h>

#include "tests/simulated/tiles.h"

typedef struct quernel_i_tiles {
    uint8_t config[64];
} quernel_i_tiles;

static inline void quernel_i_tiles_enter(quernel_i_tiles *ret_caller) {
    simulated_sttilecfg(ret_caller);
}
static inline void quernel_i_tiles_leave(const quernel_i_tiles *caller) {
    if (caller->config[0]) simulated_ldtilecfg(caller);
}

#endif
