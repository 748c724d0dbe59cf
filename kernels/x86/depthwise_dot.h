// SPDX-License-Identifier: Apache-2.0
// Depthwise with an instruction that adds four products of bytes to a 32-bit lane: a lane is four
// taps, one below the other, of one channel. A template for vectors of any width, over the
// instruction set's epilogue.h; who includes it defines
//   DOT_VECTOR        a vector; a byte of it is a channel
//   VECTOR(op)        the intrinsic `op` on it
//   VECTOR_BITS(op)   likewise, on all its bits
//   VECTOR_STORE(y, v)
//   row_of(at, width, count)      `count` bytes at at[g] for every group of `width` bytes
//   pixels_to(y, row, bytes, pixels, count)   `count` bytes of each vector, `row` apart
//   in_order(part, v)             32 bits of all channels in their order, from a quad's parts
// and has included kernels/x86/vnni_multiply.h.
//
// Four lines of x, unpacked to bytes and words, are four vectors of lanes: a quad. It serves two
// output lines:
//
//     input lines    0  1  2  3          3x3: weights of output line 0: w0 w1 w2  0
//                    └──┴──┴──┘                      of output line 1:  0 w0 w1 w2
//
// Sums of NCHW go from quads to lines of floats (lines.h), which are fetched before.
//
// A stretch of output pixels goes down all lines: from two output lines to the next two, or from
// one to the next where the stride is 2, two lines of x are new, and quads of 5x5 and 7x7 serve a
// second time. The quads of a stretch stay in L1; four pixels of both lines are summed in
// registers, each weight loaded once for them. Where fewer channels are left than a vector has, it
// takes two or four parts of the output side by side. s8 is moved to u8 and the start values put it
// right.
#include "kernels/template/depthwise.h"
#include "kernels/template/planes.h"
#include "kernels/x86/lines.h"

#if !defined DOT_VECTOR || !defined VECTOR || !defined VECTOR_BITS
#error "DOT_VECTOR, VECTOR, VECTOR_BITS: a vector and its intrinsics"
#endif

// acc += unsigned bytes of x · signed ones of w: kernels/x86/vnni_multiply.h
#define MULTIPLY(x, w, acc) \
    __asm__(VNNI_DOT " %2, %1, %0" : "+" VNNI_REGISTER(acc) : VNNI_REGISTER(x), VNNI_REGISTER(w))

enum {
    CHANNELS = sizeof(DOT_VECTOR),
    LANE = 16,                // bytes within which unpacking works
    GROUPS = CHANNELS / LANE, // at most
    LINES = 2,
    // outputs of a line whose sums are in registers together; where the registers hold more: LONG
    PIXELS = 4,
    LONG = CHANNELS == 64 ? 7 : PIXELS,
    LONG_TAPS = 5, // columns of the kernel, at most
    COLUMNS = 192, // of pairs of lines, which stay in L1: 24 KiB of 512-bit vectors
    STEP = 2,      // at most, of columns from output to output
    STRETCH = 16,  // outputs of a line whose sums wait for the epilogue
    // of NCHW, whose stores wait less for memory where they fill two cache lines; 8 are turned at a
    // time
    PLANES_STRETCH = 32,
    PLANES_PIXELS = 8,
    // of the kernel at a time
    QUADS = 2,
    TAPS = 7,
};

// Lane i of part p: channels 16i + 4p … + 3.
typedef struct quad {
    DOT_VECTOR part[4];
} quad;

// Two lines of x, their bytes unpacked.
typedef struct pair {
    DOT_VECTOR half[2];
} pair;

// What is multiplied at a time: lines and columns of the kernel.
typedef struct taps {
    uint32_t line, lines, quads, column, columns;
} taps;

// What is computed at a time, of each group's lines.
typedef struct stretch {
    uint32_t line, pixel, pixels;
} stretch;

#include "kernels/x86/depthwise_codes.h"

