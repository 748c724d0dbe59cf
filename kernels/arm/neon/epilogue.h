// SPDX-License-Identifier: Apache-2.0
// The epilogue for NEON: a tile of int32 sums of up to 16 output channels becomes output, a row of
// 16 at a time in four vectors.
//
// Every option of quernel_i_epilogue is a step that is left out by a branch which goes the same way
// for the whole call. The commonest cases, int8 or f32 after none, ReLU or clamp and nothing else,
// are compiled on their own, without the branches. NEON's maximum and minimum hand a NaN on, and a
// NaN converts to 0: what rule 1 of docs/numerics.md wants. Where a bound may reach the output as a
// float, compare and select instead: rule 5 also tells −0 from +0. Lanes beyond the last output
// channel hold values that nobody reads; tables may be read there, y and residual may not.
#ifndef QUERNEL_NEON_EPILOGUE_H
#define QUERNEL_NEON_EPILOGUE_H

#include "base/num.h"
#include "kernels/ukr.h"
#include "vector.h"

#include "kernels/template/functions.h" // over the vectors of those above

enum { EPILOGUE_NR = 16, EPILOGUE_ROWS_MAX = 4 }; // rows: of a tile made for the epilogue alone

/// Rows of 16 sums, and where they lie in the call's output.
typedef struct epilogue_tile {
    int32_t *acc;      // [rows][16], overwritten
    uint32_t rows, oc; // oc <= 16
    uint32_t m, n;     // first row and output channel within the call
} epilogue_tile;

// A sum modulo 2^32: signed vectors may not overflow in C.
NEON_INLINE int32x4_t epilogue_wrap(int32x4_t a, uint32x4_t b) {
    return vreinterpretq_s32_u32(vaddq_u32(vreinterpretq_u32_s32(a), b));
}

NEON_INLINE ints16 epilogue_term(ints16 sum, int32_t row_term, const int32_t *col_term) {
    const ints16 term = load_ints(col_term);
    const uint32x4_t factor = vdupq_n_u32((uint32_t)row_term);
#define BODY(i) \
    sum.q[i] = epilogue_wrap(sum.q[i], vmulq_u32(vreinterpretq_u32_s32(term.q[i]), factor));
    EACH_4(BODY)
#undef BODY
    return sum;
}

NEON_INLINE floats16 epilogue_scale(ints16 sum, const quernel_i_epilogue *f, uint32_t m,
                                    uint32_t n) {
    floats16 scale = load_floats(f->scale + n), t = load_floats(f->bias + n);
    if (f->row_scale) {
        const float32x4_t row_scale = vdupq_n_f32(f->row_scale[m]);
#define BODY(i) scale.q[i] = vmulq_f32(scale.q[i], row_scale);
        EACH_4(BODY)
#undef BODY
    }
#define BODY(i) t.q[i] = vfmaq_f32(t.q[i], vcvtq_f32_s32(sum.q[i]), scale.q[i]);
    EACH_4(BODY)
#undef BODY
    return t;
}

NEON_INLINE ints16 epilogue_widen(int16x8_t low, int16x8_t high) {
    return (ints16){{vmovl_s16(vget_low_s16(low)), vmovl_high_s16(low),
                     vmovl_s16(vget_low_s16(high)), vmovl_high_s16(high)}};
}

// Elements that do not lie side by side, or fewer than 16 of them.
static inline void epilogue_residual_gather(const uint8_t *from, ptrdiff_t r_col, int32_t r_type,
                                            uint32_t oc, int32_t *to) {
    for (uint32_t c = 0; c < oc; c++, from += r_col) {
        if (r_type == QUERNEL_TYPE_U8) to[c] = *from;
        else if (r_type == QUERNEL_TYPE_S8) to[c] = (int8_t)*from;
        else if (r_type == QUERNEL_TYPE_BF16) memcpy((uint8_t *)(to + c) + 2, from, 2);
        else memcpy(to + c, from, sizeof *to);
    }
}

NEON_INLINE ptrdiff_t epilogue_residual_size(int32_t r_type) {
    if (r_type == QUERNEL_TYPE_BF16) return 2;
    return r_type == QUERNEL_TYPE_S8 || r_type == QUERNEL_TYPE_U8 ? 1 : 4;
}

