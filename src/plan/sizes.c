// SPDX-License-Identifier: Apache-2.0
// Block sizes: a strip of rows takes at most a third of L2, a block of weights half of it, and neither more than what keeps a
// worker's slice below 2 MiB (large products on tiles: plan/tiles.c). Where k is so long that few rows and columns fit, and the
// kernel prepares both, more of them are worth reading from beyond L2. Blocks of k, with sums kept in L2, gave no more on AVX2:
// 0.96 to 0.99 of the speed with K = 4096; with a loop three times as fast 0.93 to 0.98, 1.00 to 1.05 with K = 11008.
#include "plan/sizes.h"

#include "base/error.h"
#include "cpu/cpu.h"
#include "gemm/drive.h"
#include "plan/tiles.h"

#define KiB ((size_t)1024)
#define STRIP_MOST (640 * KiB)
#define BLOCK_MOST (768 * KiB)
#define CHUNK_MOST (128 * KiB)
#define CONV_STRIP_MOST (384 * KiB)
#define FLOATS_MOST (64 * KiB)
#define TILE_MOST (64 * KiB)
#define TILE_ROWS 24
#define ROWS_PAY 256   // rows that pay for preparing a block of weights
#define COLUMNS_PAY 64 // columns that pay for the kernel's preparing a row
#define PREFETCHED_LEAST (1024 * KiB)
#define PREFETCH (16 * KiB)
#define TASKS_PER_THREAD 4 // enough for the last one to be small
#define FAR_STRIP(l2_bytes) ((l2_bytes) * 5 / 8) // half of L2 in rows, the rest their pitch
#define FAR_BLOCK(l2_bytes) ((l2_bytes) / 8)

static size_t least(size_t a, size_t b) { return a < b ? a : b; }
static size_t most(size_t a, size_t b) { return a > b ? a : b; }
static uint32_t pieces(uint32_t total, uint32_t piece) { return (total + piece - 1) / piece; }
static bool is_float(int32_t type) { return type == QUERNEL_TYPE_F32 || type == QUERNEL_TYPE_BF16; }

static uint32_t strip_lines(const quernel_i_layer *l, uint32_t lines) {
    return (lines - 1) * l->stride_h + (l->kernel_h - 1) * l->dilation_h + 1;
}

static uint32_t strip_pixels(const quernel_i_layer *l, uint32_t pixels) {
    return (pixels - 1) * l->stride_w + (l->kernel_w - 1) * l->dilation_w + 1;
}

static size_t strip_pixel_bytes(const quernel_i_layer *l) {
    if (l->path != QUERNEL_I_PATH_PACKED) return (size_t)l->a_pixel;
    return l->x.c * (is_float(l->x.type) ? sizeof(float) : 1);
}

static size_t strip_bytes(const quernel_i_layer *l, uint32_t lines, uint32_t pixels) {
    return (size_t)strip_lines(l, lines) * strip_pixels(l, pixels) * strip_pixel_bytes(l);
}

static bool prepares(const quernel_i_layer *l) { return !quernel_i_layer_depthwise(l) && l->gemm->b_prepare.any; }

// Prepared weights are made anew for every strip. Transformed ones are dear, so strips are large; rows of one run are read once
// for each block, so that strips may be larger than L2. Where taps are read in place strips cost nothing.
static size_t strip_budget(const quernel_i_layer *l, size_t l2_bytes) {
    const bool in_place = l->path == QUERNEL_I_PATH_INPLACE, packed = l->path == QUERNEL_I_PATH_PACKED;
    if (quernel_i_layer_conv(l)) return in_place ? SIZE_MAX : CONV_STRIP_MOST;
    if (quernel_i_plan_tiles_far(l, l2_bytes) && !(packed && l->strip_lines)) return FAR_STRIP(l2_bytes) / (size_t)l->a_pixel * strip_pixel_bytes(l);
    const size_t pays = prepares(l) && l->n_runs == 1 && !packed ? ROWS_PAY * strip_pixel_bytes(l) : 0;
    return most(least(l2_bytes / 3, STRIP_MOST), in_place ? pays : least(pays, STRIP_MOST));
}

// Half a line, in whole tiles where the kernel works in tiles: of each lattice of a dilation.
static uint32_t half_line(const quernel_i_layer *l, uint32_t pixels) {
    const uint32_t tile = quernel_i_layer_conv(l) ? 4 * l->dilation_w : 1;
    return pieces((pixels + 1) / 2, tile) * tile;
}