// What a call works with: channels of a vector, or what is left.
typedef struct work {
    const quernel_i_depthwise *d;
    uint32_t channel, count;
    uint32_t width, groups;                // bytes of a vector for each group of output lines
    uint32_t group_lines;                  // output lines of a group, the last may have fewer
    uint32_t lines;                        // that are computed together
    bool rolls;                            // two lines of x are new from these to the next
    bool planes, past;                     // lines_run makes output; of lines past the caches
    uint32_t step;                         // columns from output to output
    ptrdiff_t pitch;                       // bytes from column to column
    uint32_t kernel_columns;               // at a time
    uint32_t made, kept;                   // pairs of lines of x
    uint32_t spacing;                      // columns from one of these to the next
    ptrdiff_t first[GROUPS], last[GROUPS]; // what the output lines of these read first and last
    DOT_VECTOR flip;                       // moves bytes of x to u8
    quad init, weights[LINES][QUADS][TAPS];
    pair pairs[COLUMNS];
    quad sums[LINES][PLANES_STRETCH];
    codes codes;
    uint8_t outside[CHANNELS];
} work;

static inline uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }

static inline __attribute__((always_inline)) pair pair_of(DOT_VECTOR upper, DOT_VECTOR lower) {
    return (pair){{VECTOR(unpacklo_epi8)(upper, lower), VECTOR(unpackhi_epi8)(upper, lower)}};
}

static inline __attribute__((always_inline)) void quad_to(quad *to, pair upper, pair lower) {
    for (int h = 0; h < 2; h++) {
        to->part[2 * h] = VECTOR(unpacklo_epi16)(upper.half[h], lower.half[h]);
        to->part[2 * h + 1] = VECTOR(unpackhi_epi16)(upper.half[h], lower.half[h]);
    }
}

// Line `line` of the block of one kernel column; outside it 0.
static DOT_VECTOR weights_row(const work *w, const taps *t, int line, uint32_t column) {
    const quernel_i_depthwise *d = w->d;
    if (line < 0 || line >= (int)t->lines) return VECTOR_BITS(setzero)();
    const uint32_t tap = (t->line + (uint32_t)line) * d->kernel_w + t->column + column;
    const uint8_t *at[GROUPS];
    for (uint32_t g = 0; g < GROUPS; g++)
        at[g] = (const uint8_t *)d->w + tap * d->w_tap + w->channel;
    return row_of(at, w->width, w->count);
}

static void prepare_weights(work *w, const taps *t) {
    for (int l = 0; l < (int)w->lines; l++)
        for (int q = 0; q < (int)t->quads; q++)
            for (uint32_t j = 0; j < t->columns; j++) {
                DOT_VECTOR row[4];
                for (int i = 0; i < 4; i++) row[i] = weights_row(w, t, 4 * q + i - l, j);
                quad_to(&w->weights[l][q][j], pair_of(row[0], row[1]), pair_of(row[2], row[3]));
            }
}

// Less 128 times the weights, where x is moved by 128.
static void correct_init(work *w, const taps *t) {
    for (uint32_t q = 0; q < t->quads; q++)
        for (uint32_t j = 0; j < t->columns; j++)
            for (int p = 0; p < 4; p++) {
                DOT_VECTOR sum = VECTOR_BITS(setzero)();
                MULTIPLY(w->flip, w->weights[0][q][j].part[p], sum);
                w->init.part[p] = VECTOR(sub_epi32)(w->init.part[p], sum);
            }
}

// A row of columns for each group, and how far its columns lie apart.
typedef struct row {
    const uint8_t *at[GROUPS];
    ptrdiff_t pitch[GROUPS];
} row;

// Where the first lines of x are.
static void begin(work *w, const taps *t, const stretch *s) {
    const quernel_i_depthwise *d = w->d;
    for (uint32_t g = 0; g < w->groups; g++) {
        const uint32_t line = least(g * w->group_lines + (w->rolls ? 0 : s->line), d->lines - 1),
                       others = w->rolls ? least(w->group_lines, d->lines - line) - 1 : 0;
        w->first[g] = (ptrdiff_t)line * d->a_line + t->line * d->tap_line - d->top;
        w->last[g] = w->first[g] + (ptrdiff_t)others * d->a_line + (t->lines - 1) * d->tap_line;
    }
    w->made = 0;
}

