// SPDX-License-Identifier: Apache-2.0
// GEMM for AMX: what all shapes of blocks share. A template; who includes it defines
//   ROW_TILES, COLUMN_TILES         tiles of a block: their product is at most 4
//   SEQUENCE(rows, weights, dot)    the loads and products of a step, in their order:
//                                   rows(i, tile), weights(j, tile), dot(i, j, sums, tile of rows,
//                                   tile of weights)
//
// A step is 16 quads of k (64 bytes): rows are loaded where they lie, 16 rows at a stride (im2col
// without a copy), weights from w16x4, whose 16 quads are one tile. Each product takes the tile
// unit 16 cycles.
//   k       Steps run through the quads of all runs in order (spans.h).
//   rows    Tiles divide the rows of the call evenly. The last block overlaps the one before by
//           less than a row per tile; of a call of one block, the last tiles are a row lower.
//   hiding  The sums of a block stay in their tiles until the first step of the next one, whose
//           products wait for loads anyway: there each is stored, and its tile begins anew, at zero
//           or with start values. A part of what was stored becomes output in each of the following
//           steps (output.h). The core finds the products of steps ahead while they are few
//           operations ahead: what lies between costs time even where its ports are free.
// Blocks of rows are the outer loop: their rows stay in L1, the weights of the call in L2 (or the
// other way round: `streamed`). Rows that L1 does not hold would be gone before the next oc
// need them: of those `l1_resident` quads are kept (plan/tiled.c).
#include <stdbool.h>

#include "kernels/ukr.h"
#include "output.h"
#include "spans.h"
#include "tile.h"

enum {
    BLOCK_ROWS = ROW_TILES * TILE_ROWS,
    BLOCK_OC = COLUMN_TILES * LANES,
    SUMS_BYTES = (COLUMN_TILES + 1) / 2 * BLOCK_ROWS * EPILOGUE_NR * 4,
};

typedef struct gemm_call {
    const quernel_i_gemm *g;
    uint32_t tiles, height;   // of rows: tiles of the call, rows of the first ones
    uint32_t from[ROW_TILES]; // the first row of each tile of a block
    uint32_t share;           // parts of a block that become output in a step
    const int32_t *init;      // NULL: all are zero
    int32_t *sums;            // [pairs of oc tiles][BLOCK_ROWS][EPILOGUE_NR]
    spans spans;
    output_call output;
} gemm_call;

// What changes from block to block.
typedef struct gemm_state {
    uint32_t tiles, oc_tiles; // that hold sums
    output held, output;      // of those, and of the block before
} gemm_state;

static inline size_t scratch_bytes(uint32_t k_quads) {
    return SUMS_BYTES + spans_bytes(k_quads, BLOCK_ROWS);
}

static inline int32_t *sums_at(const gemm_call *c, uint32_t i, uint32_t j) {
    return c->sums + (j / 2 * BLOCK_ROWS + c->from[i]) * EPILOGUE_NR + j % 2 * LANES;
}

#define NOTHING(...)
#define STORE(i, j, sums, row_tile, weight_tile) \
    if (i < s->tiles && j < s->oc_tiles) TILE_STORE(sums, sums_at(c, i, j), EPILOGUE_NR * 4);
#define LOAD_ROWS(i, tile) \
    if (i < mt) TILE_LOAD(tile, a + c->from[i] * a_row, a_row, k->once);
#define LOAD_WEIGHTS(j, tile) \
    if (j < nt) TILE_LOAD(tile, b + j * g->b_panel, TILE_BYTES, once_weights);
#define DOT(i, j, sums, row_tile, weight_tile) \
    if (i < mt && j < nt) TILE_DOT(is_signed, sums, row_tile, weight_tile);
#define FIRST_DOT(i, j, sums, row_tile, weight_tile)                           \
    STORE(i, j, sums, row_tile, weight_tile)                                   \
    if (i < mt && j < nt) {                                                    \
        if (c->init) TILE_LOAD(sums, c->init + next->n + j * LANES, 0, false); \
        else TILE_ZERO(sums);                                                  \
        TILE_DOT(is_signed, sums, row_tile, weight_tile);                      \
    }

// One block of mt x nt tiles: rows from `rows` on; `next`: what is output of it.
static inline __attribute__((always_inline)) void block(const gemm_call *c, gemm_state *s,
                                                        const uint8_t *rows, const output *next,
                                                        uint32_t mt, uint32_t nt, bool is_signed) {
    const quernel_i_gemm *g = c->g;
    const int8_t *const weights = (const int8_t *)g->b + next->n / LANES * g->b_panel;
    const bool once_weights = g->streamed == QUERNEL_I_STREAMED_WEIGHTS;
    bool first = true;
    for (const span *k = c->spans.all; k < c->spans.end; k++) {
        const uint8_t *a = (k->gathered ? c->spans.panel : rows) + k->at;
        const ptrdiff_t a_row = k->gathered ? c->spans.panel_row : g->a_row;
        const int8_t *b = weights + (size_t)k->k_quad * 64;
        uint32_t left = k->steps;
        if (first) {
            SEQUENCE(LOAD_ROWS, LOAD_WEIGHTS, FIRST_DOT)
            s->output = s->held, s->held = *next, s->tiles = mt, s->oc_tiles = nt;
            output_fetch(&c->output, &s->held);
            first = false, left--, a += TILE_BYTES, b += TILE_K_QUADS * 64;
        }
        for (; left; left--, a += TILE_BYTES, b += TILE_K_QUADS * 64) {
            SEQUENCE(LOAD_ROWS, LOAD_WEIGHTS, DOT)
            output_some(&c->output, &s->output, c->share);
        }
    }
    if (c->spans.steps == 1) output_some(&c->output, &s->output, c->share);
}

