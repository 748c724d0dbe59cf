// SPDX-License-Identifier: Apache-2.0
// The epilogue for AVX2: a tile of int32 sums of up to 16 output channels becomes output.
//
// A row of the tile goes through registers once, with any options of quernel_i_epilogue: branches
// that go the same way for all rows, but for the activation, which is a constant of the loop. The
// commonest cases, int8 or f32 out after none, ReLU or clamp ("plain"), have none of those branches
// and one clamp for activation and output type. A function is a long chain of operations for each
// vector: it has a pass of its own, where several chains run beside one another (SiLU to u8: 23
// cycles a row, 29 with all else in one loop); hard-swish to codes is short enough to be plain.
// Rows whose elements are not stored side by side wait in the tile for epilogue_store.h.
#ifndef QUERNEL_AVX2_EPILOGUE_H
#define QUERNEL_AVX2_EPILOGUE_H

#include <immintrin.h>
#include <string.h>

#include "base/num.h"
#include "epilogue_store.h"
#include "kernels/ukr.h"
#include "kernels/x86/hswish.h"
#include "values.h"
#include "vector.h"

#include "kernels/template/functions.h" // over the vectors of those above

/// What a tile holds, and what may be asked of it.
enum {
    EPILOGUE_SUMS = 0,
    EPILOGUE_VALUES = 1, // floats, and only what follows them
    EPILOGUE_PLAIN = 2,  // flag: no option
};

// What is common stands in a line: a row costs less than its jumps would.
#define OFTEN(condition) __builtin_expect((condition) != 0, 1)
#define RARE(condition) __builtin_expect((condition) != 0, 0)

static inline float *epilogue_floats(const epilogue_tile *t) { return (float *)(void *)t->acc; }

// The maximum and minimum of x86 return their second operand for NaN and for equal zeros: `t > lo ?
// t : lo`.
static inline __m256 epilogue_clamp(__m256 t, __m256 lo, __m256 hi) {
    return _mm256_min_ps(_mm256_max_ps(t, lo), hi);
}

static inline bool epilogue_bounds(int act) {
    return act == QUERNEL_I_ACT_RELU || act == QUERNEL_I_ACT_CLAMP;
}

// None, ReLU or clamp.
static inline __attribute__((always_inline)) __m256 epilogue_bounded(__m256 v, __m256 lo, __m256 hi,
                                                                     int act) {
    if (act == QUERNEL_I_ACT_RELU) return _mm256_max_ps(v, _mm256_setzero_ps());
    return act == QUERNEL_I_ACT_CLAMP ? epilogue_clamp(v, lo, hi) : v;
}

static inline __m256 epilogue_prelu(__m256 t, __m256 slope) {
    return _mm256_blendv_ps(_mm256_mul_ps(t, slope), t,
                            _mm256_cmp_ps(t, _mm256_setzero_ps(), _CMP_GE_OQ));
}

// An activation that is no function, of 8 output channels from n on.
static inline __attribute__((always_inline)) __m256
epilogue_act(__m256 v, const quernel_i_epilogue *f, uint32_t n, int act) {
    if (act == QUERNEL_I_ACT_PRELU) return epilogue_prelu(v, _mm256_loadu_ps(f->slope + n));
    if (act != QUERNEL_I_ACT_CLAMP) return epilogue_bounded(v, v, v, act);
    return epilogue_clamp(v, _mm256_loadu_ps(f->act_lo + n), _mm256_loadu_ps(f->act_hi + n));
}

/// A tile's residual: rows of 16 elements side by side. `at` is NULL without one.
typedef struct epilogue_residual {
    const uint8_t *at;
    ptrdiff_t row; // bytes
} epilogue_residual;