// Line `line` of x from there, from byte `pixel` on; behind the last one, that one.
static inline row row_at(const work *w, uint32_t line, ptrdiff_t pixel) {
    const quernel_i_depthwise *d = w->d;
    row r;
    for (uint32_t g = 0; g < w->groups; g++) {
        const ptrdiff_t next = w->first[g] + line * d->tap_line,
                        at = next < w->last[g] ? next : w->last[g];
        const bool inside = depthwise_has_line(d, at);
        r.at[g] = inside ? (const uint8_t *)d->a + at + pixel + w->channel : w->outside;
        r.pitch[g] = inside ? w->pitch : 0;
    }
    return r;
}

static inline __attribute__((always_inline)) DOT_VECTOR
take(row *r, DOT_VECTOR flip, const uint32_t width, const uint32_t count) {
    const DOT_VECTOR v = VECTOR_BITS(xor)(row_of(r->at, width, count), flip);
#pragma GCC unroll 4
    for (uint32_t g = 0; g < CHANNELS / width; g++) r->at[g] += r->pitch[g];
    return v;
}

static inline __attribute__((always_inline)) void gather(row upper, row lower, DOT_VECTOR flip,
                                                         uint32_t columns, const uint32_t width,
                                                         const uint32_t count, pair *to) {
    for (uint32_t c = 0; c < columns; c++) {
        const DOT_VECTOR first = take(&upper, flip, width, count);
        to[c] = pair_of(first, take(&lower, flip, width, count));
    }
}

static void gather_rows(const work *w, const row *upper, const row *lower, uint32_t columns,
                        pair *to) {
    const uint32_t half = CHANNELS / 2;
    if (w->count == CHANNELS) gather(*upper, *lower, w->flip, columns, CHANNELS, CHANNELS, to);
    else if (w->width == CHANNELS) gather(*upper, *lower, w->flip, columns, CHANNELS, w->count, to);
    else if (w->width == LANE && w->count == LANE)
        gather(*upper, *lower, w->flip, columns, LANE, LANE, to);
    else if (w->width == LANE) gather(*upper, *lower, w->flip, columns, LANE, w->count, to);
    else if (w->count == half) gather(*upper, *lower, w->flip, columns, half, half, to);
    else gather(*upper, *lower, w->flip, columns, half, w->count, to);
}

// Pair n of lines of x.
static pair *pairs_at(work *w, uint32_t n) { return w->pairs + (n & (w->kept - 1)) * w->spacing; }

static void fill(const work *w, uint32_t from, uint32_t to, pair *pairs) {
    const DOT_VECTOR v = VECTOR_BITS(xor)(VECTOR(set1_epi8)((int8_t)w->d->outside), w->flip);
    for (uint32_t c = from; c < to; c++) pairs[c] = (pair){{v, v}};
}

// The next pair of lines.
static void make_pairs(work *w, const taps *t, const stretch *s) {
    const quernel_i_depthwise *d = w->d;
    const uint32_t columns = (s->pixels - 1) * w->step + t->columns;
    const ptrdiff_t pixel = (ptrdiff_t)s->pixel * d->a_row + t->column * d->tap_pixel - d->left;
    const depthwise_columns in = depthwise_inside(d, pixel, w->pitch, columns);
    pair *pairs = pairs_at(w, w->made);
    fill(w, 0, in.from, pairs);
    if (in.from < in.to) {
        const ptrdiff_t first = pixel + in.from * w->pitch;
        const row upper = row_at(w, 2 * w->made, first), lower = row_at(w, 2 * w->made + 1, first);
        gather_rows(w, &upper, &lower, in.to - in.from, pairs + in.from);
    }
    fill(w, in.to, columns, pairs);
    w->made++;
}

// What a stretch multiplies: constants for the commonest kernels.
typedef struct kind {
    uint32_t quads, columns, step, lines, pixels;
} kind;

// The first columns of a line of quads.
typedef struct quads {
    const pair *upper, *lower;
} quads;

// Part 2·half + odd of a column.
static inline __attribute__((always_inline)) DOT_VECTOR part_of(quads x, uint32_t column, int half,
                                                                int odd) {
    const DOT_VECTOR upper = x.upper[column].half[half], lower = x.lower[column].half[half];
    return odd ? VECTOR(unpackhi_epi16)(upper, lower) : VECTOR(unpacklo_epi16)(upper, lower);
}

