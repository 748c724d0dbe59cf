// SPDX-License-Identifier: Apache-2.0
// Element by element for NEON: 16 elements of a row in four vectors, from the operands' values to
// the output; only where the output's columns lie apart through a tile of 4 rows.
//
// u8 + u8 to u8: 2 loads, 8 widenings of each operand with their zero points, 8 conversions, 24 to
// values and their sum, 16 to codes, 3 narrowings: about 70 operations for 16 elements, of which
// the 12 conversions have one pipe on Neoverse N1 (two cycles each: 24 cycles, the bound), two on
// V1. Speed is a model here: no Arm processor was timed.
#include "epilogue.h"

#include "kernels/template/eltwise.h" // over its tiles

// 16 elements side by side; codes less their zero point.
NEON_INLINE floats16 elements_16(const uint8_t *at, int32_t type, int32_t zero) {
    floats16 v;
    if (type == QUERNEL_TYPE_F32) return load_floats((const float *)(const void *)at);
    if (type == QUERNEL_TYPE_BF16) {
        const uint16x8_t low = vld1q_u16((const uint16_t *)(const void *)at),
                         high = vld1q_u16((const uint16_t *)(const void *)(at + 16));
        v.q[0] = vreinterpretq_f32_u32(vshll_n_u16(vget_low_u16(low), 16));
        v.q[1] = vreinterpretq_f32_u32(vshll_n_u16(vget_high_u16(low), 16));
        v.q[2] = vreinterpretq_f32_u32(vshll_n_u16(vget_low_u16(high), 16));
        v.q[3] = vreinterpretq_f32_u32(vshll_n_u16(vget_high_u16(high), 16));
        return v;
    }
    const uint8x16_t q = vld1q_u8(at);
    const int16x8_t less = vdupq_n_s16((int16_t)zero);
    const bool s8 = type == QUERNEL_TYPE_S8;
    const int16x8_t low = s8 ? vmovl_s8(vget_low_s8(vreinterpretq_s8_u8(q)))
                             : vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(q))),
                    high = s8 ? vmovl_high_s8(vreinterpretq_s8_u8(q))
                              : vreinterpretq_s16_u16(vmovl_high_u8(q));
    const ints16 wide = epilogue_widen(vsubq_s16(low, less), vsubq_s16(high, less));
#define BODY(i) v.q[i] = vcvtq_f32_s32(wide.q[i]);
    EACH_4(BODY)
#undef BODY
    return v;
}

// Elements apart, or fewer than 16: one by one.
static floats16 elements_gather(const uint8_t *at, const elements *e, uint32_t oc) {
    float v[EPILOGUE_NR] = {0};
    for (uint32_t c = 0; c < oc; c++, at += e->col) v[c] = elements_one(at, e->type, e->zero);
    return load_floats(v);
}

NEON_INLINE floats16 elements_row(const elements *e, uint32_t r, uint32_t oc) {
    const uint8_t *at = e->at + (ptrdiff_t)r * e->row;
    floats16 v;
    if (oc == EPILOGUE_NR && e->col == (ptrdiff_t)elements_size(e->type)) {
        v = elements_16(at, e->type, e->zero);
    } else if (e->col) {
        v = elements_gather(at, e, oc);
    } else {
        const float32x4_t one = vdupq_n_f32(elements_one(at, e->type, e->zero));
        v = (floats16){{one, one, one, one}};
    }
    if (!elements_is_codes(e->type)) return v;
    const floats16 scale = load_floats(e->scale);
#define BODY(i) v.q[i] = vmulq_f32(v.q[i], scale.q[i]);
    EACH_4(BODY)
#undef BODY
    return v;
}

NEON_INLINE float32x4_t combine(int32_t how, float32x4_t x, float32x4_t z) {
    switch (how) {
    case QUERNEL_I_COMBINE_ADD: return vaddq_f32(x, z);
    case QUERNEL_I_COMBINE_SUB: return vsubq_f32(x, z);
    case QUERNEL_I_COMBINE_MUL: return vmulq_f32(x, z);
    default: return vdivq_f32(x, z);
    }
}

NEON_INLINE ints16 output_row(const epilogue_tile *t, const quernel_i_epilogue *f, int32_t how,
                              const elements *x, const elements *z, uint32_t r) {
    floats16 v = elements_row(x, r, t->oc);
    if (how != QUERNEL_I_COMBINE_COPY) {
        const floats16 w = elements_row(z, r, t->oc);
#define BODY(i) v.q[i] = combine(how, v.q[i], w.q[i]);
        EACH_4(BODY)
#undef BODY
    }
    v = epilogue_act(v, f, f->act, t->n);
    if (f->out_scale) {
        const floats16 scale = load_floats(f->out_scale + t->n);
#define BODY(i) v.q[i] = vmulq_f32(v.q[i], scale.q[i]);
        EACH_4(BODY)
#undef BODY
    }
    const epilogue_codes codes = epilogue_codes_of(f);
    return epilogue_convert(v, f->out, &codes);
}

// y may be an operand: all of a tile is read before it is written.
static void eltwise_tile(const epilogue_tile *t, const quernel_i_epilogue *f, int32_t how,
                         const elements *x, const elements *z) {
    const uint32_t element = epilogue_element(f->out);
    uint8_t *y = epilogue_y(t, f);
    for (uint32_t r = 0; r < t->rows; r++)
        store_ints(t->acc + r * EPILOGUE_NR, output_row(t, f, how, x, z, r));
    if (f->y_col == (ptrdiff_t)element)
        for (uint32_t r = 0; r < t->rows; r++, y += f->y_row)
            epilogue_store_row(y, load_ints(t->acc + r * EPILOGUE_NR), t->oc, element);
    else if (f->y_row == (ptrdiff_t)element) epilogue_store_transposed(t, y, f->y_col, element);
    else if (element == 4) epilogue_store_apart(t, f, y, 4);
    else if (element == 2) epilogue_store_apart(t, f, y, 2);
    else epilogue_store_apart(t, f, y, 1);
}

void quernel_uk_eltwise_f32_4x16x1_neon(const quernel_i_eltwise *e);
void quernel_uk_eltwise_f32_4x16x1_neon(const quernel_i_eltwise *e) { eltwise_tiles(e); }
