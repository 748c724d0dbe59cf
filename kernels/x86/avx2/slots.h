// SPDX-License-Identifier: Apache-2.0
// A step of the register tile whose rows are pixels that hold, for each of 16 oc, a pair of
// 16-bit values of its own, ready in memory: 2 loads of weights, and for each pixel 2 vpmaddwd
// from memory and 2 vpaddd.
#ifndef QUERNEL_AVX2_SLOTS_H
#define QUERNEL_AVX2_SLOTS_H

#include "tile.h"

#define SLOT_PIXEL(k, at, acc0, acc1)                                                     \
    "vpmaddwd " #k at ", %%ymm12, %%ymm14\n\tvpmaddwd 32+" #k at ", %%ymm13, %%ymm15\n\t" \
    "vpaddd %%ymm14, %%ymm" #acc0 ", %%ymm" #acc0 "\n\tvpaddd %%ymm15, %%ymm" #acc1       \
    ", %%ymm" #acc1 "\n\t"
#define SLOT_STEP(rows)                                                          \
    "vmovdqa (%[b]), %%ymm12\n\tvmovdqa 32(%[b]), %%ymm13\n\t" TILE_ROWS_##rows( \
        SLOT_PIXEL, 0) "add $64, %[a]\n\tadd $64, %[c]\n\tadd $64, %[b]\n\t"

#endif
