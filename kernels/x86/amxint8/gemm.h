// SPDX-License-Identifier: Apache-2.0
// GEMM for AMX: what all shapes of blocks share. A template; who includes it defines
//   ROW_TILES, COLUMN_TILES         tiles of a block: their product is at most 4
//   SEQUENCE(rows, weights, dot)    the loads and products of a step, in their order:
//                                   rows(i, tile), weights(j, tile), dot(i, j, sums, tile of rows, tile of weights)
//
// A step is 16 groups of k (64 bytes): rows are loaded where they lie, 16 rows at a stride (im2col without a copy), weights
// from w16x4, whose 16 groups are one tile. Each product takes the tile unit 16 cycles.
//   k       Steps run through the groups of all runs in order. A step that a run covers is loaded in place; where runs end
//           within a step, its bytes of all rows of the block are gathered into scratch first, once for all columns. The last
//           step may begin early: what was counted before is zero in its rows. So any run lengths take groups/16 steps.
//   rows    Tiles divide the rows of the call evenly; the last one overlaps the one before by less than a row per tile.
//   hiding  The sums of a block stay in their tiles until the first step of the next one, whose products wait for loads
//           anyway: there each is stored, set to zero and used again. Then the stored block is finished, a few rows in each of
//           the following steps, from at most 6 KiB in L1, by the finish of AVX-512.
// Blocks of rows are the outer loop: their rows stay in L1, the weights of the call in L2 (or the other way round: `stream`).
// Rows that L1 does not hold would be gone before the next columns ask for them: of those `stay` groups are kept (plan/tiles.c).
#include <stdbool.h>

#include "kernels/ukr.h"
#include "kernels/x86/avx512vnni/finish.h"
#include "tile.h"

enum {
    BLOCK_ROWS = ROW_TILES * TILE_ROWS,
    SUMS_BYTES = (COLUMN_TILES + 1) / 2 * BLOCK_ROWS * FINISH_NR * 4,
};

// 16 groups of k (fewer where k has no more).
typedef struct step {
    ptrdiff_t at;         // bytes from a row's address, or from the beginning of its gathered row
    uint32_t group;       // the first group of weights
    uint32_t run, skip;   // where its rows begin: a run, and groups into it
    uint32_t zeros;       // groups that an earlier step has counted
    bool gathered;
} step;

// A block of rows: tiles, where each begins, and which rows are its own.
typedef struct row_block {
    uint32_t m, tiles;          // first row within the call
    uint32_t from[ROW_TILES];   // of each tile, counted from m
    uint32_t first, rows;       // rows to be finished, counted from m: the others belong to the block before
} row_block;

// A block's sums: in tiles, then in scratch until all of its rows are finished.
typedef struct sums_block {
    row_block rows;
    uint32_t n, columns, tiles; // first column within the call, columns, tiles of them
    uint32_t done;              // rows
} sums_block;

typedef struct gemm_call {
    const quernel_i_gemm *g;
    const step *steps;
    uint32_t n_steps, gathered; // gathered: how many
    uint32_t height;            // rows of a tile
    uint32_t share;             // rows that are finished in a step
    const int32_t *init;        // NULL: all are zero
    bool plain;
    int32_t *sums;              // [pairs of column tiles][BLOCK_ROWS][FINISH_NR]
    uint8_t *panel;             // gathered rows
    ptrdiff_t panel_row;
    bool held;                  // tiles hold the sums of `now`
    sums_block now, before;     // before: in scratch, partly finished
} gemm_call;

static inline uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }
static inline uint32_t pieces(uint32_t total, uint32_t piece) { return (total + piece - 1) / piece; }
static inline size_t lines(size_t bytes) { return (bytes + 63) / 64 * 64; }
// An odd number of cache lines keeps 16 gathered rows in different sets of L1.
static inline size_t panel_row(uint32_t steps) { return (size_t)(steps | 1) * TILE_BYTES; }

static inline size_t scratch_bytes(uint32_t groups) {
    const uint32_t steps = pieces(groups, TILE_GROUPS);
    return SUMS_BYTES + lines(steps * sizeof(step)) + BLOCK_ROWS * panel_row(steps);
}

static void list_steps(gemm_call *c, step *to) {
    const quernel_i_gemm *g = c->g;
    uint32_t run = 0, skip = 0;
    c->steps = to, c->n_steps = pieces(g->groups, TILE_GROUPS), c->gathered = 0;
    for (uint32_t i = 0, group = 0; i < c->n_steps; i++, to++) {
        const uint32_t groups = least(TILE_GROUPS, g->groups - group);
        const bool early = groups < TILE_GROUPS && group > 0;
        const bool inside = !early && g->runs[run].groups - skip >= groups;
        *to = (step){.group = early ? g->groups - TILE_GROUPS : group, .run = run, .skip = skip,
                     .zeros = early ? TILE_GROUPS - groups : 0, .gathered = !inside};
        to->at = inside ? g->runs[run].offset + 4 * (ptrdiff_t)skip : (ptrdiff_t)TILE_BYTES * c->gathered++;
        group += groups;
        for (skip += groups; run < g->n_runs && skip >= g->runs[run].groups; run++) skip -= g->runs[run].groups;
    }
    c->panel_row = (ptrdiff_t)panel_row(c->gathered);
}