// A row of the residual as 4-byte elements: integers for S8, U8 and S32, bits of floats for F32 and
// BF16.
NEON_INLINE ints16 epilogue_residual_load(const quernel_i_epilogue *f, uint32_t m, uint32_t n,
                                          uint32_t oc) {
    const uint8_t *from =
        (const uint8_t *)f->residual + (ptrdiff_t)m * f->r_row + (ptrdiff_t)n * f->r_col;
    const ptrdiff_t size = epilogue_residual_size(f->r_type);
    int32_t elements[EPILOGUE_NR] = {0};
    if (oc < EPILOGUE_NR || f->r_col != size) {
        epilogue_residual_gather(from, f->r_col, f->r_type, oc, elements);
        return load_ints(elements);
    }
    if (size == 2) {
        const uint16x8_t low = vreinterpretq_u16_u8(vld1q_u8(from)),
                         high = vreinterpretq_u16_u8(vld1q_u8(from + 16));
        return (ints16){{vreinterpretq_s32_u32(vshll_n_u16(vget_low_u16(low), 16)),
                         vreinterpretq_s32_u32(vshll_high_n_u16(low, 16)),
                         vreinterpretq_s32_u32(vshll_n_u16(vget_low_u16(high), 16)),
                         vreinterpretq_s32_u32(vshll_high_n_u16(high, 16))}};
    }
    if (size == 4) {
        memcpy(elements, from, sizeof elements);
        return load_ints(elements);
    }
    const uint8x16_t v = vld1q_u8(from);
    if (f->r_type == QUERNEL_TYPE_S8)
        return epilogue_widen(vmovl_s8(vget_low_s8(vreinterpretq_s8_u8(v))),
                              vmovl_high_s8(vreinterpretq_s8_u8(v)));
    return epilogue_widen(vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(v))),
                          vreinterpretq_s16_u16(vmovl_high_u8(v)));
}

NEON_INLINE floats16 epilogue_residual(floats16 t, ints16 residual, const quernel_i_epilogue *f,
                                       uint32_t n) {
    const bool is_float = f->r_type == QUERNEL_TYPE_F32 || f->r_type == QUERNEL_TYPE_BF16;
    const int32x4_t zero = vdupq_n_s32(f->r_zero);
    if (is_float && !f->r_scale) {
#define BODY(i) t.q[i] = vaddq_f32(t.q[i], vreinterpretq_f32_s32(residual.q[i]));
        EACH_4(BODY)
#undef BODY
        return t;
    }
    const floats16 scale = load_floats(f->r_scale + n);
#define BODY(i)                                                                  \
    t.q[i] = vfmaq_f32(t.q[i],                                                   \
                       is_float ? vreinterpretq_f32_s32(residual.q[i])           \
                                : vcvtq_f32_s32(vsubq_s32(residual.q[i], zero)), \
                       scale.q[i]);
    EACH_4(BODY)
#undef BODY
    return t;
}

NEON_INLINE float32x4_t epilogue_clamp(float32x4_t t, float32x4_t lo, float32x4_t hi) {
    const float32x4_t u = vbslq_f32(vcgtq_f32(t, lo), t, lo); // NaN compares false: lo
    return vbslq_f32(vcltq_f32(u, hi), u, hi);
}

// A function of the activation takes the row through memory: its code exists once, not for each
// vector.
static inline floats16 epilogue_function(floats16 t, int32_t act) {
    float row[EPILOGUE_NR];
#define BODY(i) v_store(row + 4 * i, t.q[i]);
    EACH_4(BODY)
#undef BODY
    function_apply(act, row, EPILOGUE_NR, 4);
    return load_floats(row);
}

