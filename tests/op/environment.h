// SPDX-License-Identifier: Apache-2.0
// Odd floating-point environments that a caller may have: rule 0 of docs/numerics.md holds in each,
// and a run restores it.
#ifndef QUERNEL_TESTS_ENVIRONMENT_H
#define QUERNEL_TESTS_ENVIRONMENT_H

#include <stdint.h>

#if defined(__x86_64__)
#include <xmmintrin.h>

typedef uint32_t environment;
// flags of exceptions that have happened: not part of the environment's settings
enum { ENVIRONMENT_STICKY = 0x3f };

static inline environment environment_get(void) {
    return _mm_getcsr() & ~(uint32_t)ENVIRONMENT_STICKY;
}
static inline void environment_set(environment e) { _mm_setcsr(e); }

/// Number 0 is the default one.
static inline environment environment_number(uint32_t number) {
    static const environment all[] = {
        0x1f80,                   // default: nearest even, all exceptions masked
        0x1f80 | 0x4000,          // round up
        0x1f80 | 0x2000,          // round down
        0x1f80 | 0x6000,          // towards zero
        0x1f80 | 0x8000 | 0x0040, // flush results and operands that are subnormal
        0x0000,                   // every exception traps
        0x4000 | 0x8000 | 0x0040, // all of it
    };
    return all[number % (sizeof all / sizeof *all)];
}

#elif defined(__aarch64__)

typedef uint64_t environment;
static inline environment environment_get(void) {
    environment e;
    __asm__ volatile("mrs %0, fpcr" : "=r"(e)::"memory");
    return e;
}
static inline void environment_set(environment e) {
    __asm__ volatile("msr fpcr, %0" ::"r"(e) : "memory");
}

/// Number 0 is the default one.
static inline environment environment_number(uint32_t number) {
    static const environment all[] = {
        0,                   // default
        UINT64_C(1) << 22,   // round up
        UINT64_C(2) << 22,   // round down
        UINT64_C(3) << 22,   // towards zero
        UINT64_C(1) << 24,   // flush to zero
        UINT64_C(1) << 25,   // default NaN
        UINT64_C(0xd) << 22, // all of it
    };
    return all[number % (sizeof all / sizeof *all)];
}
#endif

#endif