// One step's bytes of all rows of a block, from the runs that it touches.
static void gather(const gemm_call *c, const step *s, const uint8_t *a, uint32_t rows) {
    const quernel_i_run *run = c->g->runs + s->run, *end = c->g->runs + c->g->n_runs;
    uint8_t *to = c->panel + s->at;
    for (uint32_t r = 0; s->zeros && r < rows; r++) memset(to + r * c->panel_row, 0, 4 * s->zeros);
    for (uint32_t filled = s->zeros, skip = s->skip, take; filled < TILE_GROUPS && run != end; run++, skip = 0) {
        take = least(TILE_GROUPS - filled, run->groups - skip);
        const __mmask64 bytes = ~0ull >> (64 - 4 * take);
        const uint8_t *from = a + run->offset + 4 * (ptrdiff_t)skip;
        for (uint32_t r = 0; r < rows; r++)
            _mm512_mask_storeu_epi8(to + r * c->panel_row + 4 * filled, bytes,
                                    _mm512_maskz_loadu_epi8(bytes, from + (ptrdiff_t)r * c->g->a_row));
        filled += take;
    }
}

// Tiles begin at 0: start values are added to what they have summed.
static inline void add_init(const finish_tile *t, const int32_t *init) {
    FINISH_PANELS(t, p, n) {
        const __m512i start = _mm512_loadu_si512(init + n);
        FINISH_ROWS(t, p, at) tile_keep(at, _mm512_add_epi32(tile_load(at), start));
    }
}

// The next rows of the block in scratch, 16 at most. Not inline: the loop over the steps stays small.
static __attribute__((noinline)) void finish_rows(gemm_call *c, uint32_t rows) {
    sums_block *b = &c->before;
    const uint32_t first = b->rows.first + b->done;
    rows = least(rows, b->rows.rows - b->done);
    for (uint32_t n = 0; n < b->columns; n += FINISH_NR) {
        int32_t *acc = c->sums + (n / FINISH_NR * BLOCK_ROWS + first) * FINISH_NR;
        const finish_tile t = {acc, rows, least(FINISH_NR, b->columns - n), b->rows.m + first, b->n + n};
        if (c->init) add_init(&t, c->init);
        finish_run(&t, c->g->finish, c->plain);
    }
    b->done += rows;
}

static void finish_rest(gemm_call *c) {
    while (c->before.done < c->before.rows.rows) finish_rows(c, FINISH_MR);
}

static inline int32_t *sums_at(const gemm_call *c, const sums_block *b, uint32_t i, uint32_t j) {
    return c->sums + (j / 2 * BLOCK_ROWS + b->rows.from[i]) * FINISH_NR + j % 2 * LANES;
}

#define NOTHING(...)
#define STORE(i, j, sums, row_tile, weight_tile)                                                                        \
    if (i < c->now.rows.tiles && j < c->now.tiles) TILE_STORE(sums, sums_at(c, &c->now, i, j), FINISH_NR * 4);

// Sums leave the tiles and are finished at once: before a block of another form, and at the end.
static void drain(gemm_call *c) {
    if (!c->held) return;
    SEQUENCE(NOTHING, NOTHING, STORE)
    c->before = c->now, c->held = false;
    finish_rest(c);
}

#define LOAD_ROWS(i, tile)                                                                                              \
    if (i < mt) TILE_LOAD(tile, a + r->from[i] * a_row, a_row, once_rows || s >= passing);
#define LOAD_WEIGHTS(j, tile)                                                                                           \
    if (j < nt) TILE_LOAD(tile, b + j * g->b_panel, TILE_BYTES, once_weights);
#define DOT(i, j, sums, row_tile, weight_tile)                                                                          \
    if (i < mt && j < nt) TILE_DOT(is_signed, sums, row_tile, weight_tile);
#define FIRST_DOT(i, j, sums, row_tile, weight_tile)                                                                    \
    if (i < mt && j < nt) {                                                                                             \
        if (c->held) TILE_STORE(sums, sums_at(c, &c->now, i, j), FINISH_NR * 4);                                        \
        TILE_ZERO(sums);                                                                                                \
        TILE_DOT(is_signed, sums, row_tile, weight_tile);                                                               \
    }
#define STEP_FROM(s)                                                                                                    \
    const uint8_t *const a = (s)->gathered ? c->panel + (s)->at : rows + (s)->at;                                       \
    const ptrdiff_t a_row = (s)->gathered ? c->panel_row : g->a_row;                                                    \
    const int8_t *const b = weights + (size_t)(s)->group * 64;