/// Finds it, or gathers it in `to`: elements apart, or less than 16 of them.
static inline epilogue_residual epilogue_residual_of(const epilogue_tile *t,
                                                     const quernel_i_epilogue *f, uint8_t *to) {
    if (!f->residual) return (epilogue_residual){NULL, 0};
    const uint32_t size = epilogue_size(f->r_type);
    const uint8_t *from =
        (const uint8_t *)f->residual + (ptrdiff_t)t->m * f->r_row + (ptrdiff_t)t->n * f->r_col;
    const bool apart = f->r_col != (ptrdiff_t)size;
    if (!apart && t->oc == EPILOGUE_NR) return (epilogue_residual){from, f->r_row};
    const epilogue_residual x = {to, (ptrdiff_t)size * EPILOGUE_NR};
    for (uint32_t r = 0; r < t->rows; r++, from += f->r_row, to += x.row) {
        if (!apart) memcpy(to, from, (size_t)t->oc * size);
        for (uint32_t c = 0; apart && c < t->oc; c++)
            memcpy(to + c * size, from + (ptrdiff_t)c * f->r_col, size);
    }
    return x;
}

// `type` is a constant where this is called.
static inline __attribute__((always_inline)) void epilogue_add_typed(__m256 v[2], const uint8_t *at,
                                                                     int32_t type, uint32_t n,
                                                                     const quernel_i_epilogue *f) {
    const __m256i zero = _mm256_set1_epi32(f->r_zero);
    const __m256 x[2] = {values_8(at, type, zero),
                         values_8(at + 8 * epilogue_size(type), type, zero)};
    const bool scales = epilogue_size(type) == 1 || f->r_scale;
#pragma GCC unroll 2
    for (uint32_t h = 0; h < 2; h++)
        v[h] = scales ? _mm256_fmadd_ps(x[h], _mm256_loadu_ps(f->r_scale + n + 8 * h), v[h])
                      : _mm256_add_ps(v[h], x[h]);
}

static inline __attribute__((always_inline)) void epilogue_add(__m256 v[2],
                                                               const epilogue_residual *x,
                                                               uint32_t r, uint32_t n,
                                                               const quernel_i_epilogue *f) {
    const uint8_t *at = x->at + (ptrdiff_t)r * x->row;
    if (OFTEN(f->r_type == QUERNEL_TYPE_U8)) epilogue_add_typed(v, at, QUERNEL_TYPE_U8, n, f);
    else if (f->r_type == QUERNEL_TYPE_S8) epilogue_add_typed(v, at, QUERNEL_TYPE_S8, n, f);
    else if (f->r_type == QUERNEL_TYPE_BF16) epilogue_add_typed(v, at, QUERNEL_TYPE_BF16, n, f);
    else epilogue_add_typed(v, at, QUERNEL_TYPE_F32, n, f);
}

// Zero points: a pass of its own over the sums.
static inline void epilogue_terms(const epilogue_tile *t, const int32_t *row_term,
                                  const int32_t *col_term) {
    const __m256i col[2] = {_mm256_loadu_si256((const __m256i *)(col_term + t->n)),
                            _mm256_loadu_si256((const __m256i *)(col_term + t->n + 8))};
    for (uint32_t r = 0; r < t->rows; r++) {
        const __m256i row = _mm256_set1_epi32(row_term[t->m + r]);
        __m256i *acc = (__m256i *)(t->acc + r * EPILOGUE_NR);
        acc[0] = _mm256_add_epi32(acc[0], _mm256_mullo_epi32(row, col[0]));
        acc[1] = _mm256_add_epi32(acc[1], _mm256_mullo_epi32(row, col[1]));
    }
}

static inline __attribute__((always_inline)) __m256 epilogue_value(__m256i sum, __m256 scale,
                                                                   __m256 bias) {
    return _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum), scale, bias);
}

/// Scale, bias and bounds of 8 output channels.
typedef struct epilogue_columns {
    __m256 scale, bias, lo, hi;
} epilogue_columns;

/// What follows hard-swish.
typedef struct epilogue_hswish {
    __m256 shift, out_scale;
} epilogue_hswish;

static inline __attribute__((always_inline)) epilogue_hswish
epilogue_hswish_at(const quernel_i_epilogue *f, uint32_t n, uint32_t oc) {
    const float *shift = hswish_shift(f, n);
    return (epilogue_hswish){shift ? _mm256_maskload_ps(shift, lanes_mask(oc))
                                   : _mm256_setzero_ps(),
                             _mm256_loadu_ps(f->out_scale + n)};
}

