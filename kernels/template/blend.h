// SPDX-License-Identifier: Apache-2.0
// Blends of one type of elements. A template for any instruction set, included once for each type:
// who includes it has defined vfloat, v_set, v_fma, v_sub (functions.h says what they are), and
//     BLEND_RUN             the function to make, static inline
//     BLEND_LANES, BLEND_ELEMENT   lanes of a vfloat, bytes of an element
//     BLEND_LOAD(at, zero)  the elements at this address as floats, bytes less `zero`
//     BLEND_STORE(y, v)     to any address
// Channels that fill no vector are read again with those before them; fewer than a vector go
// through memory.
#if !defined(BLEND_RUN) || !defined(BLEND_LANES) || !defined(BLEND_LOAD)
#error "the macros of a blend are not defined"
#endif

#define BLEND_PASTE(a, b) a##b
#define BLEND_JOIN(a, b) BLEND_PASTE(a, b)
#define BLEND_OF(name) BLEND_JOIN(BLEND_RUN, name)

static inline __attribute__((always_inline)) void BLEND_OF(_vector)(const quernel_i_blend *b,
                                                                    vfloat share,
                                                                    const uint8_t *from,
                                                                    const uint8_t *to, float *y) {
    const int32_t zero = b->zero;
    const vfloat u = BLEND_LOAD(from, zero), v = BLEND_LOAD(to, zero);
    (void)zero; // floats have none
    BLEND_STORE(y, v_fma(share, v_sub(v, u), u));
}

static inline void BLEND_OF(_narrow)(const quernel_i_blend *b, vfloat share, const uint8_t *from,
                                     const uint8_t *to, float *y) {
    uint8_t u[BLEND_LANES * BLEND_ELEMENT] = {0}, v[BLEND_LANES * BLEND_ELEMENT] = {0};
    float results[BLEND_LANES];
    memcpy(u, from, b->channels * BLEND_ELEMENT), memcpy(v, to, b->channels * BLEND_ELEMENT);
    BLEND_OF(_vector)(b, share, u, v, results);
    memcpy(y, results, b->channels * sizeof *results);
}

static inline void BLEND_RUN(const quernel_i_blend *b) {
    float *y = b->y;
    for (uint32_t m = 0; m < b->rows; m++, y += b->y_row) {
        const vfloat share = v_set(b->share[m]);
        const uint8_t *from = (const uint8_t *)b->x + b->from[m],
                      *to = (const uint8_t *)b->x + b->to[m];
        if (b->channels < BLEND_LANES) {
            BLEND_OF(_narrow)(b, share, from, to, y);
            continue;
        }
        for (uint32_t c = 0; c < b->channels; c += BLEND_LANES) {
            if (b->channels - c < BLEND_LANES) c = b->channels - BLEND_LANES;
            BLEND_OF(_vector)
            (b, share, from + (size_t)c * BLEND_ELEMENT, to + (size_t)c * BLEND_ELEMENT, y + c);
        }
    }
}

#undef BLEND_PASTE
#undef BLEND_JOIN
#undef BLEND_OF
#undef BLEND_RUN
#undef BLEND_LANES
#undef BLEND_ELEMENT
#undef BLEND_LOAD
#undef BLEND_STORE
