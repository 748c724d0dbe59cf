// SPDX-License-Identifier: Apache-2.0
// GEMM for AVX2, u8 rows, exact on any data, by vpmaddubsw, whose sums of two products saturate at
// 16 bits. 255·128 does not: a pair of weights is plain if its sum is within ±128 or its signs
// differ. A quad of k of a sub-panel is one of three:
//   plain    all pairs are: rows are multiplied as they are, where they are
//   masked   of the other pairs the second value is complemented and its weight negated,
//            a·w + b·v = a·w + (255 − b)·(−v) + 255·v: the signs differ; a mask beside the weights
//            complements a broadcast quad of a row in the lanes of these output channels. The
//            constants go to what a sum begins with
//   split    a v of −128 cannot be negated: weights within ±64 and what is left, two plain steps
// Prepared weights are steps, each with the quad that it multiplies: the plain ones first, then the
// masked ones. In a trained layer few quads are masked: they take a pair of weights of one sign and
// of half the largest one on average.
//
// Plain int8 leaves the registers as bytes (finish.h); everything else goes to sums in L1, and the
// epilogue takes it from there. Sub-panels are the outer loop. Per step and row a broadcast of 4
// values, 2 vpmaddubsw, 2 vpmaddwd and 2 vpaddd: 384 products of a full tile in 36 operations, 24
// of them multiplications, and 48 instructions. Masked, 2 vpxor more for each row.
//   Zen 3   two multiply pipes: 12 cycles, 32 products a cycle, the peak of the saturating
//           instruction. The loop alone, in L1: plain 0.9 to 1.0 of it, masked 0.68 to 0.78
//           (gemm_u8s8_6x16x2, an addition for each multiplication: 0.76)
//   Zen 1   halves of vectors, one multiply pipe: 48 cycles, 8 a cycle; gemm_u8s8_2x32x4 has 9.9
//   Intel   36 operations on 3 vector ports, 48 instructions: 12 cycles; not timed here
#include <immintrin.h>

#include "finish.h"
#include "kernels/ukr.h"
#include "kernels/x86/fetch.h"
#include "tile.h"

enum {
    MR = TILE_MR,
    NR = TILE_NR,
    ROWS_MAX = 30, // whose sums are 2 KiB of L1
    STEP = NR * 4, // bytes of weights
    MASKED = 2 * STEP,
    LIMIT = 128,          // 255 times as much fits 16 bits
    HEAD = 192,           // before the steps: a head, and up to 63 bytes to align them
    FETCH_MAX = 28 << 10, // bytes of rows and lines of codes that L1 holds beside weights
};

// What a prepared sub-panel begins with.
typedef struct head {
    int32_t constants[NR];
    uint32_t n_plain, n_masked;
    uint32_t n_split; // plain steps that are half of a split one: the last of them
    uint32_t steps;   // bytes from here to the first step
} head;

// Behind the head: room for 2 plain steps or a masked one of each quad, the masked ones at the end;
// then how far each step's quad lies from the first one, as bytes of a row.
static inline size_t quads_at(uint32_t k_quads) { return HEAD + (size_t)k_quads * MASKED; }

size_t quernel_uk_gemm_u8s8_6x16x4_avx2_scratch(uint32_t k_quads);
// How far each step's quad lies from a row's address.
size_t quernel_uk_gemm_u8s8_6x16x4_avx2_scratch(uint32_t k_quads) {
    return ((size_t)k_quads * 2 * sizeof(ptrdiff_t) + 63) / 64 * 64;
}

// A sub-panel as it is being made.
typedef struct panel_writer {
    head head;
    uint8_t *steps;
    ptrdiff_t *quads;
    uint32_t k_quads;
    __m256i sum[2]; // of the complemented values' weights
} panel_writer;

// Writes a plain step; it stays if `kept`.
static inline void add_plain(panel_writer *p, uint32_t quad, const __m256i w[2], bool kept) {
    __m256i *to = (__m256i *)(p->steps + (size_t)p->head.n_plain * STEP);
    _mm256_storeu_si256(to, w[0]);
    _mm256_storeu_si256(to + 1, w[1]);
    p->quads[p->head.n_plain] = (ptrdiff_t)quad * 4;
    p->head.n_plain += kept;
}

