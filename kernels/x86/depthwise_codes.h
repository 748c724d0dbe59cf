// SPDX-License-Identifier: Apache-2.0
// The plain epilogue of depthwise_dot.h, from registers: sums in a quad's order become bytes in the
// order of the channels. Clamping floats before they are rounded is clamping bytes after it, at a
// quarter of the cost, as long as no value leaves the range of int32: this is asked of the tables
// first.

typedef struct codes {
    bool plain; // whether codes can be made so
    bool bare;  // words are the codes but for the range of a byte
    bool ends;  // values go through hard-swish, and take a constant and a factor
    vfloat scale[4], bias[4], shift[4], out_scale[4];
    DOT_VECTOR zero;         // words
    DOT_VECTOR lo, hi, flip; // unsigned bytes, before s8 is flipped
} codes;

// A table of 32 bits for each of `count` channels in a quad's order, once for every `width` bytes.
static void table_of(const void *table, uint32_t width, uint32_t count, void *to) {
    for (uint32_t p = 0; p < 4; p++)
#pragma GCC unroll 8
        for (uint32_t i = 0; i < GROUPS; i++) {
            const uint32_t c = i * LANE & (width - 1);
            memcpy((uint8_t *)to + p * CHANNELS + i * LANE,
                   (const uint8_t *)table + 4 * (c < count ? c : 0) + p * LANE, LANE);
        }
}

// The largest absolute value, or a NaN, whose bits are larger than any.
static float largest(const vfloat v[4]) {
    int32_t bits[CHANNELS / 4], most = 0;
    DOT_VECTOR all[4], m = VECTOR_BITS(setzero)();
    memcpy(all, v, sizeof all);
    for (int p = 0; p < 4; p++)
        m = VECTOR(max_epi32)(m, VECTOR_BITS(and)(all[p], VECTOR(set1_epi32)(INT32_MAX)));
    memcpy(bits, &m, sizeof bits);
    for (uint32_t i = 0; i < CHANNELS / 4; i++) most = bits[i] > most ? bits[i] : most;
    float value;
    memcpy(&value, &most, sizeof value);
    return value;
}

static inline __attribute__((always_inline)) DOT_VECTOR
codes_bytes(DOT_VECTOR words0, DOT_VECTOR words1, DOT_VECTOR zero) {
    return VECTOR(packus_epi16)(VECTOR(adds_epi16)(words0, zero), VECTOR(adds_epi16)(words1, zero));
}

// A bound of floats as bytes.
static DOT_VECTOR bound_of(const vfloat v[4], const quernel_i_epilogue *f, DOT_VECTOR zero) {
    DOT_VECTOR r[4];
    for (int p = 0; p < 4; p++)
        r[p] = VECTOR(cvtps_epi32)(v_min(v_set(f->q_hi), v_max(v_set(f->q_lo), v[p])));
    return codes_bytes(VECTOR(packs_epi32)(r[0], r[1]), VECTOR(packs_epi32)(r[2], r[3]), zero);
}

static bool clamps(const codes *c) {
    uint64_t lo[CHANNELS / 8], hi[CHANNELS / 8], any = 0;
    memcpy(lo, &c->lo, sizeof lo), memcpy(hi, &c->hi, sizeof hi);
    for (uint32_t i = 0; i < CHANNELS / 8; i++) any |= lo[i] | ~hi[i];
    return any;
}

static void bounds_of(codes *c, const quernel_i_epilogue *f, uint32_t n, uint32_t width,
                      uint32_t count) {
    vfloat lo[4], hi[4];
    for (int p = 0; p < 4; p++)
        lo[p] = v_set(f->act == QUERNEL_I_ACT_RELU ? 0.0f : f->q_lo), hi[p] = v_set(f->q_hi);
    if (f->act == QUERNEL_I_ACT_CLAMP) {
        table_of(f->act_lo + n, width, count, lo);
        table_of(f->act_hi + n, width, count, hi);
    }
    c->lo = bound_of(lo, f, c->zero), c->hi = bound_of(hi, f, c->zero);
}

// Whether the epilogue has nothing that codes_round does not do.
static bool codes_fit(const quernel_i_epilogue *f) {
    const bool ends = hswish_fits(f);
    return (f->out == QUERNEL_TYPE_S8 || f->out == QUERNEL_TYPE_U8) && f->y_col == 1 &&
           (ends || (!f->residual && !f->out_scale && function_is_clamp(f->act)));
}

// Whether all values that are rounded lie within int32: hard-swish leads none away from 0.
static bool codes_stay(const codes *c) {
    const float most = 0x1.8p30f, reach = largest(c->scale) * 0x1p31f + largest(c->bias);
    if (!c->ends) return reach <= most;
    return (reach + largest(c->shift)) * largest(c->out_scale) <= most;
}

// A table that nothing may be read behind, or NULL for zeros.
static void shift_of(const float *table, uint32_t width, uint32_t count, vfloat to[4]) {
    float all[CHANNELS] = {0};
    if (table) memcpy(all, table, count * sizeof *all);
    table_of(all, width, count, to);
}

/// Of `count` channels from n on.
static void codes_of(codes *c, const quernel_i_epilogue *f, uint32_t n, uint32_t width,
                     uint32_t count) {
    c->plain = codes_fit(f), c->ends = hswish_fits(f);
    if (!c->plain) return;
    table_of(f->scale + n, width, count, c->scale);
    table_of(f->bias + n, width, count, c->bias);
    if (c->ends) {
        table_of(f->out_scale + n, width, count, c->out_scale);
        shift_of(hswish_shift(f, n), width, count, c->shift);
    }
    c->plain = codes_stay(c);
    const bool s8 = f->out == QUERNEL_TYPE_S8;
    c->zero = VECTOR(set1_epi16)((int16_t)(f->q_zero + (s8 ? 128 : 0)));
    c->flip = VECTOR(set1_epi8)(s8 ? INT8_MIN : 0);
    bounds_of(c, f, n, width, count);
    c->bare = f->q_zero == 0 && !s8 && !clamps(c);
}

// `ends` is a constant where this is called.
static inline __attribute__((always_inline)) DOT_VECTOR codes_round(const codes *c, DOT_VECTOR sum,
                                                                    int part, bool ends) {
    vfloat t = v_fma(VECTOR(cvtepi32_ps)(sum), c->scale[part], c->bias[part]);
    if (ends) t = v_mul(v_add(function_hswish(t), c->shift[part]), c->out_scale[part]);
    return VECTOR(cvtps_epi32)(t);
}

// Of some pixels, in place of their first words.
static inline __attribute__((always_inline)) void
codes_end(const codes *c, DOT_VECTOR *words0, const DOT_VECTOR *words1, const uint32_t pixels) {
    if (c->bare) {
#pragma GCC unroll 8
        for (uint32_t i = 0; i < pixels; i++)
            words0[i] = VECTOR(packus_epi16)(words0[i], words1[i]);
        return;
    }
#pragma GCC unroll 8
    for (uint32_t i = 0; i < pixels; i++) {
        const DOT_VECTOR v = codes_bytes(words0[i], words1[i], c->zero);
        words0[i] = VECTOR_BITS(xor)(VECTOR(min_epu8)(VECTOR(max_epu8)(v, c->lo), c->hi), c->flip);
    }
}