static inline __attribute__((always_inline)) __m256 epilogue_hswish_of(__m256 v,
                                                                       const epilogue_hswish *h) {
    return _mm256_mul_ps(_mm256_add_ps(function_hswish(v), h->shift), h->out_scale);
}

// `joins`: one clamp does for activation and output type, because a clamp of a clamp is one.
static inline __attribute__((always_inline)) epilogue_columns
epilogue_columns_at(const quernel_i_epilogue *f, uint32_t n, int act, int from, bool joins) {
    epilogue_columns c = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_set1_ps(f->q_lo),
                          _mm256_set1_ps(f->q_hi)};
    if (!(from & EPILOGUE_VALUES))
        c.scale = _mm256_loadu_ps(f->scale + n), c.bias = _mm256_loadu_ps(f->bias + n);
    if (!joins || act == QUERNEL_I_ACT_NONE || function_is(act)) return c;
    const bool relu = act == QUERNEL_I_ACT_RELU;
    const __m256 lo = relu ? _mm256_setzero_ps() : _mm256_loadu_ps(f->act_lo + n),
                 hi = relu ? c.hi : _mm256_loadu_ps(f->act_hi + n);
    const epilogue_columns joined = {c.scale, c.bias, epilogue_clamp(lo, c.lo, c.hi),
                                     relu ? c.hi : epilogue_clamp(hi, c.lo, c.hi)};
    return joined;
}

/// The values of a row: those of its sums, or what the tile holds.
static inline __attribute__((always_inline)) void epilogue_values(const int32_t *acc, uint32_t m,
                                                                  const quernel_i_epilogue *f,
                                                                  const epilogue_columns c[2],
                                                                  int from, __m256 v[2]) {
    if (from & EPILOGUE_VALUES) {
        v[0] = _mm256_load_ps((const float *)(const void *)acc);
        v[1] = _mm256_load_ps((const float *)(const void *)(acc + 8));
        return;
    }
    __m256 scale[2] = {c[0].scale, c[1].scale};
    if (from == EPILOGUE_SUMS && RARE(f->row_scale)) {
        const __m256 row = _mm256_set1_ps(f->row_scale[m]);
        scale[0] = _mm256_mul_ps(scale[0], row), scale[1] = _mm256_mul_ps(scale[1], row);
    }
    v[0] = epilogue_value(_mm256_load_si256((const __m256i *)acc), scale[0], c[0].bias);
    v[1] = epilogue_value(_mm256_load_si256((const __m256i *)(acc + 8)), scale[1], c[1].bias);
}

/// The 16 codes of a row. Bounds of an activation take a NaN away; else it passes them and becomes
/// INT32_MIN, INT16_MIN when packed, and 0 there: values lie within ±255.
static inline __attribute__((always_inline)) __m128i
epilogue_codes(const __m256 v[2], const epilogue_columns c[2], bool bounded, int32_t q_zero) {
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7),
                  nan = _mm256_set1_epi16(INT16_MIN);
    const __m256i zero = _mm256_set1_epi16((int16_t)q_zero), byte = _mm256_set1_epi16(0xff);
    __m256i q[2];
#pragma GCC unroll 2
    for (int h = 0; h < 2; h++)
        q[h] = _mm256_cvtps_epi32(bounded ? epilogue_clamp(v[h], c[h].lo, c[h].hi)
                                          : _mm256_min_ps(c[h].hi, _mm256_max_ps(c[h].lo, v[h])));
    __m256i words = _mm256_packs_epi32(q[0], q[1]); // 0-3, 8-11 | 4-7, 12-15
    if (!bounded) words = _mm256_andnot_si256(_mm256_cmpeq_epi16(words, nan), words);
    words = _mm256_and_si256(_mm256_add_epi16(words, zero), byte);
    return _mm256_castsi256_si128(
        _mm256_permutevar8x32_epi32(_mm256_packus_epi16(words, words), order));
}

// quernel_i_bf16 by the same integers; the upper halves of the lanes stay 0.
static inline __attribute__((always_inline)) __m256i epilogue_bf16(__m256 v) {
    const __m256i u = _mm256_castps_si256(v);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(u, 16), _mm256_set1_epi32(1));
    const __m256i rounded = _mm256_srli_epi32(
        _mm256_add_epi32(_mm256_add_epi32(u, _mm256_set1_epi32(0x7fff)), odd), 16);
    const __m256i is_nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
    return _mm256_blendv_epi8(rounded, _mm256_set1_epi32(0x7fc0), is_nan);
}

