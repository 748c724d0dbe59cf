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
//   k       Steps run through the the quads of all runs in order. A step that a run covers is
//   loaded in place; where runs end
//           within a step, its bytes of all rows of the block are gathered into scratch first, once
//           for all output channels. The last step may begin early: what was counted before is zero
//           in its rows. So any run lengths take quads/16 steps.
//   rows    Tiles divide the rows of the call evenly; the last one overlaps the one before by less
//   than a row per tile. hiding  The sums of a block stay in their tiles until the first step of
//   the next one, whose products wait for loads
//           anyway: there each is stored, set to zero and used again. Then the stored block is
//           output, a few rows in each of the following steps, from at most 6 KiB in L1, by the
//           epilogue of AVX-512.
// Blocks of rows are the outer loop: their rows stay in L1, the weights of the call in L2 (or the
// other way round: `streamed`). Rows that L1 does not hold would be gone before the next oc
// need them: of those `l1_resident` quads are kept (plan/tiles.c).
#include <stdbool.h>

#include "kernels/ukr.h"
#include "kernels/x86/avx512vnni/epilogue.h"
#include "tile.h"

enum {
    BLOCK_ROWS = ROW_TILES * TILE_ROWS,
    SUMS_BYTES = (COLUMN_TILES + 1) / 2 * BLOCK_ROWS * EPILOGUE_NR * 4,
};

// 16 quads of k (fewer where k has no more).
typedef struct step {
    ptrdiff_t at;       // bytes from a row's address, or from the beginning of its gathered row
    uint32_t k_quad;    // the first quad of weights
    uint32_t run, skip; // where its rows begin: a run, and quads into it
    uint32_t zeros;     // quads that an earlier step has counted
    bool gathered;
} step;

// A block of rows: tiles, where each begins, and which rows are its own.
typedef struct row_block {
    uint32_t m, tiles;        // first row within the call
    uint32_t from[ROW_TILES]; // of each tile, counted from m
    // rows that await their epilogue, counted from m: the others belong to the block before
    uint32_t first, rows;
} row_block;

// A block's sums: in tiles, then in scratch until all of its rows are output.
typedef struct sums_block {
    row_block rows;
    uint32_t n, oc, tiles; // first oc within the call, oc, tiles of them
    uint32_t done;         // rows
} sums_block;

typedef struct gemm_call {
    const quernel_i_gemm *g;
    const step *steps;
    uint32_t n_steps, gathered; // gathered: how many
    uint32_t height;            // rows of a tile
    uint32_t share;             // rows whose epilogue runs in a step
    const int32_t *init;        // NULL: all are zero
    bool plain;
    int32_t *sums;  // [pairs of oc tiles][BLOCK_ROWS][EPILOGUE_NR]
    uint8_t *panel; // gathered rows
    ptrdiff_t panel_row;
    bool held;              // tiles hold the sums of `now`
    sums_block now, before; // before: in scratch, partly output
} gemm_call;

static inline uint32_t min(uint32_t a, uint32_t b) { return a < b ? a : b; }
static inline uint32_t pieces(uint32_t total, uint32_t piece) {
    return (total + piece - 1) / piece;
}
static inline size_t lines(size_t bytes) { return (bytes + 63) / 64 * 64; }
// An odd number of cache lines keeps 16 gathered rows in different sets of L1.
static inline size_t panel_row(uint32_t steps) { return (size_t)(steps | 1) * TILE_BYTES; }

static inline size_t scratch_bytes(uint32_t k_quads) {
    const uint32_t steps = pieces(k_quads, TILE_K_QUADS);
    return SUMS_BYTES + lines(steps * sizeof(step)) + BLOCK_ROWS * panel_row(steps);
}

static void list_steps(gemm_call *c, step *to) {
    const quernel_i_gemm *g = c->g;
    uint32_t run = 0, skip = 0;
    c->steps = to, c->n_steps = pieces(g->k_quads, TILE_K_QUADS), c->gathered = 0;
    for (uint32_t i = 0, k_quad = 0; i < c->n_steps; i++, to++) {
        const uint32_t k_quads = min(TILE_K_QUADS, g->k_quads - k_quad);
        const bool early = k_quads < TILE_K_QUADS && k_quad > 0;
        const bool inside = !early && g->k_runs[run].k_quads - skip >= k_quads;
        *to = (step){.k_quad = early ? g->k_quads - TILE_K_QUADS : k_quad,
                     .run = run,
                     .skip = skip,
                     .zeros = early ? TILE_K_QUADS - k_quads : 0,
                     .gathered = !inside};
        to->at = inside ? g->k_runs[run].offset + 4 * (ptrdiff_t)skip
                        : (ptrdiff_t)TILE_BYTES * c->gathered++;
        k_quad += k_quads;
        for (skip += k_quads; run < g->n_k_runs && skip >= g->k_runs[run].k_quads; run++)
            skip -= g->k_runs[run].k_quads;
    }
    c->panel_row = (ptrdiff_t)panel_row(c->gathered);
}