static inline void add_masked(panel_writer *p, uint32_t quad, const __m256i w[2],
                              const __m256i far[2]) {
    const uint32_t at = ++p->head.n_masked;
    __m256i *to = (__m256i *)(p->steps + ((size_t)p->k_quads - at) * MASKED);
    for (int half = 0; half < 2; half++) {
        const __m256i second = _mm256_slli_epi16(far[half], 8);
        const __m256i sign = _mm256_or_si256(second, _mm256_set1_epi8(1));
        const __m256i taken = _mm256_and_si256(_mm256_srai_epi16(w[half], 8), far[half]);
        p->sum[half] =
            _mm256_add_epi32(p->sum[half], _mm256_madd_epi16(taken, _mm256_set1_epi16(1)));
        _mm256_storeu_si256(to + half, _mm256_sign_epi8(w[half], sign));
        _mm256_storeu_si256(to + 2 + half, second);
    }
    p->quads[2 * (size_t)p->k_quads - at] = (ptrdiff_t)quad * 4;
}

static inline void add_split(panel_writer *p, uint32_t quad, const __m256i w[2]) {
    const __m256i most = _mm256_set1_epi8(LIMIT / 2), least = _mm256_set1_epi8(-LIMIT / 2);
    __m256i part[2], rest[2];
    for (int half = 0; half < 2; half++) {
        part[half] = _mm256_min_epi8(_mm256_max_epi8(w[half], least), most);
        rest[half] = _mm256_sub_epi8(w[half], part[half]);
    }
    add_plain(p, quad, part, true);
    add_plain(p, quad, rest, true);
    p->head.n_split += 2;
}

// All bits of each pair of weights of one sign whose products may be too many.
static inline __m256i find_far(__m256i w) {
    const __m256i sums = _mm256_maddubs_epi16(_mm256_set1_epi8(1), w);
    return _mm256_cmpgt_epi16(_mm256_abs_epi16(sums), _mm256_set1_epi16(LIMIT));
}

// Whether a weight that would be negated is −128.
static inline bool has_least(__m256i w, __m256i far) {
    const __m256i least = _mm256_cmpeq_epi8(w, _mm256_set1_epi8(INT8_MIN));
    return !_mm256_testz_si256(least, _mm256_slli_epi16(far, 8));
}

static inline void load_quad(const int8_t *panel, uint32_t quad, __m256i w[2]) {
    const __m256i *at = (const __m256i *)(panel + (size_t)quad * STEP);
    w[0] = _mm256_load_si256(at), w[1] = _mm256_load_si256(at + 1);
}

// Writes the plain steps of up to 64 quads. No branch depends on weights: a bit for each of the
// others.
static uint64_t sort_quads(panel_writer *p, const int8_t *panel, uint32_t first, uint32_t end) {
    uint64_t others = 0;
    for (uint32_t g = first; g < end; g++) {
        __m256i w[2];
        load_quad(panel, g, w);
        const __m256i any = _mm256_or_si256(find_far(w[0]), find_far(w[1]));
        const bool is_plain = _mm256_testz_si256(any, any);
        add_plain(p, g, w, is_plain);
        others |= (uint64_t)!is_plain << (g - first);
    }
    return others;
}

// Writes the step of a quad if it is a masked one; returns whether it is not.
static bool mask_quad(panel_writer *p, const int8_t *panel, uint32_t quad) {
    __m256i w[2];
    load_quad(panel, quad, w);
    const __m256i far[2] = {find_far(w[0]), find_far(w[1])};
    if (has_least(w[0], far[0]) || has_least(w[1], far[1])) return true;
    add_masked(p, quad, w, far);
    return false;
}

// Behind all others, so that plain steps are in the order of their quads.
static void split_quads(panel_writer *p, const int8_t *panel) {
    for (uint32_t g = 0; g < p->k_quads; g++) {
        __m256i w[2];
        load_quad(panel, g, w);
        if (has_least(w[0], find_far(w[0])) || has_least(w[1], find_far(w[1]))) add_split(p, g, w);
    }
}