// A row of `oc` elements of 2 or 4 bytes, in the lanes of v.
static inline __attribute__((always_inline)) void
epilogue_store_row(const __m256i v[2], uint32_t oc, uint8_t *y, uint32_t element) {
    if (element == 4) {
        if (oc > 8) store_dwords(y + 32, _mm256_castsi256_ps(v[1]), oc - 8);
        store_dwords(y, _mm256_castsi256_ps(v[0]), oc < 8 ? oc : 8);
        return;
    }
    const __m256i words = _mm256_permute4x64_epi64(_mm256_packus_epi32(v[0], v[1]), 0xd8);
    store_bytes(y, _mm256_castsi256_si128(words), oc < 8 ? oc * 2 : 16);
    if (oc > 8) store_bytes(y + 16, _mm256_extracti128_si256(words, 1), oc * 2 - 16);
}

// Elements of a row in the lanes of v become output, or wait in the tile.
static inline __attribute__((always_inline)) void epilogue_put(const __m256i v[2], uint32_t oc,
                                                               uint32_t element, bool apart,
                                                               int32_t *row, uint8_t *y) {
    if (!apart) {
        epilogue_store_row(v, oc, y, element);
        return;
    }
    _mm256_store_si256((__m256i *)row, v[0]);
    _mm256_store_si256((__m256i *)(row + 8), v[1]);
}

static inline __attribute__((always_inline)) void epilogue_put_floats(const __m256 v[2],
                                                                      uint32_t oc, bool half,
                                                                      bool apart, int32_t *row,
                                                                      uint8_t *y) {
    __m256i bits[2] = {_mm256_castps_si256(v[0]), _mm256_castps_si256(v[1])};
    if (half) bits[0] = epilogue_bf16(v[0]), bits[1] = epilogue_bf16(v[1]);
    epilogue_put(bits, oc, half ? 2 : 4, apart, row, y);
}

static inline __attribute__((always_inline)) void
epilogue_put_codes(__m128i codes, uint32_t oc, bool apart, int32_t *row, uint8_t *y) {
    if (OFTEN(!apart)) {
        store_bytes(y, codes, oc);
        return;
    }
    _mm256_store_si256((__m256i *)row, _mm256_cvtepu8_epi32(codes));
    _mm256_store_si256((__m256i *)(row + 8), _mm256_cvtepu8_epi32(_mm_srli_si128(codes, 8)));
}

/// `act` and `from` are constants where this is called; so is `codes` of a plain epilogue:
/// epilogue_is_int8.
static inline __attribute__((always_inline)) void epilogue_rows(const epilogue_tile *t,
                                                                const quernel_i_epilogue *f,
                                                                const epilogue_residual *x, int act,
                                                                int from, bool codes) {
    const bool plain = from & EPILOGUE_PLAIN, joins = plain && codes;
    const epilogue_columns c[2] = {epilogue_columns_at(f, t->n, act, from, joins),
                                   epilogue_columns_at(f, t->n + 8, act, from, joins)};
    const bool apart = !joins && f->y_col != (ptrdiff_t)epilogue_size(f->out);
    const bool adds = !plain && x->at, half = !plain && f->out == QUERNEL_TYPE_BF16;
    const uint32_t n = t->n, rows = t->rows, oc = t->oc;
    const ptrdiff_t y_row = f->y_row;
    epilogue_hswish h[2];
    if (act == QUERNEL_I_ACT_HSWISH)
        h[0] = epilogue_hswish_at(f, n, oc),
        h[1] = epilogue_hswish_at(f, n + 8, oc < 8 ? 0 : oc - 8);
    uint8_t *y = epilogue_y(t, f);
    int32_t *acc = t->acc;
    for (uint32_t r = 0; r < rows; r++, y += y_row, acc += EPILOGUE_NR) {
        __m256 v[2];
        epilogue_values(acc, t->m + r, f, c, from, v);
        if (from == EPILOGUE_SUMS && adds && !f->residual_last) epilogue_add(v, x, r, n, f);
        if (!joins) v[0] = epilogue_act(v[0], f, n, act), v[1] = epilogue_act(v[1], f, n + 8, act);
        if (adds && f->residual_last) epilogue_add(v, x, r, n, f);
        if (act == QUERNEL_I_ACT_HSWISH) {
            v[0] = epilogue_hswish_of(v[0], &h[0]);
            v[1] = epilogue_hswish_of(v[1], &h[1]);
        }
        if (!plain && RARE(f->out_scale)) {
            v[0] = _mm256_mul_ps(v[0], _mm256_loadu_ps(f->out_scale + n));
            v[1] = _mm256_mul_ps(v[1], _mm256_loadu_ps(f->out_scale + n + 8));
        }
        if (OFTEN(codes))
            epilogue_put_codes(epilogue_codes(v, c, joins && epilogue_bounds(act), f->q_zero), oc,
                               apart, acc, y);
        else epilogue_put_floats(v, oc, half, apart, acc, y);
    }
    if (apart) epilogue_store(t, f);
}