// One part of some outputs of each line.
static inline __attribute__((always_inline)) void multiply(const work *w, const quads x[QUADS],
                                                           int half, int odd, const kind k,
                                                           DOT_VECTOR sum[LINES][LONG]) {
#pragma GCC unroll 2
    for (uint32_t q = 0; q < k.quads; q++) {
        DOT_VECTOR part[(LONG - 1) * STEP + TAPS];
#pragma GCC unroll 7
        for (uint32_t j = 0; j < k.columns; j++) {
#pragma GCC unroll 8
            for (uint32_t i = j < k.step ? 0 : k.pixels - 1; i < k.pixels;
                 i++) // columns not yet met
                part[i * k.step + j] = part_of(x[q], i * k.step + j, half, odd);
#pragma GCC unroll 2
            for (uint32_t l = 0; l < k.lines; l++) {
                const DOT_VECTOR weights = w->weights[l][q][j].part[2 * half + odd];
#pragma GCC unroll 8
                for (uint32_t i = 0; i < k.pixels; i++)
                    MULTIPLY(part[i * k.step + j], weights, sum[l][i]);
            }
        }
    }
}

static inline __attribute__((always_inline)) void advance(quads x[QUADS], const kind k) {
#pragma GCC unroll 2
    for (uint32_t q = 0; q < k.quads; q++)
        x[q].upper += k.pixels * k.step, x[q].lower += k.pixels * k.step;
}

// Codes of some pixels of a line of all groups.
static __attribute__((noinline)) void put_groups(const work *w, uint32_t line, uint8_t *y,
                                                 uint32_t pixels, const DOT_VECTOR *v) {
    const quernel_i_depthwise *d = w->d;
    for (uint32_t g = 0; g < w->groups && line < w->group_lines; g++) {
        const uint32_t at = g * w->group_lines + line;
        if (at < d->lines)
            pixels_to(y + (ptrdiff_t)at * d->y_line, d->epilogue->y_row,
                      (const uint8_t *)v + g * w->width, pixels, w->count);
    }
}

static inline __attribute__((always_inline)) void put(const work *w, uint32_t line, uint32_t pixel,
                                                      uint32_t pixels, const kind k,
                                                      const DOT_VECTOR *v) {
    const ptrdiff_t y_row = w->d->epilogue->y_row;
    uint8_t *y = (uint8_t *)w->d->epilogue->y + (ptrdiff_t)pixel * y_row + w->channel;
    if (w->count < CHANNELS) {
        DOT_VECTOR some[LONG];
#pragma GCC unroll 8
        for (uint32_t i = 0; i < k.pixels; i++) some[i] = v[i];
        put_groups(w, line, y, least(pixels, k.pixels), some);
    } else if (line < w->d->lines) {
        y += (ptrdiff_t)line * w->d->y_line;
#pragma GCC unroll 8
        for (uint32_t i = 0; i < k.pixels; i++, y += y_row)
            if (i < pixels) VECTOR_STORE(y, v[i]);
    }
}

static inline __attribute__((always_inline)) void
round_sums(const work *w, int part, bool ends, const kind k, DOT_VECTOR sum[LINES][LONG]) {
#pragma GCC unroll 2
    for (uint32_t l = 0; l < k.lines; l++)
#pragma GCC unroll 8
        for (uint32_t i = 0; i < k.pixels; i++)
            sum[l][i] = codes_round(&w->codes, sum[l][i], part, ends);
}

// Half of the sums as words.
static inline __attribute__((always_inline)) void run_words(const work *w, const quads x[QUADS],
                                                            int half, const kind k,
                                                            DOT_VECTOR words[LINES][LONG]) {
    DOT_VECTOR sum[2][LINES][LONG];
#pragma GCC unroll 2
    for (int odd = 0; odd < 2; odd++) {
        const int p = 2 * half + odd;
#pragma GCC unroll 2
        for (uint32_t l = 0; l < LINES; l++)
#pragma GCC unroll 8
            for (uint32_t i = 0; i < k.pixels; i++) sum[odd][l][i] = w->init.part[p];
        multiply(w, x, half, odd, k, sum[odd]);
        if (w->codes.ends) round_sums(w, p, true, k, sum[odd]);
        else round_sums(w, p, false, k, sum[odd]);
    }
#pragma GCC unroll 2
    for (uint32_t l = 0; l < k.lines; l++)
#pragma GCC unroll 8
        for (uint32_t i = 0; i < k.pixels; i++)
            words[l][i] = VECTOR(packs_epi32)(sum[0][l][i], sum[1][l][i]);
}