// The last block leaves its tiles and becomes output.
static inline __attribute__((always_inline)) void drain(const gemm_call *c, gemm_state *s) {
    SEQUENCE(NOTHING, NOTHING, STORE)
    output_some(&c->output, &s->held, OUTPUT_PARTS_MAX);
}

static bool any_start(const quernel_i_gemm *g) {
    __m512i any = _mm512_setzero_si512();
    for (uint32_t n = 0; n < g->oc; n += LANES)
        any = _mm512_or_si512(any, _mm512_loadu_si512(g->init + n));
    return _mm512_test_epi32_mask(any, any);
}

static void begin(gemm_call *c, const quernel_i_gemm *g) {
    c->g = g, c->sums = g->scratch, c->init = any_start(g) ? g->init : NULL;
    c->tiles = pieces(g->rows, TILE_ROWS), c->height = pieces(g->rows, c->tiles);
    const uint32_t lower = c->tiles > ROW_TILES ? 0 : c->tiles * c->height - g->rows;
    for (uint32_t i = 0; i < ROW_TILES; i++) {
        const uint32_t high = min(i, c->tiles - lower);
        c->from[i] = high * c->height + (i - high) * (c->height - 1);
    }
    spans_list(&c->spans, g, (uint8_t *)g->scratch + SUMS_BYTES);
    output_call_of(&c->output, g, BLOCK_ROWS);
    const uint32_t steps = c->spans.steps;
    c->share = pieces(output_parts(&c->output, BLOCK_ROWS, BLOCK_OC), steps > 1 ? steps - 1 : 1);
}

// Tiles of rows are as high as their places are apart; those of sums belong to them in order.
static void configure(const gemm_call *c) {
    uint8_t heights[ROW_TILES];
    for (uint32_t i = 0; i < ROW_TILES; i++) {
        const uint32_t end =
            i + 1 < ROW_TILES && i + 1 < c->tiles ? c->from[i + 1] : c->from[i] + c->height;
        heights[i] = (uint8_t)(min(end, c->g->rows) - min(c->from[i], c->g->rows));
    }
    tiles_configure(heights, ROW_TILES, COLUMN_TILES, min(c->g->k_quads, TILE_K_QUADS));
}

// The output channels of a block of rows, `mt` tiles; `next`: its rows.
static inline __attribute__((always_inline)) void row_block(const gemm_call *c, gemm_state *s,
                                                            const uint8_t *rows, output next,
                                                            uint32_t mt, bool is_signed) {
    const uint32_t oc = c->g->oc;
    for (uint32_t n = 0, nt; n < oc; n += nt * LANES) {
        next.n = n, next.oc = min(oc - n, BLOCK_OC), nt = pieces(next.oc, LANES);
        output_begin(&c->output, &next);
        if (mt == ROW_TILES && nt == COLUMN_TILES)
            block(c, s, rows, &next, ROW_TILES, COLUMN_TILES, is_signed);
        else block(c, s, rows, &next, mt, nt, is_signed);
    }
}

// No k at all (a phase of a deconvolution that no tap reaches): start values alone.
static void output_starts(const gemm_call *c) {
    const quernel_i_gemm *g = c->g;
    for (uint32_t m = 0; m < g->rows; m += EPILOGUE_MR)
        for (uint32_t n = 0; n < g->oc; n += LANES) {
            output o = {.sums = c->sums,
                        .m = m,
                        .n = n,
                        .rows = min(EPILOGUE_MR, g->rows - m),
                        .oc = min(LANES, g->oc - n)};
            for (uint32_t r = 0; r < o.rows; r++)
                memcpy(c->sums + r * EPILOGUE_NR, g->init + n, LANES * sizeof(int32_t));
            output_begin(&c->output, &o);
            output_some(&c->output, &o, OUTPUT_PARTS_MAX);
        }
}

static inline __attribute__((always_inline)) void gemm(const quernel_i_gemm *g, bool is_signed) {
    gemm_call c;
    begin(&c, g);
    if (!g->k_quads) {
        output_starts(&c);
        return;
    }
    configure(&c);
    gemm_state s = {.tiles = 0};
    for (uint32_t tile = 0, tiles; tile < c.tiles; tile += tiles) {
        tiles = min(ROW_TILES, c.tiles - tile);
        // The last block moves up so that it ends with the call.
        const uint32_t own = tile * c.height, all = min(tiles * c.height, g->rows),
                       m = min(own, g->rows - all);
        const uint8_t *rows = (const uint8_t *)g->a + (ptrdiff_t)m * g->a_row;
        spans_gather(&c.spans, rows, all);
        const output next = {
            .sums = c.sums + (own - m) * EPILOGUE_NR, .m = own, .rows = m + all - own};
        row_block(&c, &s, rows, next, tiles, is_signed);
    }
    drain(&c, &s);
    tiles_release();
}
