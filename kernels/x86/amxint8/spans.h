// SPDX-License-Identifier: Apache-2.0
// The steps of a call on tiles: 16 quads of k each, through the quads of all runs in order. Those
// that a run covers are read in place; where runs end within a step, its bytes of all rows of a
// block are gathered into scratch first, once for all output channels. The last step may begin
// early: what was counted before is zero in its rows. So any run lengths take quads/16 steps. Steps
// side by side that are read alike are a span.
#ifndef QUERNEL_AMXINT8_SPANS_H
#define QUERNEL_AMXINT8_SPANS_H

#include <immintrin.h>
#include <stdbool.h>

#include "kernels/ukr.h"
#include "tile.h"

typedef struct span {
    ptrdiff_t at;    // bytes from a row's address, or from the beginning of its gathered row
    uint32_t k_quad; // the first quad of weights
    uint32_t steps;
    bool gathered;
    bool once; // the rows' lines will not be read again soon
} span;

// A step that is gathered: where its rows begin, in a run and quads into it, and the quads that an
// earlier step has counted.
typedef struct gathered_step {
    uint32_t run, skip, zeros;
} gathered_step;

typedef struct spans {
    const quernel_i_gemm *g;
    span *all, *end;
    gathered_step *gathered, *gathered_end;
    uint32_t steps;
    uint8_t *panel; // gathered rows
    ptrdiff_t panel_row;
} spans;

static inline uint32_t pieces(uint32_t total, uint32_t piece) {
    return (total + piece - 1) / piece;
}
static inline size_t lines(size_t bytes) { return (bytes + 63) / 64 * 64; }
// An odd number of cache lines keeps 16 gathered rows in different sets of L1.
static inline size_t panel_row(uint32_t steps) { return (size_t)(steps | 1) * TILE_BYTES; }

/// Bytes of scratch for blocks of `rows`.
static inline size_t spans_bytes(uint32_t k_quads, uint32_t rows) {
    const uint32_t steps = pieces(k_quads, TILE_K_QUADS);
    return lines(steps * sizeof(span)) + lines(steps * sizeof(gathered_step)) +
           rows * panel_row(steps);
}

// Steps that lie behind the last span become part of it.
static inline void add_span(spans *s, span more) {
    span *last = s->end - 1;
    if (s->end > s->all && last->gathered == more.gathered && last->once == more.once &&
        last->at + (ptrdiff_t)last->steps * TILE_BYTES == more.at &&
        last->k_quad + last->steps * TILE_K_QUADS == more.k_quad)
        last->steps += more.steps;
    else *s->end++ = more;
}

// Steps in place from a quad of k on: `l1_resident` divides those that stay from those that pass.
static inline void add_in_place(spans *s, ptrdiff_t at, uint32_t k_quad, uint32_t steps) {
    const quernel_i_gemm *g = s->g;
    const uint32_t stay = g->l1_resident ? g->l1_resident : g->k_quads;
    const bool all_pass = g->streamed == QUERNEL_I_STREAMED_ROWS;
    uint32_t some = steps;
    if (!all_pass && k_quad < stay) some = min(steps, pieces(stay - k_quad, TILE_K_QUADS));
    add_span(s, (span){at, k_quad, some, false, all_pass || k_quad >= stay});
    if (some < steps)
        add_span(s, (span){at + (ptrdiff_t)some * TILE_BYTES, k_quad + some * TILE_K_QUADS,
                           steps - some, false, true});
}

// A step from a quad of k on, whose runs end within it.
static inline void add_gathered(spans *s, gathered_step from, uint32_t k_quad) {
    const ptrdiff_t at = (s->gathered_end - s->gathered) * TILE_BYTES;
    add_span(s, (span){at, k_quad - from.zeros, 1, true, false});
    *s->gathered_end++ = from;
}

/// Finds them; `scratch` is theirs.
static inline void spans_list(spans *s, const quernel_i_gemm *g, uint8_t *scratch) {
    const uint32_t steps = pieces(g->k_quads, TILE_K_QUADS), depth = min(TILE_K_QUADS, g->k_quads);
    s->g = g, s->steps = steps;
    s->all = s->end = (span *)(void *)scratch, scratch += lines(steps * sizeof(span));
    s->gathered = s->gathered_end = (gathered_step *)(void *)scratch;
    s->panel = scratch + lines(steps * sizeof(gathered_step));
    for (uint32_t k_quad = 0, run = 0, skip = 0, taken; k_quad < g->k_quads; k_quad += taken) {
        const quernel_i_k_run *r = g->k_runs + run;
        const uint32_t whole = (r->k_quads - skip) / depth;
        taken = whole ? whole * depth : min(TILE_K_QUADS, g->k_quads - k_quad);
        if (whole) add_in_place(s, r->offset + 4 * (ptrdiff_t)skip, k_quad, whole);
        else add_gathered(s, (gathered_step){run, skip, depth - min(depth, taken)}, k_quad);
        for (skip += taken; run < g->n_k_runs && skip >= g->k_runs[run].k_quads; run++)
            skip -= g->k_runs[run].k_quads;
    }
    s->panel_row = (ptrdiff_t)panel_row((uint32_t)(s->gathered_end - s->gathered));
}

// What a step takes of a run: bytes of a vector, and where its first byte would lie.
typedef struct piece {
    __mmask64 bytes;
    ptrdiff_t at;
} piece;

static uint32_t find_pieces(const quernel_i_gemm *g, const gathered_step *step,
                            piece pieces[TILE_K_QUADS]) {
    uint32_t n = 0, filled = step->zeros, skip = step->skip;
    for (uint32_t run = step->run, take; filled < TILE_K_QUADS && run < g->n_k_runs;
         run++, skip = 0, filled += take) {
        const quernel_i_k_run *r = g->k_runs + run;
        take = min(TILE_K_QUADS - filled, r->k_quads - skip);
        if (take)
            pieces[n++] = (piece){~0ull >> (64 - 4 * take) << 4 * filled,
                                  r->offset + 4 * ((ptrdiff_t)skip - (ptrdiff_t)filled)};
    }
    return n;
}

// One step's bytes of all rows of a block. Each row is a whole cache line that is written at once.
static void gather_step(const spans *s, const gathered_step *step, uint8_t *to, const uint8_t *a,
                        uint32_t rows) {
    piece pieces[TILE_K_QUADS];
    const uint32_t n = find_pieces(s->g, step, pieces);
    for (uint32_t r = 0; r < rows; r++, a += s->g->a_row, to += s->panel_row) {
        __m512i v = _mm512_setzero_si512();
        for (uint32_t i = 0; i < n; i++)
            v = _mm512_mask_loadu_epi8(v, pieces[i].bytes, a + pieces[i].at);
        _mm512_store_si512(to, v);
    }
}

/// Gathers those of a block of rows from `a` on.
static inline void spans_gather(const spans *s, const uint8_t *a, uint32_t rows) {
    uint8_t *to = s->panel;
    for (const gathered_step *step = s->gathered; step < s->gathered_end; step++, to += TILE_BYTES)
        gather_step(s, step, to, a, rows);
}

#endif