void quernel_uk_gemm_u8s8_6x16x4_avx2_prepare(const int8_t *panel, uint32_t k_quads, void *dst);
void quernel_uk_gemm_u8s8_6x16x4_avx2_prepare(const int8_t *panel, uint32_t k_quads, void *dst) {
    const uintptr_t first = (uintptr_t)dst + sizeof(head);
    const uint32_t pad = (uint32_t)(-first % 64);
    panel_writer p = {.head.steps = (uint32_t)sizeof(head) + pad,
                      .steps = (uint8_t *)dst + sizeof(head) + pad,
                      .quads = (ptrdiff_t *)(void *)((uint8_t *)dst + quads_at(k_quads)),
                      .k_quads = k_quads,
                      .sum = {_mm256_setzero_si256(), _mm256_setzero_si256()}};
    bool splits = false;
    for (uint32_t g = 0; g < k_quads; g += 64) {
        uint64_t others = sort_quads(&p, panel, g, k_quads - g < 64 ? k_quads : g + 64);
        for (; others; others &= others - 1)
            splits |= mask_quad(&p, panel, g + (uint32_t)__builtin_ctzll(others));
    }
    if (splits) split_quads(&p, panel);
    memmove(p.quads + p.head.n_plain, p.quads + 2 * (size_t)k_quads - p.head.n_masked,
            p.head.n_masked * sizeof *p.quads);
    for (int half = 0; half < 2; half++)
        _mm256_storeu_si256((__m256i *)(void *)p.head.constants + half,
                            _mm256_mullo_epi32(p.sum[half], _mm256_set1_epi32(UINT8_MAX)));
    memcpy(dst, &p.head, sizeof p.head);
}

#define PLAIN(k, at, acc0, acc1)              \
    "vpbroadcastd " at ", %%ymm14\n\t"        \
    "vpmaddubsw (%[b]), %%ymm14, %%ymm13\n\t" \
    "vpmaddubsw 32(%[b]), %%ymm14, %%ymm14\n\t" SUM(acc0, acc1)
#define MASK(k, at, acc0, acc1)               \
    "vpbroadcastd " at ", %%ymm14\n\t"        \
    "vpxor 64(%[b]), %%ymm14, %%ymm13\n\t"    \
    "vpxor 96(%[b]), %%ymm14, %%ymm14\n\t"    \
    "vpmaddubsw (%[b]), %%ymm13, %%ymm13\n\t" \
    "vpmaddubsw 32(%[b]), %%ymm14, %%ymm14\n\t" SUM(acc0, acc1)
#define SUM(acc0, acc1)                                  \
    "vpmaddwd %%ymm15, %%ymm13, %%ymm13\n\t"             \
    "vpmaddwd %%ymm15, %%ymm14, %%ymm14\n\t"             \
    "vpaddd %%ymm13, %%ymm" #acc0 ", %%ymm" #acc0 "\n\t" \
    "vpaddd %%ymm14, %%ymm" #acc1 ", %%ymm" #acc1 "\n\t"
// a, c: this step's quad of the first row and of the fourth.
#define NEXT                                           \
    "prefetcht1 (%[l],%[o],8)\n\tmov (%[o]), %[a]\n\t" \
    "lea (%[z],%[a]), %[c]\n\tadd %[x], %[a]\n\tadd $8, %[o]\n\t"
#define START(at, acc0, acc1) \
    "vmovdqu (%[i]), %%ymm" #acc0 "\n\tvmovdqu 32(%[i]), %%ymm" #acc1 "\n\t"

/// The steps of a sub-panel for a tile's rows: distances of their quads, plain weights, masked
/// ones, what a row's sums begin with.
typedef struct steps {
    const ptrdiff_t *distances;
    const uint8_t *plain, *masked;
    uint32_t n_plain, n_masked;
    const int32_t *start;
    uintptr_t later; // plus 8 times where a step's distance lies: what is prefetched meanwhile
} steps;

/// Where a tile's results go: sums to `acc`, rows of NR; or codes to y, of a call that finishes in
/// registers.
typedef struct results {
    int32_t *acc;
    const finish *finish; // NULL: sums
    const float *scale, *bias;
    uint8_t *y;
    ptrdiff_t y_row;
} results;

/// Rows at x, s bytes apart.
typedef void step_tile(const uint8_t *x, ptrdiff_t s, const steps *all, const results *to);

#define SUMS_1(op) op(0, 0, 1)
#define SUMS_2(op) SUMS_1(op) op(1, 2, 3)
#define SUMS_3(op) SUMS_2(op) op(2, 4, 5)
#define SUMS_4(op) SUMS_3(op) op(3, 6, 7)
#define SUMS_5(op) SUMS_4(op) op(4, 8, 9)
#define SUMS_6(op) SUMS_5(op) op(5, 10, 11)

// The sums' registers, whose values are taken at once: what stands in between may call (TSan's
// checks of every access do), and calls keep no vector register.
#define NAMED(row, acc0, acc1)                       \
    register __m256i ymm##acc0 __asm__("ymm" #acc0); \
    register __m256i ymm##acc1 __asm__("ymm" #acc1);