NEON_INLINE floats16 epilogue_act(floats16 t, const quernel_i_epilogue *f, int32_t act,
                                  uint32_t n) {
    if (act == QUERNEL_I_ACT_RELU) { // the value where one operand is NaN, +0 of both zeros
#define BODY(i) t.q[i] = vmaxnmq_f32(t.q[i], vdupq_n_f32(0.0f));
        EACH_4(BODY)
#undef BODY
    } else if (act == QUERNEL_I_ACT_CLAMP) {
        const floats16 lo = load_floats(f->act_lo + n), hi = load_floats(f->act_hi + n);
#define BODY(i) t.q[i] = epilogue_clamp(t.q[i], lo.q[i], hi.q[i]);
        EACH_4(BODY)
#undef BODY
    } else if (act == QUERNEL_I_ACT_PRELU) {
        const floats16 slope = load_floats(f->slope + n);
#define BODY(i) t.q[i] = vbslq_f32(vcgezq_f32(t.q[i]), t.q[i], vmulq_f32(t.q[i], slope.q[i]));
        EACH_4(BODY)
#undef BODY
    } else if (function_is(act)) {
        t = epilogue_function(t, act);
    }
    return t;
}

// Bounds and zero point of int8 output.
typedef struct epilogue_codes {
    float32x4_t lo, hi;
    int32x4_t zero;
} epilogue_codes;

NEON_INLINE epilogue_codes epilogue_codes_of(const quernel_i_epilogue *f) {
    return (epilogue_codes){vdupq_n_f32(f->q_lo), vdupq_n_f32(f->q_hi), vdupq_n_s32(f->q_zero)};
}

NEON_INLINE int32x4_t epilogue_code(float32x4_t t, const epilogue_codes *c) {
    return vaddq_s32(vcvtnq_s32_f32(vminq_f32(vmaxq_f32(t, c->lo), c->hi)), c->zero);
}

// quernel_i_bf16 by the same integers, in the low halves of the lanes.
NEON_INLINE int32x4_t epilogue_bf16(float32x4_t t) {
    const uint32x4_t u = vreinterpretq_u32_f32(t);
    const uint32x4_t odd = vandq_u32(vshrq_n_u32(u, 16), vdupq_n_u32(1));
    const uint32x4_t rounded = vshrq_n_u32(vaddq_u32(vaddq_u32(u, vdupq_n_u32(0x7fff)), odd), 16);
    return vreinterpretq_s32_u32(vbslq_u32(vceqq_f32(t, t), rounded, vdupq_n_u32(0x7fc0)));
}

NEON_INLINE ints16 epilogue_convert(floats16 t, int32_t out, const epilogue_codes *c) {
    ints16 v;
    if (out == QUERNEL_TYPE_F32) {
#define BODY(i) v.q[i] = vreinterpretq_s32_f32(t.q[i]);
        EACH_4(BODY)
#undef BODY
    } else if (out == QUERNEL_TYPE_BF16) {
#define BODY(i) v.q[i] = epilogue_bf16(t.q[i]);
        EACH_4(BODY)
#undef BODY
    } else {
#define BODY(i) v.q[i] = epilogue_code(t.q[i], c);
        EACH_4(BODY)
#undef BODY
    }
    return v;
}

// 16 sums become 16 elements of the output, in the low bytes of the lanes.
NEON_INLINE ints16 epilogue_row(ints16 sum, const quernel_i_epilogue *f, uint32_t m, uint32_t n,
                                uint32_t oc) {
    ints16 residual = {{vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)}};
    if (f->row_term[0]) sum = epilogue_term(sum, f->row_term[0][m], f->col_term[0] + n);
    if (f->row_term[1]) sum = epilogue_term(sum, f->row_term[1][m], f->col_term[1] + n);
    if (f->residual) residual = epilogue_residual_load(f, m, n, oc);
    if (f->out == QUERNEL_TYPE_S32) {
#define BODY(i) sum.q[i] = epilogue_wrap(sum.q[i], vreinterpretq_u32_s32(residual.q[i]));
        EACH_4(BODY)
#undef BODY
        return sum;
    }
    floats16 t = epilogue_scale(sum, f, m, n);
    if (f->residual && !f->residual_last) t = epilogue_residual(t, residual, f, n);
    t = epilogue_act(t, f, f->act, n);
    if (f->residual && f->residual_last) t = epilogue_residual(t, residual, f, n);
    if (f->out_scale) {
        const floats16 scale = load_floats(f->out_scale + n);
#define BODY(i) t.q[i] = vmulq_f32(t.q[i], scale.q[i]);
        EACH_4(BODY)
#undef BODY
    }
    const epilogue_codes codes = epilogue_codes_of(f);
    return epilogue_convert(t, f->out, &codes);
}

