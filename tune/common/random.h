// SPDX-License-Identifier: Apache-2.0
// SplitMix64: the same values from a seed on every machine.
#ifndef QUERNEL_TUNE_RANDOM_H
#define QUERNEL_TUNE_RANDOM_H

#include <stdint.h>

static inline uint64_t random_next(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15ull);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

/// 0 … max − 1.
static inline uint32_t random_below(uint64_t *state, uint32_t max) {
    return (uint32_t)((random_next(state) >> 32) * max >> 32);
}

/// Fisher-Yates: every order is as likely.
static inline void random_shuffle(uint64_t *state, uint32_t *values, uint32_t count) {
    for (uint32_t i = count; i > 1; i--) {
        const uint32_t j = random_below(state, i), value = values[i - 1];
        values[i - 1] = values[j], values[j] = value;
    }
}

#endif