// A dilation's taps lie so far apart that a small strip would read, and quantize, little else than what its neighbours read again.
static bool mostly_halo(const quernel_i_layer *l) {
    const uint64_t read = (uint64_t)strip_lines(l, l->strip_h) * strip_pixels(l, l->strip_w);
    return l->path == QUERNEL_I_PATH_STAGED && read > 4 * (uint64_t)l->strip_h * l->stride_h * l->strip_w * l->stride_w;
}

// Twice the pixels, or else lines, where there are more and they fit.
static bool grow_strip(quernel_i_layer *l) {
    const bool wider = l->strip_w < l->grid_w;
    const uint32_t h = wider ? l->strip_h : (uint32_t)least(2 * (size_t)l->strip_h, l->grid_h);
    const uint32_t w = wider ? (uint32_t)least(2 * (size_t)l->strip_w, l->grid_w) : l->strip_w;
    if ((!wider && h == l->strip_h) || strip_bytes(l, h, w) > QUERNEL_I_SLICE_MOST) return false;
    l->strip_h = h, l->strip_w = w;
    return true;
}

// As many whole lines as fit; of lines that are too long, as many pixels of one.
static void choose_strip(quernel_i_layer *l, const quernel_i_config *config, size_t l2_bytes) {
    const size_t budget = strip_budget(l, l2_bytes);
    const uint32_t step = quernel_i_layer_line_step(l);
    l->strip_w = l->grid_w;
    l->strip_h = (uint32_t)least(step, l->grid_h);
    while (l->strip_w > 16 && half_line(l, l->strip_w) < l->strip_w && strip_bytes(l, l->strip_h, l->strip_w) > budget)
        l->strip_w = half_line(l, l->strip_w);
    while (l->strip_h < l->grid_h && strip_bytes(l, l->strip_h + step, l->strip_w) <= budget)
        l->strip_h = (uint32_t)least(l->strip_h + step, l->grid_h);
    while (mostly_halo(l) && grow_strip(l)) continue;
    if (config->strip_h) l->strip_h = (uint32_t)least(config->strip_h, l->grid_h);
    if (config->strip_w) l->strip_w = (uint32_t)least(config->strip_w, l->grid_w);
}

static size_t scratch_bytes(const quernel_i_layer *l) {
    const quernel_i_kernel *k = quernel_i_layer_depthwise(l) ? l->depthwise : l->gemm;
    const quernel_i_weights_shape *s = &l->weights->shape;
    if (!k->scratch) return 0;
    return k->scratch(quernel_i_layer_depthwise(l) ? s->columns : s->k_groups);
}

// Bytes of prepared weights that may stand ready at a time.
static size_t block_budget(const quernel_i_layer *l, size_t l2_bytes) {
    if (quernel_i_plan_tiles_far(l, l2_bytes))
        return most(FAR_BLOCK(l2_bytes), quernel_i_panel_bytes(l->gemm, l->weights->shape.k_groups) * (l->gemm->nr / 16));
    if (!quernel_i_layer_conv(l)) {
        const size_t pays = prepares(l) ? quernel_i_panel_bytes(l->gemm, l->weights->shape.k_groups) * (COLUMNS_PAY / 16) : 0;
        return least(most(l2_bytes / 2, pays), BLOCK_MOST);
    }
    const size_t strip = l->path == QUERNEL_I_PATH_INPLACE ? 0 : strip_bytes(l, l->strip_h, l->strip_w);
    const size_t others = strip + scratch_bytes(l);
    return others < QUERNEL_I_SLICE_MOST ? QUERNEL_I_SLICE_MOST - others : 0;
}

// Columns that need several blocks of transformed weights are better split among threads than lines: no block is made twice.
static bool splits_columns(const quernel_i_layer *l, size_t l2_bytes) {
    const quernel_i_weights_shape *s = &l->weights->shape;
    if (!quernel_i_layer_conv(l) || l->path != QUERNEL_I_PATH_INPLACE) return false;
    return quernel_i_panel_bytes(l->gemm, s->k_groups) * (s->columns16 / 16) > block_budget(l, l2_bytes);
}