NEON_INLINE uint8x16_t epilogue_halves(int32x4_t low, int32x4_t high) {
    return vreinterpretq_u8_s16(
        vuzp1q_s16(vreinterpretq_s16_s32(low), vreinterpretq_s16_s32(high)));
}

// `count` <= 16 bytes of the vector that begins `at` bytes behind y; count may be negative, or
// above 16.
NEON_INLINE void epilogue_store_part(uint8_t *y, uint32_t at, uint8x16_t v, uint32_t bytes) {
    if (bytes > at) store_bytes(y + at, v, bytes - at < 16 ? bytes - at : 16);
}

// A row of elements of 1, 2 or 4 bytes, side by side.
NEON_INLINE void epilogue_store_row(uint8_t *y, ints16 v, uint32_t oc, uint32_t element) {
    const uint32_t bytes = oc * element;
    if (element == 1) {
        store_bytes(y, low_bytes(v), bytes);
    } else if (element == 2) {
        epilogue_store_part(y, 0, epilogue_halves(v.q[0], v.q[1]), bytes);
        epilogue_store_part(y, 16, epilogue_halves(v.q[2], v.q[3]), bytes);
    } else {
#define BODY(i) epilogue_store_part(y, 16 * i, vreinterpretq_u8_s32(v.q[i]), bytes);
        EACH_4(BODY)
#undef BODY
    }
}

// Channel after channel, each with up to 4 of the tile's rows side by side: NCHW.
static inline void epilogue_store_4_rows(const int32_t *acc, uint32_t rows, uint32_t oc, uint8_t *y,
                                         ptrdiff_t y_col, uint32_t element) {
    for (uint32_t c = 0; c < oc; c += 4) {
        int32x4_t v[4];
#define BODY(r) v[r] = vld1q_s32(acc + (r < rows ? r : 0) * EPILOGUE_NR + c);
        EACH_4(BODY)
#undef BODY
        transpose_4x4(v);
        for (uint32_t i = 0; i < 4 && c + i < oc; i++, y += y_col) {
            const ints16 same = {{v[i], v[i], v[i], v[i]}};
            if (element == 4) store_bytes(y, vreinterpretq_u8_s32(v[i]), 4 * rows);
            else if (element == 2) store_bytes(y, epilogue_halves(v[i], v[i]), 2 * rows);
            else store_bytes(y, low_bytes(same), rows);
        }
    }
}

static inline void epilogue_store_transposed(const epilogue_tile *t, uint8_t *y, ptrdiff_t y_col,
                                             uint32_t element) {
    for (uint32_t r = 0; r < t->rows; r += 4)
        epilogue_store_4_rows(t->acc + r * EPILOGUE_NR, t->rows - r < 4 ? t->rows - r : 4, t->oc,
                              y + r * element, y_col, element);
}

NEON_INLINE uint32_t epilogue_element(int32_t type) {
    return type == QUERNEL_TYPE_S8 || type == QUERNEL_TYPE_U8 ? 1
           : type == QUERNEL_TYPE_BF16                        ? 2
                                                              : 4;
}

NEON_INLINE uint8_t *epilogue_y(const epilogue_tile *t, const quernel_i_epilogue *f) {
    return (uint8_t *)f->y + (ptrdiff_t)t->m * f->y_row + (ptrdiff_t)t->n * f->y_col;
}

// Rows of contiguous output are stored; else they go back to the tile.
NEON_INLINE void epilogue_rows(const epilogue_tile *t, const quernel_i_epilogue *f) {
    const uint32_t element = epilogue_element(f->out);
    const bool contiguous = f->y_col == (ptrdiff_t)element;
    uint8_t *y = epilogue_y(t, f);
    for (uint32_t r = 0; r < t->rows; r++, y += f->y_row) {
        int32_t *acc = t->acc + r * EPILOGUE_NR;
        const ints16 v = epilogue_row(load_ints(acc), f, t->m + r, t->n, t->oc);
        if (contiguous) epilogue_store_row(y, v, t->oc, element);
        else store_ints(acc, v);
    }
}

