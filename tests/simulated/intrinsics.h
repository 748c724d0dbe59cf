// SPDX-License-Identifier: Apache-2.0
// Intrinsics that SIMDe lacks, and those that it rounds otherwise than the CPU. A name in
// parentheses is defined here even where another version of SIMDe has a macro of it, which is then
// what kernels call.
#ifndef QUERNEL_SIMULATED_INTRINSICS_H
#define QUERNEL_SIMULATED_INTRINSICS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

typedef simde__mmask8 __mmask8;
typedef simde__mmask16 __mmask16;
typedef simde__mmask32 __mmask32;
typedef simde__mmask64 __mmask64;
// On Arm SIMDe's are aligned to 16 bytes.
typedef simde__m256 simulated_m256 __attribute__((aligned(32)));
typedef simde__m256i simulated_m256i __attribute__((aligned(32)));
typedef simde__m512 simulated_m512 __attribute__((aligned(64)));
typedef simde__m512i simulated_m512i __attribute__((aligned(64)));
#define __m256 simulated_m256
#define __m256i simulated_m256i
#define __m512 simulated_m512
#define __m512i simulated_m512i
typedef __m128i __m128i_u __attribute__((aligned(1)));
typedef __m256i __m256i_u __attribute__((aligned(1)));

// Each lane x of `source` becomes a lane of `result`.
#define SIMULATED_CONVERT(name, result, to, source, from, value)  \
    static inline result(name)(source v) {                        \
        from lanes[sizeof v / sizeof(from)];                      \
        to made[sizeof(result) / sizeof(to)];                     \
        result ret;                                               \
        memcpy(lanes, &v, sizeof v);                              \
        for (size_t i = 0; i < sizeof made / sizeof *made; i++) { \
            const from x = lanes[i];                              \
            made[i] = (to)(value);                                \
        }                                                         \
        memcpy(&ret, made, sizeof ret);                           \
        return ret;                                               \
    }

// Nearest even; what does not fit, and NaN, is the least value.
static inline int32_t simulated_round(float x) {
    return x >= -0x1p31f && x < 0x1p31f ? (int32_t)rintf(x) : INT32_MIN;
}

SIMULATED_CONVERT(_mm512_cvtepi8_epi16, __m512i, int16_t, __m256i, int8_t, x)
SIMULATED_CONVERT(_mm512_cvtepu8_epi16, __m512i, int16_t, __m256i, uint8_t, x)
SIMULATED_CONVERT(_mm512_cvtepi8_epi32, __m512i, int32_t, __m128i, int8_t, x)
SIMULATED_CONVERT(_mm512_cvtepu8_epi32, __m512i, int32_t, __m128i, uint8_t, x)
SIMULATED_CONVERT(_mm512_cvtepu16_epi32, __m512i, int32_t, __m256i, uint16_t, x)
SIMULATED_CONVERT(_mm512_cvtepu32_epi64, __m512i, int64_t, __m256i, uint32_t, x)
SIMULATED_CONVERT(_mm512_cvtepi32_epi16, __m256i, int16_t, __m512i, int32_t, x)
SIMULATED_CONVERT(_mm512_cvtepi32_epi8, __m128i, int8_t, __m512i, int32_t, x)
SIMULATED_CONVERT(_mm512_cvtepi32_ps, __m512, float, __m512i, int32_t, x)
SIMULATED_CONVERT(_mm512_cvtps_epi32, __m512i, int32_t, __m512, float, simulated_round(x))