// What goes into a function, as floats in the tile.
static inline void epilogue_keep_values(const epilogue_tile *t, const quernel_i_epilogue *f,
                                        const epilogue_residual *x) {
    const epilogue_columns c[2] = {
        epilogue_columns_at(f, t->n, QUERNEL_I_ACT_NONE, EPILOGUE_SUMS, false),
        epilogue_columns_at(f, t->n + 8, QUERNEL_I_ACT_NONE, EPILOGUE_SUMS, false)};
    for (uint32_t r = 0; r < t->rows; r++) {
        __m256 v[2];
        int32_t *acc = t->acc + r * EPILOGUE_NR;
        epilogue_values(acc, t->m + r, f, c, EPILOGUE_SUMS, v);
        if (x->at && !f->residual_last) epilogue_add(v, x, r, t->n, f);
        _mm256_store_ps((float *)(void *)acc, v[0]);
        _mm256_store_ps((float *)(void *)(acc + 8), v[1]);
    }
}

// Whether values become f32, or contiguous int8, without a factor.
static inline bool epilogue_ends_plain(const quernel_i_epilogue *f) {
    return ((epilogue_is_int8(f) && f->y_col == 1) || f->out == QUERNEL_TYPE_F32) && !f->out_scale;
}

/// Whether the call is plain: f32, or contiguous int8, with only scale, bias and none, ReLU or
/// clamp, or codes of hard-swish, or what lines_run takes.
static inline bool epilogue_is_plain(const quernel_i_epilogue *f) {
    if (lines_fit(f)) return true;
    if (f->row_term[0] || f->row_term[1] || f->row_scale) return false;
    if (f->act == QUERNEL_I_ACT_HSWISH)
        return epilogue_is_int8(f) && f->y_col == 1 && hswish_fits(f);
    return epilogue_ends_plain(f) && !f->residual && function_is_clamp(f->act);
}

/// What follows the function of a tile's floats.
static inline void epilogue_end(const epilogue_tile *t, const quernel_i_epilogue *f,
                                const epilogue_residual *x) {
    enum { PLAIN = EPILOGUE_VALUES | EPILOGUE_PLAIN };
    const bool codes = epilogue_is_int8(f);
    if (!epilogue_ends_plain(f) || (x->at && f->residual_last))
        epilogue_rows(t, f, x, QUERNEL_I_ACT_NONE, EPILOGUE_VALUES, codes);
    else if (codes) epilogue_rows(t, f, x, QUERNEL_I_ACT_NONE, PLAIN, true);
    else if (f->y_col == 4) epilogue_rows(t, f, x, QUERNEL_I_ACT_NONE, PLAIN, false);
    else epilogue_store(t, f);
}