static inline __attribute__((always_inline)) void run_codes(const work *w, const stretch *s,
                                                            quads x[QUADS], const kind k) {
    for (uint32_t m = 0; m < s->pixels; m += k.pixels) {
        DOT_VECTOR words[2][LINES][LONG];
#pragma GCC unroll 2
        for (int half = 0; half < 2; half++) run_words(w, x, half, k, words[half]);
#pragma GCC unroll 2
        for (uint32_t l = 0; l < k.lines; l++) {
            codes_end(&w->codes, words[0][l], words[1][l], k.pixels);
            put(w, s->line + l, s->pixel + m, s->pixels - m, k, words[0][l]);
        }
        advance(x, k);
    }
}

// One part of the sums, onto those of the blocks before.
static inline __attribute__((always_inline)) void
run_part(work *w, uint32_t m, const quads x[QUADS], int half, int odd, bool first, const kind k) {
    const int p = 2 * half + odd;
    DOT_VECTOR sum[LINES][LONG];
#pragma GCC unroll 2
    for (uint32_t l = 0; l < LINES; l++)
#pragma GCC unroll 8
        for (uint32_t i = 0; i < k.pixels; i++)
            sum[l][i] = first ? w->init.part[p] : w->sums[l][m + i].part[p];
    multiply(w, x, half, odd, k, sum);
#pragma GCC unroll 2
    for (uint32_t l = 0; l < k.lines; l++)
#pragma GCC unroll 8
        for (uint32_t i = 0; i < k.pixels; i++) w->sums[l][m + i].part[p] = sum[l][i];
}

static inline __attribute__((always_inline)) void
run_sums(work *w, const stretch *s, quads x[QUADS], bool first, const kind k) {
    for (uint32_t m = 0; m < s->pixels; m += k.pixels) {
        for (int half = 0; half < 2; half++) {
            run_part(w, m, x, half, 0, first, k);
            run_part(w, m, x, half, 1, first, k);
        }
        advance(x, k);
    }
}

static inline __attribute__((always_inline)) void run_kind(work *w, const stretch *s, const taps *t,
                                                           quads x[QUADS], const kind k) {
    if (w->codes.plain) run_codes(w, s, x, k);
    else run_sums(w, s, x, t->line + t->column == 0, k);
}

static inline bool is_kind(const kind *a, const kind *b) {
    return a->quads == b->quads && a->columns == b->columns && a->step == b->step &&
           a->lines == b->lines && a->pixels == b->pixels;
}

// As many outputs at a time as compute the fewest in vain; LONG where strides are alike.
static uint32_t pixels_of(const work *w, const stretch *s) {
    const bool alike = w->step + w->lines == 3;
    const uint32_t longer = (s->pixels + LONG - 1) / LONG * LONG,
                   shorter = (s->pixels + PIXELS - 1) / PIXELS * PIXELS;
    return alike && w->codes.plain && w->kernel_columns <= LONG_TAPS && longer <= shorter ? LONG
                                                                                          : PIXELS;
}

#define RUN_KIND(...)                                      \
    if (is_kind(&k, &(const kind){__VA_ARGS__, PIXELS})) { \
        run_kind(w, s, t, x, (kind){__VA_ARGS__, PIXELS}); \
        return;                                            \
    }
#define RUN_LONG(...)                                                     \
    if (LONG > PIXELS && is_kind(&k, &(const kind){__VA_ARGS__, LONG})) { \
        run_codes(w, s, x, (kind){__VA_ARGS__, LONG});                    \
        return;                                                           \
    }

