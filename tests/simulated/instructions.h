// SPDX-License-Identifier: Apache-2.0
// Instructions of inline assembly as C: what translate.py makes calls of. A function takes the
// operands in reverse order (the result first) and the bytes of the vectors.
#ifndef QUERNEL_SIMULATED_INSTRUCTIONS_H
#define QUERNEL_SIMULATED_INSTRUCTIONS_H

#include <stdint.h>
#include <string.h>

#include "tests/simulated/tiles.h"

typedef struct simulated_register {
    _Alignas(64) uint8_t bytes[64];
} simulated_register;

// What a register holds that nobody has written.
#define SIMULATED_UNKNOWN     \
    {                         \
        { [0 ... 63] = 0xa5 } \
    }

/// A shorter write makes the rest of its register zero.
static inline void simulated_clear_above(simulated_register *r, size_t bytes) {
    memset(r->bytes + bytes, 0, sizeof r->bytes - bytes);
}

/// An element of memory in each of `lanes` lanes.
static inline simulated_register simulated_spread(const void *from, size_t bytes, size_t lanes) {
    simulated_register r;
    for (size_t i = 0; i < lanes; i++) memcpy(r.bytes + i * (bytes / lanes), from, bytes / lanes);
    return r;
}

static inline void simulated_vmovdqu(void *to, const void *from, size_t bytes) {
    memmove(to, from, bytes);
}
static inline void simulated_vmovdqa(void *to, const void *from, size_t bytes) {
    if (((uintptr_t)to | (uintptr_t)from) % bytes) simulated_fault("vmovdqa: not aligned");
    simulated_vmovdqu(to, from, bytes);
}

#define BROADCAST(instruction, type)                                                       \
    static inline void simulated_##instruction(void *to, const void *from, size_t bytes) { \
        const simulated_register r = simulated_spread(from, bytes, bytes / sizeof(type));  \
        memcpy(to, r.bytes, bytes);                                                        \
    }
BROADCAST(vpbroadcastd, uint32_t)
BROADCAST(vpbroadcastq, uint64_t)

// Each lane of the result, of the same lane of a and b: lanes of `type`.
#define LANES(instruction, type, value)                                                \
    static inline void simulated_##instruction(void *to, const void *x, const void *y, \
                                               size_t bytes) {                         \
        type a[64 / sizeof(type)], b[64 / sizeof(type)];                               \
        memcpy(a, x, bytes), memcpy(b, y, bytes);                                      \
        for (size_t i = 0; i < bytes / sizeof(type); i++) a[i] = (type)(value);        \
        memcpy(to, a, bytes);                                                          \
    }
LANES(vpaddd, uint32_t, a[i] + b[i])
LANES(vpaddw, uint16_t, a[i] + b[i])
LANES(vpsubd, uint32_t, a[i] - b[i])
LANES(vpxor, uint64_t, a[i] ^ b[i])
LANES(vpcmpeqd, uint32_t, -(uint32_t)(a[i] == b[i]))
LANES(vpcmpeqw, uint16_t, -(a[i] == b[i]))

#define SHIFT(instruction, type, operation)                                                     \
    static inline void simulated_##instruction(void *to, const void *x, int by, size_t bytes) { \
        type a[64 / sizeof(type)];                                                              \
        memcpy(a, x, bytes);                                                                    \
        for (size_t i = 0; i < bytes / sizeof(type); i++) a[i] = (type)(a[i] operation by);     \
        memcpy(to, a, bytes);                                                                   \
    }
SHIFT(vpsrlw, uint16_t, >>)
SHIFT(vpsllw, uint16_t, <<)

static inline int32_t simulated_s16(int32_t x) {
    return x < INT16_MIN ? INT16_MIN : x > INT16_MAX ? INT16_MAX : x;
}

// The products that belong to a lane of the result, added to what it holds (adds: 1) or alone (0).
#define PRODUCTS(instruction, lane, left, right, adds, value)                                    \
    static inline void simulated_##instruction(void *to, const void *x, const void *y,           \
                                               size_t bytes) {                                   \
        enum { COUNT = sizeof(lane) / sizeof(left) };                                            \
        lane sums[64 / sizeof(lane)] = {0};                                                      \
        left a[64 / sizeof(left)];                                                               \
        right b[64 / sizeof(right)];                                                             \
        memcpy(sums, to, (adds)*bytes), memcpy(a, x, bytes), memcpy(b, y, bytes);                \
        for (size_t i = 0; i < bytes / sizeof(lane); i++) {                                      \
            uint32_t sum = (uint32_t)sums[i];                                                    \
            for (size_t j = i * COUNT; j < (i + 1) * COUNT; j++) sum += (uint32_t)(a[j] * b[j]); \
            sums[i] = (lane)(value);                                                             \
        }                                                                                        \
        memcpy(to, sums, bytes);                                                                 \
    }
PRODUCTS(vpmaddwd, uint32_t, int16_t, int16_t, 0, sum)
PRODUCTS(vpmaddubsw, int16_t, uint8_t, int8_t, 0, simulated_s16((int32_t)sum))
PRODUCTS(vpdpbusd, uint32_t, uint8_t, int8_t, 1, sum)
PRODUCTS(vpdpwssd, uint32_t, int16_t, int16_t, 1, sum)

/// Halves of 16 bytes; bit 3 of a choice: zero.
static inline void simulated_vperm2i128(void *to, const void *x, const void *y, int choice,
                                        size_t bytes) {
    uint8_t from[64] = {0}, halves[32] = {0};
    memcpy(from, x, bytes), memcpy(from + bytes, y, bytes);
    for (int half = 0; half < 2; half++, choice >>= 4)
        if (!(choice & 8)) memcpy(halves + 16 * half, from + 16 * (choice & 3), 16);
    memcpy(to, halves, bytes);
}

#undef BROADCAST
#undef LANES
#undef SHIFT
#undef PRODUCTS

#endif