#define OUTPUT(row, acc0, acc1) "=x"(ymm##acc0), "=x"(ymm##acc1),
#define TAKE(row, acc0, acc1) const __m256i c##row = ymm##acc0, d##row = ymm##acc1;
#define KEEP(row, acc0, acc1)                                    \
    _mm256_store_si256((__m256i *)(to->acc + (row)*NR), c##row); \
    _mm256_store_si256((__m256i *)(to->acc + (row)*NR + 8), d##row);
#define FINISH(r, s) FINISH_AS(r, s, false)
#define FINISH_BARE(r, s) FINISH_AS(r, s, true)
#define FINISH_AS(r, s, bare)                                                    \
    finish_two(to->finish, bare, c##r, d##r, c##s, d##s, to->scale, to->bias, y, \
               (r) == (s) ? y : y + to->y_row);                                  \
    y += 2 * to->y_row;

#define STEP_TILE(rows)                                                                           \
    static void rows_##rows(const uint8_t *x, ptrdiff_t s, const steps *all, const results *to) { \
        const ptrdiff_t *o = all->distances;                                                      \
        const uint8_t *a, *c, *b = all->plain;                                                    \
        uint32_t n = all->n_plain, m = all->n_masked;                                             \
        SUMS_##rows(NAMED) __asm__ volatile(                                                      \
            "vpcmpeqw %%ymm15, %%ymm15, %%ymm15\n\tvpsrlw $15, %%ymm15, "                         \
            "%%ymm15\n\t" TILE_EDGE_##rows(                                                       \
                START) "test %[n], %[n]\n\tjz 2f\n\t.p2align 5\n1:\n\t" NEXT                      \
                TILE_ROWS_##rows(                                                                 \
                    PLAIN,                                                                        \
                    0) "add $64, %[b]\n\tdec %[n]\n\tjnz 1b\n2:\n\t"                              \
                       "test %[m], %[m]\n\tjz 4f\n\tmov %[w], %[b]\n\t.p2align 5\n3:\n\t" NEXT    \
                           TILE_ROWS_##rows(MASK,                                                 \
                                            0) "sub $-128, %[b]\n\tdec %[m]\n\tjnz 3b\n4:\n\t"    \
            : SUMS_##rows(OUTPUT)[a] "=&r"(a), [c] "=&r"(c), [b] "+&r"(b), [n] "+&r"(n),          \
              [m] "+&r"(m), [o] "+&r"(o)                                                          \
            : [x] "r"(x), [z] "r"(x + 3 * s), [s] "r"(s), [w] "m"(all->masked),                   \
              [i] "r"(all->start), [l] "r"(all->later)                                            \
            : "cc", "memory", "xmm13", "xmm14", "xmm15");                                         \
        SUMS_##rows(TAKE) uint8_t *y = to->y;                                                     \
        if (!to->finish) {                                                                        \
            SUMS_##rows(KEEP)                                                                     \
        } else if (to->finish->bare) {                                                            \
            PAIRS_##rows(FINISH_BARE)                                                             \
        } else {                                                                                  \
            PAIRS_##rows(FINISH)                                                                  \
        }                                                                                         \
    }
STEP_TILE(1)
STEP_TILE(2)
STEP_TILE(3)
STEP_TILE(4)
STEP_TILE(5)
STEP_TILE(6)
static step_tile *const step_tiles[MR] = {rows_1, rows_2, rows_3, rows_4, rows_5, rows_6};

// How many of `n` distances, those of one run before all others, lie in it.
static uint32_t count_within(const ptrdiff_t *distances, uint32_t n, ptrdiff_t first,
                             ptrdiff_t end) {
    uint32_t some = 0;
    while (some < n) {
        const uint32_t middle = some + (n - some) / 2;
        if (distances[middle] >= first && distances[middle] < end) some = middle + 1;
        else n = middle;
    }
    return some;
}

// Distances that follow each other as the runs do, or in the opposite order, to where the runs lie.
static void move_runs(const quernel_i_gemm *g, const ptrdiff_t *from, uint32_t n, bool backwards,
                      ptrdiff_t *to) {
    ptrdiff_t first = backwards ? (ptrdiff_t)g->k_quads * 4 : 0;
    for (uint32_t i = 0; i < g->n_k_runs; i++) {
        const quernel_i_k_run *run = &g->k_runs[backwards ? g->n_k_runs - 1 - i : i];
        const ptrdiff_t bytes = (ptrdiff_t)run->k_quads * 4;
        if (backwards) first -= bytes;
        const uint32_t some = count_within(from, n, first, first + bytes);
        for (uint32_t j = 0; j < some; j++) to[j] = from[j] + (run->offset - first);
        from += some, to += some, n -= some;
        if (!backwards) first += bytes;
    }
}

