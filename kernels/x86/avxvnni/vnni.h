// SPDX-License-Identifier: Apache-2.0
// AVX-VNNI: the multiply on 256-bit registers in its VEX form. All else is AVX2's.
#ifndef QUERNEL_AVXVNNI_VNNI_H
#define QUERNEL_AVXVNNI_VNNI_H

#include <immintrin.h>
#include <string.h>

#define VNNI_DOT "%{vex%} vpdpbusd"
#define VNNI_REGISTER "x"
#define DOT_VECTOR __m256i
#include "kernels/x86/vnni_multiply.h"

enum { LANES = 8 };

static inline __m256i vector_of(const void *from) {
    return _mm256_loadu_si256((const __m256i *)from);
}

#endif
