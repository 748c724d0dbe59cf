// SPDX-License-Identifier: Apache-2.0
// What becomes of sums that have left their tiles: a block's lie in L1 while the next one is
// multiplied, and in each step of that one a part of them becomes output. Products of steps ahead
// keep the tile unit busy only while they are among the operations that the core looks at, 512 or
// half of them: so a part is small, and the loop over the steps keeps its state in registers.
#ifndef QUERNEL_AMXINT8_OUTPUT_H
#define QUERNEL_AMXINT8_OUTPUT_H

#include "kernels/x86/avx512vnni/finish.h"

enum { CODES_ROWS = 2, LINES_OC = 16 };

/// How a call's sums become output.
typedef enum output_way {
    OUTPUT_CODES, // finish.h, CODES_ROWS a part
    OUTPUT_LINES, // lines.h, LINES_OC a part
    OUTPUT_ANY    // epilogue.h, EPILOGUE_MR rows a part
} output_way;

/// Of a call.
typedef struct output_call {
    const quernel_i_epilogue *f;
    finish finish;
    output_way way;
    bool plain;     // as epilogue_is_plain
    uint32_t pitch; // rows from one pair of tiles of output channels to the next
} output_call;

/// A block's sums, as far as they are not output.
typedef struct output {
    int32_t *sums;     // [pairs of tiles][pitch][EPILOGUE_NR]
    uint32_t m, n;     // the first row and output channel within the call
    uint32_t rows, oc; // that are left
    uint32_t channel;  // of lines: the first one that is left
    output_way way;
} output;

enum { OUTPUT_PARTS_MAX = 64 }; // more than any block has

static inline uint32_t min(uint32_t a, uint32_t b) { return a < b ? a : b; }

/// Chooses the way of a call; `pitch`: rows of a block.
static inline void output_call_of(output_call *c, const quernel_i_gemm *g, uint32_t pitch) {
    const quernel_i_epilogue *f = g->epilogue;
    c->f = f, c->pitch = pitch, c->plain = epilogue_is_plain(f);
    c->way = lines_fit(f) ? OUTPUT_LINES : OUTPUT_ANY;
    if ((c->plain || finish_adds(f, g->oc)) && finish_fits(f, g->oc)) {
        c->way = OUTPUT_CODES;
        c->finish = finish_of(f);
    }
}

/// Parts of a block.
static inline uint32_t output_parts(const output_call *c, uint32_t rows, uint32_t oc) {
    if (c->way == OUTPUT_LINES) return (oc + LINES_OC - 1) / LINES_OC;
    const uint32_t part = c->way == OUTPUT_CODES ? CODES_ROWS : EPILOGUE_MR;
    return (rows + part - 1) / part;
}

/// Chooses the way of a block: codes leave registers by whole tiles.
static inline void output_begin(const output_call *c, output *o) {
    o->channel = 0;
    o->way = c->way == OUTPUT_CODES && o->oc % LANES ? OUTPUT_ANY : c->way;
}

// Rows of up to 32 output channels, two at a time; the last one of an odd number goes twice. `kind`
// is a constant, as is `wide`: whether there are two tiles of output channels.
static inline __attribute__((always_inline)) void output_pairs(const output_call *c,
                                                               finish_kind kind, bool wide,
                                                               const int32_t *sums, uint32_t m,
                                                               uint32_t n, uint32_t rows) {
    const quernel_i_epilogue *f = c->f;
    const finish_columns of = finish_columns_at(f, n);
    // copies, which no store could change
    const uint32_t second = wide ? LANES : 0;
    const __m512 scale[2] = {_mm512_loadu_ps(of.scale), _mm512_loadu_ps(of.scale + second)},
                 bias[2] = {_mm512_loadu_ps(of.bias), _mm512_loadu_ps(of.bias + second)};
    const finish_columns columns = {(const float *)scale, (const float *)bias, of.r_scale};
    const ptrdiff_t y_row = f->y_row, r_row = kind == FINISH_RESIDUAL ? f->r_row : 0;
    const uint8_t *r = finish_residual(f, m, n);
    uint8_t *y = (uint8_t *)f->y + (ptrdiff_t)m * y_row + n;
    const __m512i *at = (const __m512i *)(const void *)sums;
    for (uint32_t row = 0; row < rows; row += 2) {
        const bool two = row + 1 < rows;
        const __m512i *next = at + (two ? EPILOGUE_NR / LANES : 0);
        const finish_rows to = {y, y + (two ? y_row : 0), r, r + (two ? r_row : 0)};
        if (wide) finish_two(&c->finish, kind, at[0], at[1], next[0], next[1], &columns, &to);
        else finish_single(&c->finish, kind, at[0], next[0], &columns, &to);
        at += 2 * (EPILOGUE_NR / LANES), y += 2 * y_row, r += 2 * r_row;
    }
}

