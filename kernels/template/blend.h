// SPDX-License-Identifier: Apache-2.0
// Blends of one type of elements. A template for any instruction set, included once for each type:
// who includes it has defined vfloat, v_set, v_mul, v_fma (functions.h says what they are), and
//     BLEND_RUN             the function to make, static inline
//     BLEND_LANES, BLEND_ELEMENT   lanes of a vfloat, bytes of an element
//     BLEND_LOAD(at, zero)  the elements at this address as floats, bytes less `zero`
//     BLEND_LOAD_SOME(at, n, zero)  of the first n elements, which alone are read; left out: they
//                           go through memory
//     BLEND_STORE(y, v), BLEND_STORE_SOME(y, v, n)  to any address, the first n
// Four vectors of channels at a time share what is loaded of each tap. Channels that fill no vector
// are read again with those before them; fewer than a vector are part of one.
#if !defined(BLEND_RUN) || !defined(BLEND_LANES) || !defined(BLEND_LOAD)
#error "the macros of a blend are not defined"
#endif

#define BLEND_PASTE(a, b) a##b
#define BLEND_JOIN(a, b) BLEND_PASTE(a, b)
#define BLEND_OF(name) BLEND_JOIN(BLEND_RUN, name)

#ifndef BLEND_LOAD_SOME
static inline vfloat BLEND_OF(_load_some)(const uint8_t *at, uint32_t n, int32_t zero) {
    uint8_t part[BLEND_LANES * BLEND_ELEMENT] = {0};
    memcpy(part, at, n * BLEND_ELEMENT);
    (void)zero; // floats have none
    return BLEND_LOAD(part, zero);
}
#define BLEND_LOAD_SOME(at, n, zero) BLEND_OF(_load_some)(at, n, zero)
#endif

// `vectors` of channels from the c-th on; `b` is at a row.
static inline __attribute__((always_inline)) void
BLEND_OF(_vectors)(const quernel_i_blend *b, uint32_t c, const uint32_t vectors) {
    const uint8_t *x = (const uint8_t *)b->x + (size_t)c * BLEND_ELEMENT;
    const int32_t zero = b->zero;
    (void)zero; // floats have none
    vfloat sum[4];
#pragma GCC unroll 4
    for (uint32_t v = 0; v < vectors; v++)
        sum[v] = v_mul(v_set(b->share[0]),
                       BLEND_LOAD(x + b->at[0] + v * (BLEND_LANES * BLEND_ELEMENT), zero));
    for (uint32_t i = 1; i < b->taps; i++)
#pragma GCC unroll 4
        for (uint32_t v = 0; v < vectors; v++)
            sum[v] =
                v_fma(v_set(b->share[i]),
                      BLEND_LOAD(x + b->at[i] + v * (BLEND_LANES * BLEND_ELEMENT), zero), sum[v]);
#pragma GCC unroll 4
    for (uint32_t v = 0; v < vectors; v++) BLEND_STORE(b->y + c + v * BLEND_LANES, sum[v]);
}

static inline __attribute__((always_inline)) void BLEND_OF(_some)(const quernel_i_blend *b) {
    const uint8_t *x = b->x;
    vfloat sum = v_mul(v_set(b->share[0]), BLEND_LOAD_SOME(x + b->at[0], b->channels, b->zero));
    for (uint32_t i = 1; i < b->taps; i++)
        sum = v_fma(v_set(b->share[i]), BLEND_LOAD_SOME(x + b->at[i], b->channels, b->zero), sum);
    BLEND_STORE_SOME(b->y, sum, b->channels);
}

static inline __attribute__((always_inline)) void BLEND_OF(_row)(const quernel_i_blend *b) {
    uint32_t c = 0;
    for (; b->channels - c >= 4 * BLEND_LANES; c += 4 * BLEND_LANES) BLEND_OF(_vectors)(b, c, 4);
    for (; c < b->channels; c += BLEND_LANES) {
        if (b->channels - c < BLEND_LANES) c = b->channels - BLEND_LANES;
        BLEND_OF(_vectors)(b, c, 1);
    }
}

static inline void BLEND_RUN(const quernel_i_blend *blend) {
    quernel_i_blend b = *blend;
    for (; b.rows; b.rows--, b.at += b.taps, b.share += b.taps, b.y += b.y_row) {
        if (b.channels < BLEND_LANES) BLEND_OF(_some)(&b);
        else BLEND_OF(_row)(&b);
    }
}

#undef BLEND_PASTE
#undef BLEND_JOIN
#undef BLEND_OF
#undef BLEND_RUN
#undef BLEND_LANES
#undef BLEND_ELEMENT
#undef BLEND_LOAD
#undef BLEND_LOAD_SOME
#undef BLEND_STORE
#undef BLEND_STORE_SOME
