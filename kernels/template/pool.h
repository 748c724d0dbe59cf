// SPDX-License-Identifier: Apache-2.0
// A pool of one type of elements. A template for any instruction set, included once for each type:
// who includes it defines
//     POOL_RUN                  the function to make, static inline
//     POOL_LANES, POOL_ELEMENT, POOL_RESULT   channels of a vector, bytes of what is read and
//                               written for one
//     POOL_VECTORS              vectors side by side: their sums stay in registers
//     POOL_INNER, POOL_OUTER    what elements are added to, and what those are added to
//     POOL_INNER_MAX            elements that an inner one holds
//     POOL_BY_LINE              1: outer ones take inner ones line by line (floats); 0: no order
//     POOL_START                an inner one of no element
//     POOL_ADD(inner, at)       with the elements at this address
//     POOL_OUTER_START(p)       an outer one of no inner one
//     POOL_FLUSH(outer, inner)  with an inner one
//     POOL_STORE(y, outer, p)   its results to this address
// Channels that fill no vector are read again with those before them; fewer than a vector go
// through memory, so that no byte beside them is touched.
#if !defined(POOL_RUN) || !defined(POOL_LANES) || !defined(POOL_ADD)
#error "the macros of a pool are not defined"
#endif

#define POOL_PASTE(a, b) a##b
#define POOL_JOIN(a, b) POOL_PASTE(a, b)
#define POOL_OF(name) POOL_JOIN(POOL_RUN, name)

// A vector's channels of one tap.
static inline __attribute__((always_inline)) const uint8_t *
POOL_OF(_source)(const uint8_t *at, uint8_t *narrow, uint32_t channels) {
    return narrow ? memcpy(narrow, at, channels * POOL_ELEMENT) : at;
}

// `vectors` of them, a constant where this is called. `narrow`: room for one, or NULL.
static inline __attribute__((always_inline)) void POOL_OF(_block)(const quernel_i_pool *p,
                                                                  const uint8_t *a, uint8_t *y,
                                                                  uint32_t vectors,
                                                                  uint8_t *narrow) {
    POOL_OUTER outer[POOL_VECTORS];
    POOL_INNER inner[POOL_VECTORS];
    uint32_t held = 0;
#pragma GCC unroll 4
    for (uint32_t i = 0; i < vectors; i++) outer[i] = POOL_OUTER_START(p), inner[i] = POOL_START;
    for (uint32_t line = 0; line < p->kernel_h; line++, a += p->tap_line) {
        const uint8_t *at = a;
        for (uint32_t left = p->kernel_w, count; left; left -= count) {
            count = left < POOL_INNER_MAX ? left : POOL_INNER_MAX;
            if (POOL_BY_LINE ? line && left == p->kernel_w : held > POOL_INNER_MAX - count) {
#pragma GCC unroll 4
                for (uint32_t i = 0; i < vectors; i++)
                    outer[i] = POOL_FLUSH(outer[i], inner[i]), inner[i] = POOL_START;
                held = 0;
            }
            held += count;
            for (uint32_t tap = count; tap; tap--, at += p->tap_pixel) {
                const uint8_t *from = POOL_OF(_source)(at, narrow, p->channels);
#pragma GCC unroll 4
                for (uint32_t i = 0; i < vectors; i++)
                    inner[i] = POOL_ADD(inner[i], from + i * POOL_LANES * POOL_ELEMENT);
            }
        }
    }
#pragma GCC unroll 4
    for (uint32_t i = 0; i < vectors; i++)
        POOL_STORE(y + i * POOL_LANES * POOL_RESULT, POOL_FLUSH(outer[i], inner[i]), p);
}

static inline void POOL_OF(_narrow)(const quernel_i_pool *p, const uint8_t *a, uint8_t *y) {
    uint8_t elements[POOL_LANES * POOL_ELEMENT] = {0}, results[POOL_LANES * POOL_RESULT];
    POOL_OF(_block)(p, a, results, 1, elements);
    memcpy(y, results, p->channels * POOL_RESULT);
}

static inline void POOL_RUN(const quernel_i_pool *p) {
    const uint8_t *a = p->a;
    uint8_t *y = p->y;
    for (uint32_t m = 0; m < p->rows; m++, a += p->a_row, y += p->y_row) {
        if (p->channels < POOL_LANES) {
            POOL_OF(_narrow)(p, a, y);
            continue;
        }
        uint32_t c = 0;
        for (; p->channels - c >= POOL_VECTORS * POOL_LANES; c += POOL_VECTORS * POOL_LANES) {
            POOL_OF(_block)
            (p, a + (size_t)c * POOL_ELEMENT, y + (size_t)c * POOL_RESULT, POOL_VECTORS, NULL);
        }
        while (c < p->channels) {
            if (p->channels - c < POOL_LANES) c = p->channels - POOL_LANES;
            POOL_OF(_block)(p, a + (size_t)c * POOL_ELEMENT, y + (size_t)c * POOL_RESULT, 1, NULL);
            c += POOL_LANES;
        }
    }
}

#undef POOL_PASTE
#undef POOL_JOIN
#undef POOL_OF
#undef POOL_RUN
#undef POOL_LANES
#undef POOL_ELEMENT
#undef POOL_RESULT
#undef POOL_VECTORS
#undef POOL_INNER
#undef POOL_OUTER
#undef POOL_INNER_MAX
#undef POOL_BY_LINE
#undef POOL_START
#undef POOL_ADD
#undef POOL_OUTER_START
#undef POOL_FLUSH
#undef POOL_STORE