// Memory beyond the mask is neither read nor written.
#define SIMULATED_MASKED(vector, of, width, suffix, element, mask)                       \
    static inline vector(of##_mask_loadu_##suffix)(vector v, mask k, const void *from) { \
        element lanes[width / 8 / sizeof(element)];                                      \
        memcpy(lanes, &v, sizeof lanes);                                                 \
        for (size_t i = 0; i < sizeof lanes / sizeof *lanes; i++)                        \
            if (k >> i & 1) memcpy(lanes + i, (const element *)from + i, sizeof *lanes); \
        memcpy(&v, lanes, sizeof lanes);                                                 \
        return v;                                                                        \
    }                                                                                    \
    static inline vector(of##_maskz_loadu_##suffix)(mask k, const void *from) {          \
        vector zero;                                                                     \
        memset(&zero, 0, sizeof zero);                                                   \
        return (of##_mask_loadu_##suffix)(zero, k, from);                                \
    }                                                                                    \
    static inline void(of##_mask_storeu_##suffix)(void *to, mask k, vector v) {          \
        element lanes[width / 8 / sizeof(element)];                                      \
        memcpy(lanes, &v, sizeof lanes);                                                 \
        for (size_t i = 0; i < sizeof lanes / sizeof *lanes; i++)                        \
            if (k >> i & 1) memcpy((element *)to + i, lanes + i, sizeof *lanes);         \
    }
SIMULATED_MASKED(__m128i, _mm, 128, epi8, uint8_t, __mmask16)
SIMULATED_MASKED(__m128i, _mm, 128, epi16, uint16_t, __mmask8)
SIMULATED_MASKED(__m128i, _mm, 128, epi32, uint32_t, __mmask8)
SIMULATED_MASKED(__m256i, _mm256, 256, epi8, uint8_t, __mmask32)
SIMULATED_MASKED(__m256i, _mm256, 256, epi16, uint16_t, __mmask16)
SIMULATED_MASKED(__m256i, _mm256, 256, epi32, uint32_t, __mmask8)
SIMULATED_MASKED(__m512i, _mm512, 512, epi8, uint8_t, __mmask64)
SIMULATED_MASKED(__m512i, _mm512, 512, epi16, uint16_t, __mmask32)
SIMULATED_MASKED(__m512i, _mm512, 512, epi32, uint32_t, __mmask16)
SIMULATED_MASKED(__m512, _mm512, 512, ps, float, __mmask16)

static inline void(_mm512_mask_cvtepi32_storeu_epi8)(void *to, __mmask16 k, __m512i v) {
    (_mm_mask_storeu_epi8)(to, k, (_mm512_cvtepi32_epi8)(v));
}

static inline __m512i(_mm512_srai_epi32)(__m512i v, unsigned by) {
    int32_t lanes[16];
    memcpy(lanes, &v, sizeof v);
    for (int i = 0; i < 16; i++) lanes[i] >>= by < 31 ? by : 31;
    memcpy(&v, lanes, sizeof v);
    return v;
}

// Halves onto each other, as compilers have it.
#define SIMULATED_REDUCE(name, fold)                            \
    static inline float(name)(__m512 v) {                       \
        float lanes[16];                                        \
        for (int half = 8; half; half /= 2) {                   \
            __m512 upper = v;                                   \
            memcpy(lanes, &v, sizeof v);                        \
            memcpy(&upper, lanes + half, half * sizeof *lanes); \
            v = fold(upper, v);                                 \
        }                                                       \
        memcpy(lanes, &v, sizeof v);                            \
        return lanes[0];                                        \
    }
SIMULATED_REDUCE(_mm512_reduce_max_ps, _mm512_max_ps)
SIMULATED_REDUCE(_mm512_reduce_min_ps, _mm512_min_ps)

// One rounding, where SIMDe may have two.
#define SIMULATED_FMADD(name, vector)                                                        \
    static inline vector name(vector x, vector y, vector z) {                                \
        float a[sizeof x / sizeof(float)], b[sizeof x / sizeof(float)],                      \
            c[sizeof x / sizeof(float)];                                                     \
        memcpy(a, &x, sizeof x), memcpy(b, &y, sizeof x), memcpy(c, &z, sizeof x);           \
        for (size_t i = 0; i < sizeof x / sizeof(float); i++) c[i] = fmaf(a[i], b[i], c[i]); \
        memcpy(&z, c, sizeof z);                                                             \
        return z;                                                                            \
    }
#undef _mm_fmadd_ps
#undef _mm256_fmadd_ps
#undef _mm512_fmadd_ps
SIMULATED_FMADD(_mm_fmadd_ps, __m128)
SIMULATED_FMADD(_mm256_fmadd_ps, __m256)
SIMULATED_FMADD(_mm512_fmadd_ps, __m512)
#undef _mm_fmadd_ss
static inline __m128 _mm_fmadd_ss(__m128 a, __m128 b, __m128 c) {
    return _mm_move_ss(a, _mm_fmadd_ps(a, b, c));
}

// Where SIMDe reads all of the vector. Masks are the signs of lanes.
#define SIMULATED_MASKLOAD(name, vector, mask, element, sign)             \
    static inline vector name(const element *from, mask m) {              \
        element lanes[sizeof m / sizeof(element)] = {0};                  \
        sign signs[sizeof m / sizeof(element)];                           \
        vector ret;                                                       \
        memcpy(signs, &m, sizeof m);                                      \
        for (size_t i = 0; i < sizeof lanes / sizeof *lanes; i++)         \
            if (signs[i] < 0) memcpy(lanes + i, from + i, sizeof *lanes); \
        memcpy(&ret, lanes, sizeof ret);                                  \
        return ret;                                                       \
    }
#undef _mm_maskload_epi32
#undef _mm256_maskload_epi32
#undef _mm256_maskload_epi64
#undef _mm256_maskload_ps
SIMULATED_MASKLOAD(_mm_maskload_epi32, __m128i, __m128i, int, int32_t)
SIMULATED_MASKLOAD(_mm256_maskload_epi32, __m256i, __m256i, int, int32_t)
SIMULATED_MASKLOAD(_mm256_maskload_epi64, __m256i, __m256i, long long, int64_t)
SIMULATED_MASKLOAD(_mm256_maskload_ps, __m256, __m256i, float, int32_t)

// SIMDe: whether one of the halves is zero.
#undef _mm256_testz_si256
static inline int _mm256_testz_si256(__m256i a, __m256i b) {
    static const uint8_t zeros[sizeof a];
    const __m256i both = _mm256_and_si256(a, b);
    return !memcmp(&both, zeros, sizeof zeros);
}

// Kernels ask for instructions beyond their set by an attribute, which Arm's compiler refuses.
#define target(features)

#endif