// More threads want more strips, in a multiple of their number; a strip stays at least two register tiles high.
static void split_strips(quernel_i_layer *l, const quernel_i_config *config, size_t l2_bytes) {
    if (l->threads == 1 || config->strip_h || config->strip_w || splits_columns(l, l2_bytes)) return;
    uint32_t h = pieces(l->grid_h, l->strip_h), w = pieces(l->grid_w, l->strip_w);
    const uint32_t others = l->x.n * w;
    const bool far = quernel_i_plan_tiles_far(l, l2_bytes); // no more than needed: each reads all weights
    const uint32_t want = far ? pieces(h * others, l->threads) * l->threads : l->threads * TASKS_PER_THREAD;
    if (h * others < want) h = (uint32_t)least(l->grid_h, pieces(want, others));
    l->strip_h = (uint32_t)least(quernel_i_round_up(pieces(l->grid_h, h), quernel_i_layer_line_step(l)), l->grid_h);
    h = pieces(l->grid_h, l->strip_h);
    const uint32_t tile = quernel_i_layer_depthwise(l) ? 16 : 2u * l->gemm->mr;
    if (h * others < want) {
        const uint32_t by_width = pieces(want, h * l->x.n), fitting = (uint32_t)most(1, l->grid_w / tile);
        w = (uint32_t)most(w, least(by_width, fitting));
        l->strip_w = pieces(l->grid_w, w);
    }
}

static void choose_units(quernel_i_layer *l, const quernel_i_config *config, size_t l2_bytes) {
    const quernel_i_weights_shape *s = &l->weights->shape;
    l->columns_block = s->columns16, l->units_per_job = l->units = l->parts = 1;
    if (quernel_i_layer_depthwise(l)) return;
    const size_t panel = quernel_i_panel_bytes(l->gemm, s->k_groups) * l->joined;
    const uint32_t jobs = s->jobs / l->joined;
    const uint32_t nr = l->gemm->nr > 16 ? l->gemm->nr : 16;
    size_t columns = most(1, block_budget(l, l2_bytes) / panel) * 16;
    if (l->gemm->op == QUERNEL_I_OP_GEMV) columns = s->columns16; // walks the weights once: nothing is there to be kept
    if (columns > nr) columns = columns / nr * nr;
    if (config->block) columns = quernel_i_round_up(config->block, 16);
    const uint32_t strips = l->x.n * pieces(l->grid_h, l->strip_h) * pieces(l->grid_w, l->strip_w);
    const uint32_t parts = strips >= l->threads ? 1 : pieces(l->threads, strips);
    // Columns are split among threads where rows are too few.
    const uint32_t share = pieces(s->columns16, pieces(parts, jobs));
    if (!config->block && parts > 1) columns = least(columns, quernel_i_round_up(share, nr));
    columns = least(columns, s->columns16);
    uint32_t blocks = pieces(s->columns, (uint32_t)columns);
    if (jobs == 1) blocks = (uint32_t)quernel_i_round_up(blocks, parts); // as many for each
    if (!config->block) columns = least(quernel_i_round_up(pieces(s->columns, blocks), nr), s->columns16);
    l->columns_block = (uint32_t)columns;
    l->units_per_job = pieces(s->columns, l->columns_block);
    l->units = jobs * l->units_per_job;
    if (l->threads > 1) l->parts = (uint32_t)least(config->parts ? config->parts : parts, l->units); // else none share
}

// Lines lie at one distance in x's rows, in y, and in the residual, and what lies between them is y's own border: then a
// strip is one line, without a tail of rows at the end of each of its lines. Parts would write each other's borders.
static bool can_be_flat(const quernel_i_layer *l) {
    if (l->path == QUERNEL_I_PATH_PACKED || quernel_i_layer_depthwise(l) || l->gemm->op != QUERNEL_I_OP_GEMM || l->equal) return false;
    if (l->stride_h != 1 || l->stride_w != 1 || l->up_h != 1 || l->up_w != 1) return false;
    if (l->strip_w != l->grid_w || l->parts != 1 || l->a_line % l->a_pixel) return false;
    const int64_t pitch = l->a_line / l->a_pixel, between = pitch - l->grid_w;
    const quernel_tensor *y = &l->y, *r = &l->residual;
    if (pitch * l->strip_h > INT32_MAX || between != 2 * (int64_t)y->border_w || y->stride_h != pitch * y->stride_w) return false;
    if (!l->finish.residual) return true;
    return r->stride_h == pitch * r->stride_w && between <= 2 * (int64_t)r->border_w;
}

