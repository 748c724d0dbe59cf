// SPDX-License-Identifier: Apache-2.0
// Look-ups for AVX2: 256 codes in 16 tables of 16, one for each upper nibble.
//
// vpshufb gives 0 for an index below 0. So with i = x mod 128, table k of half the codes is looked
// up with i − 16·k, and counts for all codes from 16·k on: it holds the difference (exclusive or)
// to the table before it, and all that count are joined. The upper bit of x chooses between the
// halves. For 32 bytes that is 16 vpshufb among 39 vector operations: 16 cycles where shuffles have
// one port, 10 to 13 where they have two.
//
// Rows to columns: 16 x 16 bytes in registers (turn.h).
#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#include "kernels/template/lookup.h"
#include "turn.h"

enum { NIBBLES = 8, TILE = TURN_LINES /* bytes of a table too */ };
// bytes of a line of its own table from which on making differences pays
enum { PAYS = 96 };

// Of each half of the codes.
typedef struct differences {
    __m256i lower[NIBBLES], upper[NIBBLES];
} differences;

static differences differences_of(const uint8_t *table) {
    differences d;
    for (int half = 0; half < 2; half++) {
        __m256i before = _mm256_setzero_si256(), *to = half ? d.upper : d.lower;
        for (int i = 0; i < NIBBLES; i++, table += TILE) {
            const __m256i v = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table));
            to[i] = _mm256_xor_si256(v, before);
            before = v;
        }
    }
    return d;
}

static inline __attribute__((always_inline)) __m256i look_up(const differences *d, __m256i x) {
    __m256i index = _mm256_and_si256(x, _mm256_set1_epi8(0x7f));
    __m256i lower = _mm256_shuffle_epi8(d->lower[0], index),
            upper = _mm256_shuffle_epi8(d->upper[0], index);
#pragma GCC unroll 7
    for (int i = 1; i < NIBBLES; i++) {
        index = _mm256_sub_epi8(index, _mm256_set1_epi8(TILE));
        lower = _mm256_xor_si256(lower, _mm256_shuffle_epi8(d->lower[i], index));
        upper = _mm256_xor_si256(upper, _mm256_shuffle_epi8(d->upper[i], index));
    }
    return _mm256_blendv_epi8(lower, upper, x);
}

static void line_by_vectors(const differences *d, const uint8_t *x, uint8_t *y, uint32_t count) {
    uint32_t i = 0;
    for (; i + 32 <= count; i += 32)
        _mm256_storeu_si256((__m256i *)(y + i),
                            look_up(d, _mm256_loadu_si256((const __m256i *)(x + i))));
    if (i == count) return;
    uint8_t part[32] = {0};
    memcpy(part, x + i, count - i);
    _mm256_storeu_si256((__m256i *)part, look_up(d, _mm256_loadu_si256((const __m256i *)part)));
    memcpy(y + i, part, count - i);
}

// A table for all columns of a row.
static void run_tables(const quernel_i_lookup *l) {
    differences d = differences_of(l->table);
    for (uint32_t m = 0; m < l->rows; m++) {
        if (m && l->table_row) d = differences_of(l->table + (ptrdiff_t)m * l->table_row);
        line_by_vectors(&d, l->x + (ptrdiff_t)m * l->x_row, l->y + (ptrdiff_t)m * l->y_row,
                        l->columns);
    }
}

static void run_lines(const quernel_i_lookup *l) {
    if (l->table && !l->table_col && (!l->table_row || l->columns >= PAYS)) {
        run_tables(l);
        return;
    }
    for (uint32_t m = 0; m < l->rows; m++)
        if (l->table) lookup_row(l, m);
        else memmove(l->y + (ptrdiff_t)m * l->y_row, l->x + (ptrdiff_t)m * l->x_row, l->columns);
}

// 16 x 16 bytes from (m, n) on; columns of x and rows of y lie side by side.
static void turn_tile(const quernel_i_lookup *l, const differences *d, uint32_t m, uint32_t n) {
    const uint8_t *x = l->x + (ptrdiff_t)m * l->x_row + n;
    uint8_t *y = l->y + m + (ptrdiff_t)n * l->y_col;
    __m128i v[TILE];
    for (int i = 0; i < TILE; i++, x += l->x_row) v[i] = _mm_loadu_si128((const __m128i *)x);
    for (int i = 0; l->table && i < TILE; i += 2) {
        const __m256i two = look_up(d, _mm256_set_m128i(v[i + 1], v[i]));
        v[i] = _mm256_castsi256_si128(two), v[i + 1] = _mm256_extracti128_si256(two, 1);
    }
    turn_16x16(v);
    for (int i = 0; i < TILE; i++, y += l->y_col) _mm_storeu_si128((__m128i *)y, v[i]);
}

// What is left of the whole tiles: rows from `m` on, of the columns from `n` on.
static void rest(const quernel_i_lookup *l, uint32_t m, uint32_t n) {
    quernel_i_lookup part = *l;
    part.x += (ptrdiff_t)m * l->x_row + n * l->x_col;
    part.y += (ptrdiff_t)m * l->y_row + (ptrdiff_t)n * l->y_col;
    part.columns -= n;
    for (uint32_t i = 0; i < l->rows - m; i++) lookup_row(&part, i);
}

static void run_turned(const quernel_i_lookup *l) {
    const differences d = l->table ? differences_of(l->table) : (differences){0};
    const uint32_t columns = l->columns / TILE * TILE;
    uint32_t m = 0;
    for (; m + TILE <= l->rows; m += TILE) {
        for (uint32_t n = 0; n < columns; n += TILE) turn_tile(l, &d, m, n);
        quernel_i_lookup lines = *l;
        lines.rows = m + TILE;
        if (columns < l->columns) rest(&lines, m, columns);
    }
    rest(l, m, 0);
}

void quernel_uk_lookup_u8_1x32x1_avx2(const quernel_i_lookup *l);
void quernel_uk_lookup_u8_1x32x1_avx2(const quernel_i_lookup *l) {
    const bool one = !l->table_row && !l->table_col; // table for all
    if (l->x_col == 1 && l->y_col == 1) {
        run_lines(l);
    } else if (one && l->x_col == 1 && l->y_row == 1) {
        run_turned(l);
    } else if (one && l->x_row == 1 && l->y_col == 1) {
        const quernel_i_lookup other = {l->x,       l->x_col, l->x_row, l->y, l->y_col, l->y_row,
                                        l->columns, l->rows,  l->table, 0,    0};
        run_turned(&other);
    } else {
        rest(l, 0, 0);
    }
}