// Strides 1 and 2, and those of networks that read lines of text: one of either.
#define RUN_STRIDES(quads, columns) \
    RUN_KIND(quads, columns, 1, 2)  \
    RUN_KIND(quads, columns, 2, 1) RUN_KIND(quads, columns, 1, 1) RUN_KIND(quads, columns, 2, 2)

static void run_taps(work *w, const taps *t, const stretch *s) {
    const kind k = {t->quads, t->columns, w->step, w->lines, pixels_of(w, s)};
    const uint32_t n = w->made - 2 * t->quads;
    quads x[QUADS];
#pragma GCC unroll 2
    for (uint32_t q = 0; q < QUADS; q++)
        x[q] = (quads){pairs_at(w, n + 2 * q), pairs_at(w, n + 2 * q + 1)};
    RUN_LONG(1, 3, 1, 2)
    RUN_LONG(1, 3, 2, 1)
    RUN_LONG(2, 5, 1, 2)
    RUN_LONG(2, 5, 2, 1)
    RUN_STRIDES(1, 3)
    RUN_STRIDES(2, 5)
    RUN_KIND(2, 7, 1, 2)
    RUN_KIND(2, 7, 2, 1)
    run_kind(w, s, t, x, k);
}

// Tiles for the epilogue: of as many channels as it takes, or a group has.
typedef struct tiles {
    int32_t sums[GROUPS][STRETCH * EPILOGUE_NR] __attribute__((aligned(64)));
    uint32_t channels;
} tiles;

// The sums of a line of all groups.
static void tiles_of(const work *w, const quad *sums, uint32_t pixels, tiles *t) {
    int32_t *to[4];
    t->channels = least(w->width, EPILOGUE_NR);
    for (uint32_t i = 0; i < 4; i++) {
        const uint32_t channel = i * CHANNELS / 4;
        to[i] = t->sums[channel / t->channels] + channel % t->channels;
    }
    for (uint32_t m = 0; m < pixels; m++) {
        DOT_VECTOR v[4];
        in_order(sums[m].part, v);
#pragma GCC unroll 4
        for (uint32_t i = 0; i < 4; i++) memcpy(to[i] + m * EPILOGUE_NR, v + i, CHANNELS);
    }
}

static void finish_line(const work *w, const stretch *s, tiles *t, uint32_t group, uint32_t line) {
    const quernel_i_epilogue f = depthwise_epilogue(w->d, line);
    int32_t *sums = t->sums[group * w->width / t->channels];
    for (uint32_t c = 0; c < w->count; c += t->channels, sums += STRETCH * EPILOGUE_NR)
        epilogue_run(&(epilogue_tile){sums, s->pixels, least(w->count - c, t->channels), s->pixel,
                                      w->channel + c},
                     &f, epilogue_is_plain(&f));
}

#include "kernels/x86/depthwise_planes.h"

static void finish_sums(const work *w, const stretch *s) {
    tiles t;
    for (uint32_t l = 0; l < w->lines && s->line + l < w->group_lines; l++) {
        if (!w->planes) tiles_of(w, w->sums[l], s->pixels, &t);
        for (uint32_t g = 0; g < w->groups; g++) {
            const uint32_t line = g * w->group_lines + s->line + l;
            if (line >= w->d->lines) continue;
            if (w->planes) finish_planes(w, s, w->sums[l], g, line);
            else finish_line(w, s, &t, g, line);
        }
    }
}

// The block of the kernel that begins here.
static taps taps_at(const work *w, uint32_t line, uint32_t column) {
    const quernel_i_depthwise *d = w->d;
    taps t = {.line = line, .column = column};
    t.lines = least(d->kernel_h - line, 4 * QUADS);
    t.quads = (t.lines + w->lines + 2) / 4;
    t.columns = least(d->kernel_w - column, w->kernel_columns);
    return t;
}

// Whether the kernel is one block.
static bool whole(const work *w) {
    return w->d->kernel_h <= 4 * QUADS && w->d->kernel_w <= w->kernel_columns;
}