// One step's bytes of all rows of a block, from the runs that it touches.
static void gather(const gemm_call *c, const step *s, const uint8_t *a, uint32_t rows) {
    const quernel_i_k_run *run = c->g->k_runs + s->run, *end = c->g->k_runs + c->g->n_k_runs;
    uint8_t *to = c->panel + s->at;
    for (uint32_t r = 0; s->zeros && r < rows; r++) memset(to + r * c->panel_row, 0, 4 * s->zeros);
    for (uint32_t filled = s->zeros, skip = s->skip, take; filled < TILE_K_QUADS && run != end;
         run++, skip = 0) {
        take = min(TILE_K_QUADS - filled, run->k_quads - skip);
        const __mmask64 bytes = ~0ull >> (64 - 4 * take);
        const uint8_t *from = a + run->offset + 4 * (ptrdiff_t)skip;
        for (uint32_t r = 0; r < rows; r++)
            _mm512_mask_storeu_epi8(
                to + r * c->panel_row + 4 * filled, bytes,
                _mm512_maskz_loadu_epi8(bytes, from + (ptrdiff_t)r * c->g->a_row));
        filled += take;
    }
}

// Tiles begin at 0: start values are added to what they have summed.
static inline void add_init(const epilogue_tile *t, const int32_t *init) {
    for (uint32_t p = 0; p < t->oc; p += LANES) {
        const __m512i start = _mm512_loadu_si512(init + t->n + p);
        for (uint32_t r = 0; r < t->rows; r++) {
            int32_t *at = t->acc + r * EPILOGUE_NR + p;
            tile_keep(at, _mm512_add_epi32(tile_load(at), start));
        }
    }
}

// The next rows of the block in scratch, 16 at most. Not inline: the loop over the steps stays
// small.
static __attribute__((noinline)) void epilogue_rows(gemm_call *c, uint32_t rows) {
    sums_block *b = &c->before;
    const uint32_t first = b->rows.first + b->done;
    rows = min(rows, b->rows.rows - b->done);
    for (uint32_t n = 0; n < b->oc; n += EPILOGUE_NR) {
        int32_t *acc = c->sums + (n / EPILOGUE_NR * BLOCK_ROWS + first) * EPILOGUE_NR;
        const epilogue_tile t = {acc, rows, min(EPILOGUE_NR, b->oc - n), b->rows.m + first,
                                 b->n + n};
        if (c->init) add_init(&t, c->init);
        epilogue_run(&t, c->g->epilogue, c->plain);
    }
    b->done += rows;
}

static void epilogue_rest(gemm_call *c) {
    while (c->before.done < c->before.rows.rows) epilogue_rows(c, EPILOGUE_MR);
}

static inline int32_t *sums_at(const gemm_call *c, const sums_block *b, uint32_t i, uint32_t j) {
    return c->sums + (j / 2 * BLOCK_ROWS + b->rows.from[i]) * EPILOGUE_NR + j % 2 * LANES;
}

#define NOTHING(...)
#define STORE(i, j, sums, row_tile, weight_tile)   \
    if (i < c->now.rows.tiles && j < c->now.tiles) \
        TILE_STORE(sums, sums_at(c, &c->now, i, j), EPILOGUE_NR * 4);

// Sums leave the tiles and become output at once: before a block of another form, and at the end.
static void drain(gemm_call *c) {
    if (!c->held) return;
    SEQUENCE(NOTHING, NOTHING, STORE)
    c->before = c->now, c->held = false;
    epilogue_rest(c);
}

#define LOAD_ROWS(i, tile) \
    if (i < mt) TILE_LOAD(tile, a + r->from[i] * a_row, a_row, once_rows || s >= passing);
#define LOAD_WEIGHTS(j, tile) \
    if (j < nt) TILE_LOAD(tile, b + j * g->b_panel, TILE_BYTES, once_weights);
#define DOT(i, j, sums, row_tile, weight_tile) \
    if (i < mt && j < nt) TILE_DOT(is_signed, sums, row_tile, weight_tile);
#define FIRST_DOT(i, j, sums, row_tile, weight_tile)                               \
    if (i < mt && j < nt) {                                                        \
        if (c->held) TILE_STORE(sums, sums_at(c, &c->now, i, j), EPILOGUE_NR * 4); \
        TILE_ZERO(sums);                                                           \
        TILE_DOT(is_signed, sums, row_tile, weight_tile);                          \
    }
#define STEP_FROM(s)                                                              \
    const uint8_t *const a = (s)->gathered ? c->panel + (s)->at : rows + (s)->at; \
    const ptrdiff_t a_row = (s)->gathered ? c->panel_row : g->a_row;              \
    const int8_t *const b = weights + (size_t)(s)->k_quad * 64;

