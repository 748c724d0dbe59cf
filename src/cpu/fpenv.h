// SPDX-License-Identifier: Apache-2.0
// The floating-point environment of Quernel's arithmetic: nearest even, nothing flushed, exceptions
// masked. Every task and every create sets it at entry and restores the caller's at exit.
#ifndef QUERNEL_CPU_FPENV_H
#define QUERNEL_CPU_FPENV_H

#include <stdint.h>

#if defined(__x86_64__)
#include <xmmintrin.h>

typedef uint32_t quernel_i_fpenv;
static inline quernel_i_fpenv quernel_i_fpenv_enter(void) {
    const uint32_t caller = _mm_getcsr();
    _mm_setcsr(0x1F80);
    return caller;
}
static inline void quernel_i_fpenv_leave(quernel_i_fpenv caller) { _mm_setcsr(caller); }

#elif defined(__aarch64__)

typedef uint64_t quernel_i_fpenv;
static inline quernel_i_fpenv quernel_i_fpenv_enter(void) {
    uint64_t caller;
    __asm__ volatile("mrs %0, fpcr" : "=r"(caller)::"memory");
    __asm__ volatile("msr fpcr, %0" ::"r"((uint64_t)0) : "memory");
    return caller;
}
static inline void quernel_i_fpenv_leave(quernel_i_fpenv caller) {
    __asm__ volatile("msr fpcr, %0" ::"r"(caller) : "memory");
}

#else
#error "Quernel is written for x86-64 and AArch64"
#endif

#endif