// All blocks of the kernel, for output lines that begin `n` steps down.
static void run_stretch(work *w, const stretch *s, uint32_t n) {
    const quernel_i_depthwise *d = w->d;
    if (w->planes) fetch_planes(w, s);
    for (uint32_t i = 0; i < d->kernel_h; i += 4 * QUADS)
        for (uint32_t j = 0; j < d->kernel_w; j += w->kernel_columns) {
            const taps t = taps_at(w, i, j);
            const uint32_t first = w->rolls ? n : 0;
            if (!whole(w)) prepare_weights(w, &t);
            if (!first) begin(w, &t, s);
            while (w->made < first + 2 * t.quads) make_pairs(w, &t, s);
            run_taps(w, &t, s);
        }
    if (!w->codes.plain) finish_sums(w, s);
}

// Weights and start values of the channels.
static void prepare(work *w) {
    const quernel_i_depthwise *d = w->d;
    table_of(d->init + w->channel, w->width, w->count, &w->init);
    for (uint32_t i = 0; i < d->kernel_h; i += 4 * QUADS)
        for (uint32_t j = 0; j < d->kernel_w; j += w->kernel_columns) {
            const taps t = taps_at(w, i, j);
            prepare_weights(w, &t);
            correct_init(w, &t);
        }
    codes_of(&w->codes, d->epilogue, w->channel, w->width, w->count);
    w->codes.plain &= whole(w) && !(d->epilogue->residual && d->r_line); // one for all lines
}

static inline uint32_t whole_planes(uint32_t pixels) {
    return (pixels + PLANES_PIXELS - 1) / PLANES_PIXELS * PLANES_PIXELS;
}

// Whole PIXELS, whose quads fit.
static uint32_t most_pixels(const work *w) {
    const uint32_t fitting = (w->spacing - w->kernel_columns) / w->step + 1,
                   whole = fitting / PLANES_PIXELS * PLANES_PIXELS;
    if (w->codes.plain) return fitting / PIXELS * PIXELS;
    return least(w->planes ? PLANES_STRETCH : STRETCH, whole);
}

static void run_channels(work *w) {
    const quernel_i_depthwise *d = w->d;
    prepare(w);
    const uint32_t lines = (d->lines + w->groups - 1) / w->groups, most = most_pixels(w);
    w->group_lines = (lines + w->lines - 1) / w->lines * w->lines;
    stretch s = {0};
    for (uint32_t left = (d->rows + most - 1) / most; left; left--, s.pixel += s.pixels) {
        s.pixels = (d->rows - s.pixel + left - 1) / left;
        if (w->planes) s.pixels = least(whole_planes(s.pixels), d->rows - s.pixel);
        for (uint32_t n = 0; n < w->group_lines / w->lines; n++) {
            s.line = n * w->lines;
            run_stretch(w, &s, n);
        }
    }
}

// What output pixels and lines share.
static void share(work *w) {
    const quernel_i_depthwise *d = w->d;
    const ptrdiff_t step = d->a_row % d->tap_pixel ? 0 : d->a_row / d->tap_pixel;
    const bool columns = step >= 1 && step <= STEP;
    w->step = columns ? (uint32_t)step : 1;
    w->pitch = columns ? d->tap_pixel : d->a_row;
    w->kernel_columns = columns ? least(TAPS, d->kernel_w) : 1;
    const bool both = d->a_line == d->tap_line && d->kernel_h < 4 * QUADS;
    w->lines = both && whole(w) ? 2 : 1;
    w->rolls = w->lines == 2 || (d->a_line == 2 * d->tap_line && whole(w));
    w->kept = 2 * taps_at(w, 0, 0).quads, w->spacing = COLUMNS / w->kept;
}

static void depthwise(const quernel_i_depthwise *d, bool is_signed) {
    work w; // most of it is written before it is read
    w.planes = lines_fit(d->epilogue), w.past = lines_past(d->epilogue);
    w.d = d, w.flip = VECTOR(set1_epi8)(is_signed ? INT8_MIN : 0);
    memset(w.outside, d->outside, CHANNELS);
    share(&w);
    for (w.channel = 0; w.channel < d->oc; w.channel += w.count) {
        const uint32_t left = d->oc - w.channel;
        for (w.width = CHANNELS; w.width > LANE && left <= w.width / 2;) w.width /= 2;
        w.count = least(left, w.width), w.groups = CHANNELS / w.width;
        run_channels(&w);
    }
    lines_end(w.past);
}