// One block: rows from `rows` on, columns from n on.
static inline __attribute__((always_inline)) void block(gemm_call *c, const row_block *r, const uint8_t *rows, uint32_t n,
                                                        bool is_signed) {
    const quernel_i_gemm *g = c->g;
    const uint32_t columns = least(g->columns - n, COLUMN_TILES * LANES), mt = r->tiles, nt = pieces(columns, LANES);
    const int8_t *const weights = (const int8_t *)g->b + n / LANES * g->b_panel;
    const bool once_rows = g->stream == QUERNEL_I_STREAM_ROWS, once_weights = g->stream == QUERNEL_I_STREAM_WEIGHTS;
    if (c->now.rows.tiles != mt || c->now.tiles != nt) drain(c);
    const step *s = c->steps, *const end = s + c->n_steps, *const passing = g->stay ? s + g->stay / TILE_GROUPS : end;
    {
        STEP_FROM(s)
        SEQUENCE(LOAD_ROWS, LOAD_WEIGHTS, FIRST_DOT)
    }
    if (c->held) c->before = c->now;
    c->now = (sums_block){*r, n, columns, nt, 0};
    c->held = true;
    for (s++; s != end; s++) {
        STEP_FROM(s)
        SEQUENCE(LOAD_ROWS, LOAD_WEIGHTS, DOT)
        if (c->before.done < c->before.rows.rows) finish_rows(c, c->share);
    }
    finish_rest(c);
}

static row_block row_block_at(const gemm_call *c, uint32_t tile) {
    const uint32_t rows = c->g->rows, tiles = pieces(rows, c->height);
    row_block r = {.m = least(tile * c->height, rows - c->height), .tiles = least(ROW_TILES, tiles - tile)};
    for (uint32_t i = 0; i < r.tiles; i++) r.from[i] = least((tile + i) * c->height, rows - c->height) - r.m;
    r.first = tile * c->height - r.m;
    r.rows = least((tile + r.tiles) * c->height, rows) - tile * c->height;
    return r;
}

static bool any_start(const quernel_i_gemm *g) {
    __m512i any = _mm512_setzero_si512();
    for (uint32_t n = 0; n < g->columns; n += LANES) any = _mm512_or_si512(any, _mm512_loadu_si512(g->init + n));
    return _mm512_test_epi32_mask(any, any);
}

static gemm_call gemm_begin(const quernel_i_gemm *g) {
    uint8_t *at = g->scratch;
    gemm_call c = {.g = g, .plain = finish_is_plain(g->finish), .sums = (int32_t *)at};
    list_steps(&c, (step *)(at + SUMS_BYTES));
    c.panel = at + SUMS_BYTES + lines(c.n_steps * sizeof(step));
    c.height = pieces(g->rows, pieces(g->rows, TILE_ROWS));
    c.init = any_start(g) ? g->init : NULL;
    // An even number of rows a step; the finishes that are not plain work by tiles.
    c.share = c.plain ? pieces(BLOCK_ROWS, 2 * (c.n_steps > 1 ? c.n_steps - 1 : 1)) * 2 : FINISH_MR;
    c.share = least(c.share, FINISH_MR);
    return c;
}

// No k at all (a phase of a deconvolution that no tap reaches): start values alone.
static void finish_zeros(gemm_call *c) {
    const quernel_i_gemm *g = c->g;
    for (uint32_t m = 0; m < g->rows; m += FINISH_MR)
        for (uint32_t n = 0; n < g->columns; n += FINISH_NR) {
            const row_block r = {.m = m, .tiles = 1, .rows = least(FINISH_MR, g->rows - m)};
            memset(c->sums, 0, SUMS_BYTES);
            c->before = (sums_block){r, n, least(FINISH_NR, g->columns - n), 1, 0};
            finish_rest(c);
        }
}

static inline __attribute__((always_inline)) void gemm(const quernel_i_gemm *g, bool is_signed) {
    gemm_call c = gemm_begin(g);
    if (!g->groups) {
        finish_zeros(&c);
        return;
    }
    tiles_configure(c.height, least(g->groups, TILE_GROUPS), ROW_TILES);
    for (uint32_t tile = 0, tiles = pieces(g->rows, c.height); tile < tiles; tile += ROW_TILES) {
        const row_block r = row_block_at(&c, tile);
        const uint8_t *rows = (const uint8_t *)g->a + (ptrdiff_t)r.m * g->a_row;
        for (uint32_t i = 0; c.gathered && i < c.n_steps; i++)
            if (c.steps[i].gathered) gather(&c, c.steps + i, rows, r.from[r.tiles - 1] + c.height);
        for (uint32_t n = 0; n < g->columns; n += COLUMN_TILES * LANES) block(&c, &r, rows, n, is_signed);
    }
    drain(&c);
    tiles_release();
}