static inline __attribute__((always_inline)) void
output_kind(const output_call *c, finish_kind kind, const output *o, uint32_t rows) {
    for (uint32_t p = 0; p < o->oc; p += EPILOGUE_NR) {
        const int32_t *sums = o->sums + p * c->pitch;
        if (o->oc - p > LANES) output_pairs(c, kind, true, sums, o->m, o->n + p, rows);
        else output_pairs(c, kind, false, sums, o->m, o->n + p, rows);
    }
}

// The next rows. Not inline, as the following: they would keep registers from the loop over the
// steps. Its own copy of `o` leaves the caller's there.
static __attribute__((noinline)) void output_codes(const output_call *c, int32_t *sums, uint32_t m,
                                                   uint32_t n, uint32_t oc, uint32_t rows) {
    const output o = {.sums = sums, .m = m, .n = n, .oc = oc};
    if (c->finish.kind == FINISH_BARE) output_kind(c, FINISH_BARE, &o, rows);
    else if (c->finish.kind == FINISH_CODES) output_kind(c, FINISH_CODES, &o, rows);
    else output_kind(c, FINISH_RESIDUAL, &o, rows);
}

static __attribute__((noinline)) void output_any(const output_call *c, const output *o,
                                                 uint32_t rows) {
    for (uint32_t r = 0; r < rows; r += EPILOGUE_MR)
        for (uint32_t p = 0; p < o->oc; p += EPILOGUE_NR) {
            int32_t *sums = o->sums + p * c->pitch + r * EPILOGUE_NR;
            const epilogue_tile t = {sums, min(rows - r, EPILOGUE_MR), min(o->oc - p, EPILOGUE_NR),
                                     o->m + r, o->n + p};
            epilogue_run(&t, c->f, c->plain);
        }
}

// The next output channels of all rows.
static __attribute__((noinline)) void output_lines(const output_call *c, const output *o,
                                                   uint32_t oc) {
    const uint32_t n = o->channel;
    const int32_t *sums = o->sums + n / EPILOGUE_NR * c->pitch * EPILOGUE_NR + n % EPILOGUE_NR;
    lines_run(&(lines_tile){sums, EPILOGUE_NR, o->rows, oc, o->m, o->n + n}, c->f, false);
}

static inline __attribute__((always_inline)) void output_rows(const output_call *c, output *o,
                                                              uint32_t rows) {
    rows = min(rows, o->rows);
    if (!rows) return;
    if (o->way == OUTPUT_CODES) output_codes(c, o->sums, o->m, o->n, o->oc, rows);
    else {
        const output copy = *o;
        output_any(c, &copy, rows);
    }
    o->sums += rows * EPILOGUE_NR, o->m += rows, o->rows -= rows;
}

// Those of a pair of tiles at once.
static inline __attribute__((always_inline)) void output_channels(const output_call *c, output *o,
                                                                  uint32_t oc) {
    oc = min(oc, o->oc - o->channel);
    for (uint32_t some; oc; oc -= some, o->channel += some) {
        const output copy = *o;
        some = min(oc, EPILOGUE_NR - o->channel % EPILOGUE_NR);
        output_lines(c, &copy, some);
    }
}

static inline void output_fetch_line(const uint8_t *y) {
    __asm__ volatile("prefetchw (%0)" ::"r"(y));
}

/// Asks for the cache lines of a block that will be output, where L2 does not hold them.
static inline __attribute__((always_inline)) void output_fetch(const output_call *c,
                                                               const output *o) {
    if (!c->f->past_caches || o->way == OUTPUT_ANY) return;
    const ptrdiff_t row = c->f->y_row, col = c->f->y_col;
    const uint8_t *y = (const uint8_t *)c->f->y + (ptrdiff_t)o->m * row + (ptrdiff_t)o->n * col;
    if (o->way == OUTPUT_CODES)
        for (uint32_t r = 0; r < o->rows; r++, y += row) output_fetch_line(y);
    else
        for (uint32_t n = 0; n < o->oc; n++, y += col)
            for (ptrdiff_t at = 0; at < o->rows * row; at += 64) output_fetch_line(y + at);
}

/// Outputs up to `parts` of a block.
static inline __attribute__((always_inline)) void output_some(const output_call *c, output *o,
                                                              uint32_t parts) {
    if (o->way == OUTPUT_CODES) output_rows(c, o, parts * CODES_ROWS);
    else if (o->way == OUTPUT_ANY) output_rows(c, o, parts * EPILOGUE_MR);
    else output_channels(c, o, parts * LINES_OC);
}

#endif