// One block: rows from `rows` on, oc from n on.
static inline __attribute__((always_inline)) void
block(gemm_call *c, const row_block *r, const uint8_t *rows, uint32_t n, bool is_signed) {
    const quernel_i_gemm *g = c->g;
    const uint32_t oc = min(g->oc - n, COLUMN_TILES * LANES), mt = r->tiles, nt = pieces(oc, LANES);
    const int8_t *const weights = (const int8_t *)g->b + n / LANES * g->b_panel;
    const bool once_rows = g->streamed == QUERNEL_I_STREAMED_ROWS,
               once_weights = g->streamed == QUERNEL_I_STREAMED_WEIGHTS;
    if (c->now.rows.tiles != mt || c->now.tiles != nt) drain(c);
    const step *s = c->steps, *const end = s + c->n_steps,
               *const passing = g->l1_resident ? s + g->l1_resident / TILE_K_QUADS : end;
    {
        STEP_FROM(s)
        SEQUENCE(LOAD_ROWS, LOAD_WEIGHTS, FIRST_DOT)
    }
    if (c->held) c->before = c->now;
    c->now = (sums_block){*r, n, oc, nt, 0};
    c->held = true;
    for (s++; s != end; s++) {
        STEP_FROM(s)
        SEQUENCE(LOAD_ROWS, LOAD_WEIGHTS, DOT)
        if (c->before.done < c->before.rows.rows) epilogue_rows(c, c->share);
    }
    epilogue_rest(c);
}

static row_block row_block_at(const gemm_call *c, uint32_t tile) {
    const uint32_t rows = c->g->rows, tiles = pieces(rows, c->height);
    row_block r = {.m = min(tile * c->height, rows - c->height),
                   .tiles = min(ROW_TILES, tiles - tile)};
    for (uint32_t i = 0; i < r.tiles; i++)
        r.from[i] = min((tile + i) * c->height, rows - c->height) - r.m;
    r.first = tile * c->height - r.m;
    r.rows = min((tile + r.tiles) * c->height, rows) - tile * c->height;
    return r;
}

static bool any_start(const quernel_i_gemm *g) {
    __m512i any = _mm512_setzero_si512();
    for (uint32_t n = 0; n < g->oc; n += LANES)
        any = _mm512_or_si512(any, _mm512_loadu_si512(g->init + n));
    return _mm512_test_epi32_mask(any, any);
}

static gemm_call gemm_begin(const quernel_i_gemm *g) {
    uint8_t *at = g->scratch;
    gemm_call c = {.g = g, .plain = epilogue_is_plain(g->epilogue), .sums = (int32_t *)at};
    list_steps(&c, (step *)(at + SUMS_BYTES));
    c.panel = at + SUMS_BYTES + lines(c.n_steps * sizeof(step));
    c.height = pieces(g->rows, pieces(g->rows, TILE_ROWS));
    c.init = any_start(g) ? g->init : NULL;
    // An even number of rows a step; the epilogues that are not plain work by tiles.
    c.share =
        c.plain ? pieces(BLOCK_ROWS, 2 * (c.n_steps > 1 ? c.n_steps - 1 : 1)) * 2 : EPILOGUE_MR;
    c.share = min(c.share, EPILOGUE_MR);
    return c;
}

// No k at all (a phase of a deconvolution that no tap reaches): start values alone.
static void epilogue_zeros(gemm_call *c) {
    const quernel_i_gemm *g = c->g;
    for (uint32_t m = 0; m < g->rows; m += EPILOGUE_MR)
        for (uint32_t n = 0; n < g->oc; n += EPILOGUE_NR) {
            const row_block r = {.m = m, .tiles = 1, .rows = min(EPILOGUE_MR, g->rows - m)};
            memset(c->sums, 0, SUMS_BYTES);
            c->before = (sums_block){r, n, min(EPILOGUE_NR, g->oc - n), 1, 0};
            epilogue_rest(c);
        }
}

static inline __attribute__((always_inline)) void gemm(const quernel_i_gemm *g, bool is_signed) {
    gemm_call c = gemm_begin(g);
    if (!g->k_quads) {
        epilogue_zeros(&c);
        return;
    }
    tiles_configure(c.height, min(g->k_quads, TILE_K_QUADS), ROW_TILES);
    for (uint32_t tile = 0, tiles = pieces(g->rows, c.height); tile < tiles; tile += ROW_TILES) {
        const row_block r = row_block_at(&c, tile);
        const uint8_t *rows = (const uint8_t *)g->a + (ptrdiff_t)r.m * g->a_row;
        for (uint32_t i = 0; c.gathered && i < c.n_steps; i++)
            if (c.steps[i].gathered) gather(&c, c.steps + i, rows, r.from[r.tiles - 1] + c.height);
        for (uint32_t n = 0; n < g->oc; n += COLUMN_TILES * LANES)
            block(&c, &r, rows, n, is_signed);
    }
    drain(&c);
    tiles_release();
}
