// SPDX-License-Identifier: Apache-2.0
// GEMM of up to four output channels: lanes are k, where other kernels multiply 16 output channels
// of which most are padding. A template for any instruction set; who includes it has an epilogue.h
// before it and defines
//   DOT_VECTOR, DOT_LANES              a vector, and its 32-bit lanes, which are 4·DOT_LANES k
//   MULTIPLY(x, w, acc)                acc += four products of bytes in each lane
//   dots_of(from), dots_some(from, n)  a vector of memory; its first n lanes, else zeros
//   dots_start(x)                      a vector whose lanes' sum is x
//   NARROW_SUMS                        sums of the largest tile, a multiple of DOT_LANES
//   add_up(to, v)                      to[i] = the sum of the lanes of v[i], of NARROW_SUMS vectors
// and says NARROW_TILE(rows, oc) for one row and for the rows of a tile, by 1 … 4 output channels.
//
// Sums of a few rows are as many as of one row of many output channels: where y is dense, the
// epilogue takes them as such rows, with tables that repeat.
//
// Weights: [16 oc][k], the oc whole cache lines apart.
#include <string.h>

#include "kernels/template/rows.h"
#include "kernels/ukr.h"

#if !defined DOT_LANES || !defined NARROW_SUMS || NARROW_SUMS % DOT_LANES != 0
#error "DOT_LANES, NARROW_SUMS: 32-bit lanes of a vector, and sums of a tile"
#endif
#ifndef MULTIPLY
#error "MULTIPLY: adds four products to each lane"
#endif

enum {
    NARROW_NR = 4,
    NARROW_PANEL = 16,
    NARROW_ROWS = 16,         // of the epilogue's tile
    NARROW_QUADS = DOT_LANES, // of k, in a vector
};

static inline size_t narrow_pitch(uint32_t k_quads) { return ((size_t)k_quads * 4 + 63) / 64 * 64; }

static inline void narrow_prepare(const int8_t *panel, uint32_t k_quads, uint8_t *to) {
    for (uint32_t g = 0; g < k_quads; g++)
        for (uint32_t n = 0; n < NARROW_PANEL; n++, panel += 4)
            memcpy(to + n * narrow_pitch(k_quads) + g * 4, panel, 4);
}

#define NARROW_AT_0(p) p
#define NARROW_AT_1(p) p + s
#define NARROW_AT_2(p) p + 2 * s
#define NARROW_AT_3(p) p + s3
#define NARROW_AT_4(p) p + 4 * s