/// Any options, but out is not S32. `from` is a constant where this is called.
static inline __attribute__((always_inline)) void epilogue_any(const epilogue_tile *t,
                                                               const quernel_i_epilogue *f,
                                                               const epilogue_residual *x,
                                                               int from) {
    const bool codes = epilogue_is_int8(f);
    if (function_is(f->act)) {
        if (from == EPILOGUE_SUMS) epilogue_keep_values(t, f, x);
        function_apply(f->act, epilogue_floats(t), t->rows * EPILOGUE_NR, 8);
        epilogue_end(t, f, x);
    } else if (f->act == QUERNEL_I_ACT_RELU) {
        epilogue_rows(t, f, x, QUERNEL_I_ACT_RELU, from, codes);
    } else if (f->act == QUERNEL_I_ACT_CLAMP) {
        epilogue_rows(t, f, x, QUERNEL_I_ACT_CLAMP, from, codes);
    } else if (f->act == QUERNEL_I_ACT_PRELU) {
        epilogue_rows(t, f, x, QUERNEL_I_ACT_PRELU, from, codes);
    } else {
        epilogue_rows(t, f, x, QUERNEL_I_ACT_NONE, from, codes);
    }
}

// Sums are the output.
static inline void epilogue_run_sums(const epilogue_tile *t, const quernel_i_epilogue *f,
                                     const epilogue_residual *x) {
    uint8_t *y = epilogue_y(t, f);
    const bool apart = f->y_col != 4;
    for (uint32_t r = 0; r < t->rows; r++, y += f->y_row) {
        int32_t *acc = t->acc + r * EPILOGUE_NR;
        const __m256i *z = (const __m256i *)(const void *)(x->at + (ptrdiff_t)r * x->row);
        __m256i sum[2] = {_mm256_load_si256((__m256i *)acc), _mm256_load_si256((__m256i *)acc + 1)};
        for (int h = 0; x->at && h < 2; h++)
            sum[h] = _mm256_add_epi32(sum[h], _mm256_loadu_si256(z + h));
        epilogue_put(sum, t->oc, 4, apart, acc, y);
    }
    if (apart) epilogue_store(t, f);
}

// Whatever is not plain. Not inline: what it needs of the stack and the registers would cost plain
// epilogues 15 %. Element-wise kernels do not use it.
static __attribute__((noinline, unused)) void epilogue_options(const epilogue_tile *t,
                                                               const quernel_i_epilogue *f) {
    uint8_t gathered[EPILOGUE_ROWS_MAX * EPILOGUE_NR * 4] __attribute__((aligned(32)));
    const epilogue_residual x = epilogue_residual_of(t, f, gathered);
    for (int i = 0; i < 2; i++)
        if (f->row_term[i]) epilogue_terms(t, f->row_term[i], f->col_term[i]);
    if (f->out == QUERNEL_TYPE_S32) epilogue_run_sums(t, f, &x);
    else epilogue_any(t, f, &x, EPILOGUE_SUMS);
}

static inline __attribute__((always_inline)) void
epilogue_plain(const epilogue_tile *t, const quernel_i_epilogue *f, int act) {
    if (epilogue_is_int8(f)) epilogue_rows(t, f, NULL, act, EPILOGUE_PLAIN, true);
    else epilogue_rows(t, f, NULL, act, EPILOGUE_PLAIN, false);
}

/// The epilogue of a tile. `plain` is epilogue_is_plain(f), asked once per call.
static inline void epilogue_run(const epilogue_tile *t, const quernel_i_epilogue *f, bool plain) {
    if (!plain) epilogue_options(t, f);
    else if (lines_are(f))
        lines_run(&(lines_tile){t->acc, EPILOGUE_NR, t->rows, t->oc, t->m, t->n}, f, false);
    else if (f->act == QUERNEL_I_ACT_RELU) epilogue_plain(t, f, QUERNEL_I_ACT_RELU);
    else if (f->act == QUERNEL_I_ACT_CLAMP) epilogue_plain(t, f, QUERNEL_I_ACT_CLAMP);
    else if (f->act == QUERNEL_I_ACT_HSWISH)
        epilogue_rows(t, f, NULL, QUERNEL_I_ACT_HSWISH, EPILOGUE_PLAIN, true);
    else epilogue_plain(t, f, QUERNEL_I_ACT_NONE);
}

/// What follows the sums, of a tile that holds floats.
static inline void epilogue_run_values(const epilogue_tile *t, const quernel_i_epilogue *f) {
    const epilogue_residual none = {NULL, 0};
    epilogue_any(t, f, &none, EPILOGUE_VALUES);
}

#endif
