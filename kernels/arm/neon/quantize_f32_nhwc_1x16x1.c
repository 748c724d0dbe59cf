// SPDX-License-Identifier: Apache-2.0
// Float NHWC, or a row-major matrix, to rows, for NEON: 16 channels at a time.
//
// 16 codes are 24 operations on floats and integers (2 products, maximum, minimum, conversion, sum,
// each 4 times) and 3 that join their low bytes, 27 against 80 bytes read or written. Speed is a
// model here (llvm-mca 19, no Arm processor was timed): 16.5 cycles for 16 codes on Neoverse
// N1, 8.0 on V1; the conversion's single pipe holds N1 to 8 of them.
#include "quantize.h"

// n < 16 channels behind the last whole 16; `m` is 0 beyond them.
NEON_INLINE void rows_tail(const float *x, floats16 m, uint32_t n, const quantizer *q, uint8_t *y) {
    ints16 v;
#define BODY(i) v.q[i] = quantize_4(load_part(x + 4 * i, lanes_of(n, 4 * i)), m.q[i], q);
    EACH_4(BODY)
#undef BODY
    store_bytes(y, low_bytes(v), n);
}

void quernel_uk_quantize_f32_nhwc_1x16x1_neon(const quernel_i_quantize_args *r);
void quernel_uk_quantize_f32_nhwc_1x16x1_neon(const quernel_i_quantize_args *r) {
    const quantizer q = quantizer_of(r);
    const uint32_t whole = r->channels & ~15u, tail = r->channels & 15u;
    const float *x = r->x, *mult = r->mult;
    uint8_t *y = r->y;
    floats16 m_tail;
#define BODY(i) m_tail.q[i] = load_part(mult + whole + 4 * i, lanes_of(tail, 4 * i));
    EACH_4(BODY)
#undef BODY
    for (uint32_t p = 0; p < r->pixels; p++, x += r->x_pixel, y += r->y_pixel) {
        for (uint32_t c = 0; c < whole; c += 16) {
            const floats16 numbers = load_floats(x + c), m = load_floats(mult + c);
            ints16 v;
#define BODY(i) v.q[i] = quantize_4(numbers.q[i], m.q[i], &q);
            EACH_4(BODY)
#undef BODY
            vst1q_u8(y + c, low_bytes(v));
        }
        if (tail) rows_tail(x + whole, m_tail, tail, &q, y + whole);
    }
}