// Vector kernels split a line evenly among tiles, so that pixels between lines are lost time; tiles of 16 rows are not.
static bool flat_pays(const quernel_i_layer *l) {
    const size_t rows = l->gemm->tiles ? 16 : 1, lines = l->strip_h;
    const size_t flat = (lines - 1) * (size_t)(l->a_line / l->a_pixel) + l->grid_w;
    return lines > 1 && quernel_i_round_up(flat, rows) <= lines * quernel_i_round_up(l->grid_w, rows);
}

static int choose_flat(quernel_i_layer *l, const quernel_i_config *config, const char *where, quernel_error *error) {
    const bool legal = can_be_flat(l);
    l->flat = legal && flat_pays(l);
    if (!config->flat) return QUERNEL_OK;
    l->flat = config->flat == 2;
    if (l->flat && !legal)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "config", -1, "%s: config: flat: not legal for this layer", where);
    return QUERNEL_OK;
}

// Pixels of a tile of joined phases: as many whole blocks of rows as may be, which kernels take by 24 or what divides it.
static size_t tile_pixels(const quernel_i_layer *l) {
    const size_t fit = most(1, TILE_MOST / (l->joined * quernel_i_layer_tile_row(l)));
    return fit > TILE_ROWS ? fit / TILE_ROWS * TILE_ROWS : fit;
}

static void choose_chunk(quernel_i_layer *l, const quernel_i_config *config, size_t l2_bytes) {
    const size_t chunk_most = quernel_i_plan_tiles_far(l, l2_bytes) ? FAR_STRIP(l2_bytes) : CHUNK_MOST;
    const size_t most_pixels = l->flat ? (size_t)l->strip_h * (size_t)(l->a_line / l->a_pixel) : l->strip_w;
    l->chunk = (uint32_t)most_pixels;
    if (l->path == QUERNEL_I_PATH_PACKED)
        l->chunk = (uint32_t)least(l->strip_w, most(1, chunk_most / (size_t)l->a_pixel));
    if (l->joined > 1) l->chunk = (uint32_t)least(l->chunk, tile_pixels(l));
    if (config->chunk) l->chunk = (uint32_t)least(config->chunk, most_pixels);
}

// Kernels without tiles read both operands in one way: a demand changes nothing there.
static void choose_stream(quernel_i_layer *l, const quernel_i_config *config, size_t l1d_bytes) {
    l->stream = QUERNEL_I_STREAM_NONE, l->stay = 0;
    if (!quernel_i_layer_tiles(l)) return;
    l->stream = config->stream ? (quernel_i_stream)(config->stream - 1) : quernel_i_plan_stream(l, l1d_bytes);
    l->stay = quernel_i_plan_tiles_stay(l, l1d_bytes);
    if (config->stay && l->stay) l->stay = (uint32_t)least(config->stay, l->weights->shape.k_groups);
}

// Only what no L2 keeps from call to call is worth it.
static void choose_prefetch(quernel_i_layer *l, const quernel_i_config *config) {
    l->prefetch = 0;
    if (quernel_i_layer_depthwise(l) || !l->gemm->prefetches) return;
    if ((size_t)l->columns_block * l->weights->shape.k_groups * 4 <= PREFETCHED_LEAST) return;
    l->prefetch = config->prefetch ? config->prefetch : PREFETCH;
}

static void choose_ranges(quernel_i_layer *l) {
    l->range_tasks = 0;
    if (l->quant.mode != QUERNEL_QUANT_DYNAMIC_CALL) return;
    const uint32_t lines = l->x.h > 1 ? l->x.h : l->x.w;
    l->range_tasks = l->threads == 1 ? 1 : (uint32_t)least(lines, l->threads * TASKS_PER_THREAD);
}

static size_t offset(quernel_i_layout *slice, size_t count, size_t size) {
    const size_t at = slice->used;
    quernel_i_take(slice, count, size);
    return at;
}

