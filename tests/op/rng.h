// SPDX-License-Identifier: Apache-2.0
// Seeded random numbers for tests: splitmix64, the same on every machine.
#ifndef QUERNEL_TESTS_RNG_H
#define QUERNEL_TESTS_RNG_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct rng {
    uint64_t state;
} rng;

static inline uint64_t rng_next(rng *r) {
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/// The generator of case `number` of a seed: neighbours share nothing.
static inline rng rng_make(uint64_t seed, uint64_t number) {
    rng r = {seed * 0x2545f4914f6cdd1du + number};
    r.state = rng_next(&r);
    return r;
}

/// lo … hi, both included.
static inline int32_t rng_int(rng *r, int32_t lo, int32_t hi) {
    return (int32_t)(lo + (int64_t)(rng_next(r) % (uint64_t)((int64_t)hi - lo + 1)));
}

static inline bool rng_one_in(rng *r, uint32_t n) { return rng_next(r) % n == 0; }

/// lo ≤ value < hi, in binary32.
static inline float rng_float(rng *r, float lo, float hi) {
    return lo + (hi - lo) * ((float)(rng_next(r) >> 40) * 0x1p-24f);
}

/// 2^e · [1, 2) for a random exponent e in lo … hi.
static inline float rng_scale(rng *r, int lo, int hi) {
    const int32_t e = rng_int(r, lo, hi); // before the other: arguments have no order
    return ldexpf(rng_float(r, 1.0f, 2.0f), e);
}

#endif