// The steps of a sub-panel. Their distances are those from a single run, or moved to several.
static steps find_steps(const quernel_i_gemm *g, const uint8_t *panel) {
    head h;
    memcpy(&h, panel, sizeof h);
    const ptrdiff_t *distances = (const ptrdiff_t *)(const void *)(panel + quads_at(g->k_quads));
    if (g->n_k_runs > 1) {
        ptrdiff_t *const to = g->scratch;
        const uint32_t whole = h.n_plain - h.n_split;
        move_runs(g, distances, whole, false, to);
        move_runs(g, distances + whole, h.n_split, false, to + whole);
        move_runs(g, distances + h.n_plain, h.n_masked, true, to + h.n_plain);
        distances = to;
    }
    const uint8_t *first = panel + h.steps;
    return (steps){distances, first,      first + ((size_t)g->k_quads - h.n_masked) * MASKED,
                   h.n_plain, h.n_masked, NULL,
                   0};
}

/// What the sub-panels of a call have in common.
typedef struct gemm_call {
    const quernel_i_gemm *g;
    bool plain;    // as epilogue_is_plain
    bool finishes; // in registers
    bool fetches;  // lines of codes
    finish finish;
} gemm_call;

// Rows are split evenly among tiles (14 rows: 5 + 5 + 4).
static void multiply(const quernel_i_gemm *g, uint32_t m, uint32_t rows, steps *all, results to) {
    const ptrdiff_t run = g->n_k_runs == 1 ? g->k_runs->offset : 0;
    const uint8_t *a = (const uint8_t *)g->a + (ptrdiff_t)m * g->a_row + run;
    for (uint32_t left = (rows + MR - 1) / MR; left; left--) {
        const uint32_t some = (rows + left - 1) / left;
        const void *later = quernel_i_ahead_take(g->ahead, (size_t)g->k_quads * STEP);
        all->later = (uintptr_t)(later ? later : all->plain) - 8 * (uintptr_t)all->distances;
        step_tiles[some - 1](a, g->a_row, all, &to);
        a += some * g->a_row, to.y += some * to.y_row, to.acc += some * NR, rows -= some;
    }
}

// All rows by up to 16 output channels from n on.
static void multiply_panel(const gemm_call *call, uint32_t n) {
    int32_t acc[ROWS_MAX * NR] __attribute__((aligned(64))), start[NR];
    const quernel_i_gemm *g = call->g;
    const quernel_i_epilogue *f = g->epilogue;
    const uint8_t *panel = (const uint8_t *)g->b + n / NR * g->b_panel;
    steps all = find_steps(g, panel);
    const int32_t *constants = (const int32_t *)(const void *)panel;
    for (uint32_t i = 0; i < NR; i++) // modulo 2^32
        start[i] = (int32_t)((uint32_t)g->init[n + i] + (uint32_t)constants[i]);
    all.start = start;
    const uint32_t oc = g->oc - n < NR ? g->oc - n : NR;
    const bool finishes = call->finishes && oc == NR;
    results to = {acc, NULL, f->scale + n, f->bias + n, (uint8_t *)f->y + n, f->y_row};
    if (finishes) to.finish = &call->finish;
    for (uint32_t m = 0, blocks = (g->rows + ROWS_MAX - 1) / ROWS_MAX, rows; blocks;
         blocks--, m += rows, to.y += rows * f->y_row) {
        rows = (g->rows - m + blocks - 1) / blocks;
        if (call->fetches && fetch_begins(n)) fetch_codes(f, m, n, rows);
        multiply(g, m, rows, &all, to);
        if (!finishes) epilogue_run(&(epilogue_tile){acc, rows, oc, m, n}, f, call->plain);
    }
}

void quernel_uk_gemm_u8s8_6x16x4_avx2(const quernel_i_gemm *g);
void quernel_uk_gemm_u8s8_6x16x4_avx2(const quernel_i_gemm *g) {
    gemm_call call;
    call.g = g;
    call.plain = epilogue_is_plain(g->epilogue);
    call.finishes = call.plain && epilogue_is_int8(g->epilogue) && finish_fits(g->epilogue, g->oc);
    if (call.finishes) call.finish = finish_of(g->epilogue);
    const size_t bytes = g->rows * ((size_t)g->k_quads * 4 + 64);
    call.fetches = call.finishes && g->epilogue->past_caches && bytes <= FETCH_MAX;
    for (uint32_t n = 0; n < g->oc; n += NR) multiply_panel(&call, n);
}