#define OF_1(op, r) op(r, 0)
#define OF_2(op, r) OF_1(op, r) op(r, 1)
#define OF_3(op, r) OF_2(op, r) op(r, 2)
#define OF_4(op, r) OF_3(op, r) op(r, 3)
#define START_CELL(r, c) DOT_VECTOR s##r##_##c = start##c;
#define DOT_CELL(r, c) MULTIPLY(x, w##c, s##r##_##c);
#define START_COLUMN(r, c) const DOT_VECTOR start##c = dots_start(init[c]);
#define LOAD_COLUMN(r, c) const DOT_VECTOR w##c = dots_of(b + c * pitch);
#define START_ROW(r, p, times, oc) OF_##oc(START_CELL, r)
#define DOT_ROW(r, p, times, oc)                            \
    {                                                       \
        const DOT_VECTOR x = dots_of(NARROW_AT_##times(p)); \
        OF_##oc(DOT_CELL, r)                                \
    }
#define DOT_ROW_SOME(r, p, times, oc)                               \
    {                                                               \
        const DOT_VECTOR x = dots_some(NARROW_AT_##times(p), left); \
        OF_##oc(DOT_CELL, r)                                        \
    }

#define NAME_CELL(r, c) s##r##_##c,
#define NAME_ROW(r, p, times, oc) OF_##oc(NAME_CELL, r)

// to[rows][oc] = init + rows·weights; NARROW_SUMS elements are written.
#define NARROW_TILE(rows, oc)                                                                     \
    static void narrow_##rows##_##oc(const quernel_i_gemm *g, const uint8_t *a, const uint8_t *b, \
                                     const int32_t *init, int32_t *to) {                          \
        const ptrdiff_t s = g->a_row, s3 = 3 * s;                                                 \
        (void)s3;                                                                                 \
        const size_t pitch = narrow_pitch(g->k_quads);                                            \
        OF_##oc(START_COLUMN, 0) ROWS_##rows(                                                     \
            START_ROW, oc) for (const quernel_i_k_run *run = g->k_runs, *end = run + g->n_k_runs; \
                                run != end; run++) {                                              \
            const uint8_t *p0 = a + run->offset, *p5 = p0 + 5 * s, *p10 = p5 + 5 * s,             \
                          *p15 = p10 + 5 * s;                                                     \
            uint32_t left = run->k_quads;                                                         \
            for (; left >= NARROW_QUADS; left -= NARROW_QUADS, b += 4 * NARROW_QUADS) {           \
                OF_##oc(LOAD_COLUMN, 0) ROWS_##rows(DOT_ROW, oc) p0 += 4 * NARROW_QUADS,          \
                    p5 += 4 * NARROW_QUADS, p10 += 4 * NARROW_QUADS, p15 += 4 * NARROW_QUADS;     \
                __asm__("" : "+r"(p0), "+r"(p5), "+r"(p10), "+r"(p15));                           \
            }                                                                                     \
            if (left) {                                                                           \
                OF_##oc(LOAD_COLUMN, 0) ROWS_##rows(DOT_ROW_SOME, oc) b += left * 4;              \
            }                                                                                     \
        }                                                                                         \
        const DOT_VECTOR sums[NARROW_SUMS] = {ROWS_##rows(NAME_ROW, oc)};                         \
        add_up(to, sums);                                                                         \
    }

typedef void narrow_tile(const quernel_i_gemm *, const uint8_t *, const uint8_t *, const int32_t *,
                         int32_t *);
/// Tiles of so many rows by an output channel count.
typedef struct narrow_tiles {
    narrow_tile *one, *all;
    uint32_t rows;
} narrow_tiles;

// Rows whose sums are one row of the epilogue's tile.
static inline uint32_t narrow_joined(const narrow_tiles *tiles, uint32_t oc) {
    return EPILOGUE_NR / oc / tiles->rows * tiles->rows;
}

/// Sums in rows of the epilogue's tile, each of which has those of `rows` rows side by side.
typedef struct narrow_sums {
    int32_t *at;
    uint32_t rows;
} narrow_sums;

static inline int32_t *narrow_at(const narrow_sums *t, uint32_t m, uint32_t oc) {
    return t->at + m / t->rows * EPILOGUE_NR + m % t->rows * oc;
}

// `rows` rows from `a` on. The last tile begins early, where there are rows enough.
static inline void narrow_multiply(const quernel_i_gemm *g, const narrow_tiles *tiles,
                                   const uint8_t *a, const uint8_t *b, uint32_t rows, uint32_t oc,
                                   const int32_t *init, const narrow_sums *to) {
    uint32_t m = 0;
    int32_t sums[NARROW_SUMS];
    for (; rows - m >= tiles->rows; m += tiles->rows)
        tiles->all(g, a + (ptrdiff_t)m * g->a_row, b, init, narrow_at(to, m, oc));
    const uint32_t left = rows - m, counted = tiles->rows - left;
    if (left && m) {
        tiles->all(g, a + (ptrdiff_t)(m - counted) * g->a_row, b, init, sums);
        memcpy(narrow_at(to, m, oc), sums + counted * oc, (size_t)left * oc * sizeof *sums);
        return;
    }
    for (; m < rows; m++) {
        tiles->one(g, a + (ptrdiff_t)m * g->a_row, b, init, sums);
        memcpy(narrow_at(to, m, oc), sums, oc * sizeof *sums);
    }
}

/// An epilogue whose tables repeat.
typedef struct narrow_epilogue {
    quernel_i_epilogue f;
    float tables[7][EPILOGUE_NR];
} narrow_epilogue;

// Elements of a row side by side, and rows.
static inline bool narrow_is_dense(ptrdiff_t row, ptrdiff_t col, uint32_t oc, int32_t type) {
    const ptrdiff_t size = type == QUERNEL_TYPE_S8 || type == QUERNEL_TYPE_U8 ? 1
                           : type == QUERNEL_TYPE_BF16                        ? 2
                                                                              : 4;
    return row == size * (ptrdiff_t)oc && (col == size || oc == 1);
}

static inline bool narrow_repeats(const quernel_i_epilogue *f, uint32_t oc) {
    return oc <= NARROW_NR && narrow_is_dense(f->y_row, f->y_col, oc, f->out) &&
           (!f->residual || narrow_is_dense(f->r_row, f->r_col, oc, f->r_type)) &&
           !f->row_term[0] && !f->row_term[1] && !f->row_scale;
}

static inline void narrow_repeat(narrow_epilogue *to, const quernel_i_epilogue *f, uint32_t oc,
                                 uint32_t rows) {
    to->f = *f;
    const float **const tables[7] = {&to->f.scale,  &to->f.bias,    &to->f.slope,    &to->f.act_lo,
                                     &to->f.act_hi, &to->f.r_scale, &to->f.out_scale};
    for (int i = 0; i < 7; i++) {
        if (!*tables[i]) continue;
        for (uint32_t n = 0, c = 0; n < EPILOGUE_NR; n++, c = c + 1 < oc ? c + 1 : 0)
            to->tables[i][n] = (*tables[i])[c];
        *tables[i] = to->tables[i];
    }
    to->f.y_col = f->y_row / (ptrdiff_t)oc, to->f.r_col = f->r_row / (ptrdiff_t)oc;
    to->f.y_row = f->y_row * (ptrdiff_t)rows, to->f.r_row = f->r_row * (ptrdiff_t)rows;
}

// All rows, their sums as rows of many output channels.
static inline void narrow_dense(const quernel_i_gemm *g, const narrow_tiles *tiles) {
    int32_t acc[NARROW_ROWS * EPILOGUE_NR + NARROW_SUMS] __attribute__((aligned(64)));
    const uint32_t joined = narrow_joined(tiles, g->oc);
    narrow_epilogue e;
    narrow_repeat(&e, g->epilogue, g->oc, joined);
    const bool plain = epilogue_is_plain(&e.f);
    for (uint32_t m = 0, rows; m < g->rows; m += rows) {
        rows = g->rows - m < NARROW_ROWS * joined ? g->rows - m : NARROW_ROWS * joined;
        narrow_multiply(g, tiles, (const uint8_t *)g->a + (ptrdiff_t)m * g->a_row, g->b, rows,
                        g->oc, g->init, &(narrow_sums){acc, joined});
        const uint32_t whole = rows / joined, rest = rows % joined, at = m / joined;
        if (whole) epilogue_run(&(epilogue_tile){acc, whole, joined * g->oc, at, 0}, &e.f, plain);
        if (rest)
            epilogue_run(
                &(epilogue_tile){acc + whole * EPILOGUE_NR, 1, rest * g->oc, at + whole, 0}, &e.f,
                plain);
    }
}

// acc[rows][…] of up to four output channels: each row to a row of the epilogue's tile.
static inline void narrow_spread(const quernel_i_gemm *g, const narrow_tiles *tiles,
                                 const uint8_t *a, const uint8_t *b, uint32_t rows, uint32_t oc,
                                 const int32_t *init, int32_t *acc) {
    int32_t sums[NARROW_ROWS * EPILOGUE_NR + NARROW_SUMS];
    const narrow_sums to = {sums, narrow_joined(tiles, oc)};
    narrow_multiply(g, tiles, a, b, rows, oc, init, &to);
    for (uint32_t r = 0; r < rows; r++, acc += EPILOGUE_NR)
        memcpy(acc, narrow_at(&to, r, oc), NARROW_NR * sizeof *acc);
}

// Up to NARROW_ROWS rows, 16 output channels at a time.
static inline void narrow_apart(const quernel_i_gemm *g, const narrow_tiles tiles[NARROW_NR],
                                uint32_t m, uint32_t rows, bool plain) {
    int32_t acc[NARROW_ROWS * EPILOGUE_NR] __attribute__((aligned(64)));
    const uint8_t *a = (const uint8_t *)g->a + (ptrdiff_t)m * g->a_row;
    for (uint32_t n = 0; n < g->oc; n += NARROW_PANEL) {
        const uint8_t *b = (const uint8_t *)g->b + n / NARROW_PANEL * g->b_panel;
        const uint32_t oc = g->oc - n < NARROW_PANEL ? g->oc - n : NARROW_PANEL;
        for (uint32_t c = 0; c < oc; c += NARROW_NR) {
            const uint32_t some = oc - c < NARROW_NR ? oc - c : NARROW_NR;
            narrow_spread(g, tiles + some - 1, a, b + c * narrow_pitch(g->k_quads), rows, some,
                          g->init + n + c, acc + c);
        }
        epilogue_run(&(epilogue_tile){acc, rows, oc, m, n}, g->epilogue, plain);
    }
}

static inline void narrow_run(const quernel_i_gemm *g, const narrow_tiles tiles[NARROW_NR]) {
    if (narrow_repeats(g->epilogue, g->oc)) {
        narrow_dense(g, tiles + g->oc - 1);
        return;
    }
    const bool plain = epilogue_is_plain(g->epilogue);
    for (uint32_t m = 0; m < g->rows; m += NARROW_ROWS)
        narrow_apart(g, tiles, m, g->rows - m < NARROW_ROWS ? g->rows - m : NARROW_ROWS, plain);
}