static void lay_out_slice(quernel_i_layer *l, quernel_i_layout *slice) {
    const quernel_i_weights_shape *s = &l->weights->shape;
    const bool packed = l->path == QUERNEL_I_PATH_PACKED, strip = l->path != QUERNEL_I_PATH_INPLACE && l->strip_lines;
    const bool prepared = prepares(l);
    const bool by_row = quernel_i_layer_by_row(l) || l->quant.row_scale;
    const bool by_image = l->quant.mode == QUERNEL_QUANT_DYNAMIC_CALL;
    const size_t columns = (size_t)s->jobs * s->columns16, rows = l->chunk;
    quernel_i_take(slice, 1, QUERNEL_I_LINE); // which unit stands prepared
    l->slice.strip = offset(slice, strip ? strip_bytes(l, l->strip_h, l->strip_w) + QUERNEL_I_LINE : 0, 1);
    l->slice.packed = offset(slice, packed ? (size_t)l->chunk * (size_t)l->a_pixel + QUERNEL_I_LINE : 0, 1);
    l->slice.block = offset(slice, prepared ? l->columns_block / 16 * l->joined : 0, prepared ? quernel_i_panel_bytes(l->gemm, s->k_groups) : 1);
    l->slice.scratch = offset(slice, scratch_bytes(l), 1);
    l->slice.equal = offset(slice, quernel_i_layer_blocks(l), l->strip_h);
    const size_t merged = s->merged ? (size_t)l->chunk * s->columns : 0, pixels = l->joined > 1 ? (size_t)l->chunk * l->joined : 0;
    l->slice.tile = s->merged ? offset(slice, merged, quernel_type_size((quernel_type)l->y.type))
                              : offset(slice, pixels, quernel_i_layer_tile_row(l));
    l->slice.residual = offset(slice, l->finish.residual ? merged : 0, sizeof(float));
    l->slice.floats = offset(slice, (size_t)l->floats * l->x.c, sizeof(float));
    l->slice.row_scale = offset(slice, by_row ? rows : 0, sizeof(float));
    l->slice.row_term = offset(slice, by_row ? rows : 0, sizeof(int32_t));
    l->slice.row_sum = offset(slice, l->weights->has_zero ? rows : 0, sizeof(int32_t));
    l->slice.init = offset(slice, by_image ? columns : 0, sizeof(int32_t));
    l->slice.scale = offset(slice, by_image ? columns : 0, sizeof(float));
    l->slice.bytes = slice->used;
}

static int lay_out_workspace(quernel_i_layer *l, const char *where, quernel_error *error) {
    quernel_i_layout slice = {0}, all = {0};
    lay_out_slice(l, &slice);
    if (l->range_tasks) {
        quernel_i_take(&all, l->x.n, sizeof(quernel_i_image));
        quernel_i_take(&all, (size_t)l->x.n * l->range_tasks, 2 * sizeof(float));
    }
    l->shared_bytes = all.used;
    quernel_i_take(&all, l->threads, slice.used);
    l->workspace_bytes = all.used;
    const uint64_t tasks = (uint64_t)l->x.n * pieces(l->grid_h, l->strip_h) * pieces(l->grid_w, l->strip_w);
    if (slice.overflow || all.overflow || tasks > INT32_MAX / (uint64_t)l->parts ||
        (uint64_t)l->x.n * l->range_tasks > INT32_MAX)
        return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, "x", -1, "%s: x: its sizes overflow", where);
    return QUERNEL_OK;
}

int quernel_i_plan_sizes(quernel_i_layer *l, const quernel_i_config *config, size_t l2_bytes, const char *where,
                         quernel_error *error) {
    choose_strip(l, config, l2_bytes);
    split_strips(l, config, l2_bytes);
    choose_units(l, config, l2_bytes);
    choose_stream(l, config, quernel_i_cpu()->l1d_bytes);
    choose_prefetch(l, config);
    choose_ranges(l);
    l->floats = 0;
    if (l->x.type == QUERNEL_TYPE_BF16)
        l->floats = (uint32_t)least(most(1, FLOATS_MOST / sizeof(float) / l->x.c), l->x.w);
    l->strips_h = pieces(l->grid_h, l->strip_h), l->strips_w = pieces(l->grid_w, l->strip_w);
    l->strip_pixels = strip_pixels(l, l->strip_w);
    if (l->strip_lines) l->strip_lines = strip_lines(l, l->strip_h);
    if (l->path == QUERNEL_I_PATH_STAGED) l->a_line = (ptrdiff_t)l->strip_pixels * l->a_pixel;
    else if (l->path == QUERNEL_I_PATH_INPLACE) l->a_line = l->x.stride_h;
    const int code = choose_flat(l, config, where, error);
    if (code) return code;
    choose_chunk(l, config, l2_bytes);
    return lay_out_workspace(l, where, error);
}