/// Whether epilogue_plain may take the call: only scale, bias, and none, ReLU or clamp; int8 or
/// f32.
static inline bool epilogue_is_plain(const quernel_i_epilogue *f) {
    return (f->out == QUERNEL_TYPE_F32 || f->out == QUERNEL_TYPE_S8 || f->out == QUERNEL_TYPE_U8) &&
           !f->row_term[0] && !f->row_term[1] && !f->row_scale && !f->residual && !f->out_scale &&
           function_is_clamp(f->act);
}

// The same for plain calls; `act` and `out` are constants.
NEON_INLINE void epilogue_plain(const epilogue_tile *t, const quernel_i_epilogue *f, int32_t act,
                                int32_t out) {
    const uint32_t element = epilogue_element(out), oc = t->oc;
    const bool contiguous = f->y_col == (ptrdiff_t)element;
    const ptrdiff_t y_row = f->y_row;
    const floats16 scale = load_floats(f->scale + t->n), bias = load_floats(f->bias + t->n);
    const epilogue_codes codes = epilogue_codes_of(f);
    uint8_t *y = epilogue_y(t, f);
    int32_t *acc = t->acc;
    for (uint32_t r = t->rows; r; r--, y += y_row, acc += EPILOGUE_NR) {
        const ints16 sum = load_ints(acc);
        floats16 v;
#define BODY(i) v.q[i] = vfmaq_f32(bias.q[i], vcvtq_f32_s32(sum.q[i]), scale.q[i]);
        EACH_4(BODY)
#undef BODY
        const ints16 elements = epilogue_convert(epilogue_act(v, f, act, t->n), out, &codes);
        if (!contiguous) store_ints(acc, elements);
        else if (oc == EPILOGUE_NR) epilogue_store_row(y, elements, EPILOGUE_NR, element);
        else epilogue_store_row(y, elements, oc, element);
    }
}

NEON_INLINE void epilogue_plain_act(const epilogue_tile *t, const quernel_i_epilogue *f,
                                    int32_t out) {
    if (f->act == QUERNEL_I_ACT_RELU) epilogue_plain(t, f, QUERNEL_I_ACT_RELU, out);
    else if (f->act == QUERNEL_I_ACT_CLAMP) epilogue_plain(t, f, QUERNEL_I_ACT_CLAMP, out);
    else epilogue_plain(t, f, QUERNEL_I_ACT_NONE, out);
}

// Elements apart in both directions, for instance one kernel position of a deconvolution in NCHW:
// channel after channel, so that neighbouring rows meet in one cache line. `element` is a constant
// where this is called.
static inline __attribute__((always_inline)) void epilogue_store_apart(const epilogue_tile *t,
                                                                       const quernel_i_epilogue *f,
                                                                       uint8_t *y,
                                                                       uint32_t element) {
    for (uint32_t c = 0; c < t->oc; c++, y += f->y_col)
        for (uint32_t r = 0; r < t->rows; r++) // little-endian: the low bytes come first
            memcpy(y + (ptrdiff_t)r * f->y_row, t->acc + r * EPILOGUE_NR + c, element);
}

/// The epilogue of a tile. `plain` is epilogue_is_plain(f), asked once per call.
static inline void epilogue_run(const epilogue_tile *t, const quernel_i_epilogue *f, bool plain) {
    const uint32_t element = epilogue_element(f->out);
    if (!plain) epilogue_rows(t, f);
    else if (f->out == QUERNEL_TYPE_F32) epilogue_plain_act(t, f, QUERNEL_TYPE_F32);
    else epilogue_plain_act(t, f, QUERNEL_TYPE_S8); // U8 differs in the bounds only
    if (f->y_col == (ptrdiff_t)element) return;
    uint8_t *y = epilogue_y(t, f);
    if (f->y_row == (ptrdiff_t)element) {
        epilogue_store_transposed(t, y, f->y_col, element);
        return;
    }
    if (element == 4) epilogue_store_apart(t, f, y, 4);
    else if (element == 2) epilogue_store_apart(t, f, y, 2);
    else epilogue_store_apart(t, f, y, 1);
}

#endif
