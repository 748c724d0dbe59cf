// SPDX-License-Identifier: Apache-2.0
// Kernels that are wrong on purpose, each in one way. The checker must catch every one, and let the
// honest ones pass.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "kcheck.h"
#include "quernel/cpu.h"
#include "registry/registry.h"

#define REF (1u << QUERNEL_ISA_REF)

static void honest(const quernel_i_gemm *g) {
    quernel_i_registry_best(QUERNEL_I_OP_GEMM, REF, QUERNEL_TYPE_U8)->run.gemm(g);
}
static void honest_quantize(const quernel_i_quantize_args *r) {
    quernel_i_registry_best(QUERNEL_I_OP_QUANTIZE_NHWC, REF, -1)->run.quantize(r);
}
static void honest_range(const quernel_i_range *r) {
    quernel_i_registry_best(QUERNEL_I_OP_RANGE_NHWC, REF, -1)->run.range(r);
}

// Calls the honest kernel with an epilogue that was tampered with.
static void with_epilogue(const quernel_i_gemm *g, const quernel_i_epilogue *f) {
    quernel_i_gemm copy = *g;
    copy.epilogue = f;
    honest(&copy);
}

static volatile uint8_t sink;
static void reads_past_a_run(const quernel_i_gemm *g) {
    honest(g);
    for (uint32_t i = 0; i < g->n_k_runs; i++)
        sink = ((const uint8_t *)g->a)[(g->rows - 1) * g->a_row + g->k_runs[i].offset +
                                       4 * (ptrdiff_t)g->k_runs[i].k_quads];
}
static void reads_before_a_row(const quernel_i_gemm *g) {
    honest(g);
    ptrdiff_t min = 0;
    for (uint32_t i = 0; i < g->n_k_runs; i++)
        min = g->k_runs[i].offset < min ? g->k_runs[i].offset : min;
    sink = ((const uint8_t *)g->a)[min - 1];
}
static void writes_past_y(const quernel_i_gemm *g) {
    honest(g);
    const quernel_i_epilogue *f = g->epilogue;
    const size_t size = quernel_type_size((quernel_type)f->out);
    ((uint8_t *)f->y)[(g->rows - 1) * f->y_row + (g->oc - 1) * f->y_col + (ptrdiff_t)size] = 0;
}
static void writes_past_scratch(const quernel_i_gemm *g) {
    honest(g);
    ((uint8_t *)g->scratch)[64] = 1;
}
static void ignores_last_row(const quernel_i_gemm *g) {
    quernel_i_gemm copy = *g;
    if (copy.rows > 1) copy.rows--;
    honest(&copy);
}
static void ignores_last_oc(const quernel_i_gemm *g) {
    quernel_i_gemm copy = *g;
    if (copy.oc > 1) copy.oc--;
    honest(&copy);
}
static void ignores_last_k_quad(const quernel_i_gemm *g) {
    quernel_i_gemm copy = *g;
    quernel_i_k_run k_runs[8];
    memcpy(k_runs, g->k_runs, g->n_k_runs * sizeof *k_runs);
    if (k_runs[g->n_k_runs - 1].k_quads > 1) k_runs[g->n_k_runs - 1].k_quads--;
    copy.k_runs = k_runs;
    honest(&copy);
}
static void ignores_later_runs(const quernel_i_gemm *g) {
    quernel_i_gemm copy = *g;
    copy.n_k_runs = 1;
    honest(&copy);
}
static void ignores_init(const quernel_i_gemm *g) {
    static const int32_t zeros[256]; // of the most output channels that a shape has
    quernel_i_gemm copy = *g;
    copy.init = zeros;
    honest(&copy);
}
static void signed_rows(const quernel_i_gemm *g) {
    quernel_i_registry_best(QUERNEL_I_OP_GEMM, REF, QUERNEL_TYPE_S8)->run.gemm(g);
}
static void clobbers_source(const quernel_i_gemm *g) {
    honest(g);
    ((uint8_t *)g->a)[g->k_runs[0].offset] ^= 1;
}
static void changes_control_word(const quernel_i_gemm *g) {
    honest(g);
#if defined(__x86_64__)
    uint32_t word = 0x9fc0;
    __asm__ volatile("ldmxcsr %0" ::"m"(word));
#else
    __asm__ volatile("msr fpcr, %0" ::"r"((uint64_t)1 << 24));
#endif
}
static void changes_register(const quernel_i_gemm *g) {
    honest(g);
#if defined(__x86_64__)
    // not declared: the compiler does not save it
    __asm__ volatile("xor %%r13, %%r13" ::: "memory");
#else
    __asm__ volatile("movi d9, #0" ::: "memory");
#endif
}
static void drops_row_scale(const quernel_i_gemm *g) {
    quernel_i_epilogue f = *g->epilogue;
    f.row_scale = NULL;
    with_epilogue(g, &f);
}
static void drops_row_terms(const quernel_i_gemm *g) {
    quernel_i_epilogue f = *g->epilogue;
    f.row_term[1] = f.col_term[1] = NULL;
    with_epilogue(g, &f);
}
static void residual_too_early(const quernel_i_gemm *g) {
    quernel_i_epilogue f = *g->epilogue;
    f.residual_last = false;
    with_epilogue(g, &f);
}
// The leak that shows least: of one weight of the next oc and one code of the row before, times
// 2^31.
static void leaks_one_bit(const quernel_i_gemm *g) {
    honest(g);
    const quernel_i_epilogue *f = g->epilogue;
    const uint8_t *a = (const uint8_t *)g->a + g->k_runs[0].offset, *b = g->b;
    for (uint32_t m = 1; m < g->rows && g->oc > 1; m++) {
        uint32_t *sum = (uint32_t *)(void *)((uint8_t *)f->y + m * f->y_row);
        *sum ^= (uint32_t)(a[(m - 1) * g->a_row] & b[4] & 1) << 31;
    }
}
static void relu_for_prelu(const quernel_i_gemm *g) {
    quernel_i_epilogue f = *g->epilogue;
    if (f.act == QUERNEL_I_ACT_PRELU) f.act = QUERNEL_I_ACT_RELU;
    with_epilogue(g, &f);
}
static void wrong_output_clamp(const quernel_i_gemm *g) {
    quernel_i_epilogue f = *g->epilogue;
    f.q_hi -= 1.0f;
    with_epilogue(g, &f);
}

// Sums as vpmaddubsw makes them: pairs saturate at 16 bits.
static void saturates_pairs(const quernel_i_gemm *g) {
    static int32_t acc[200 * 80]; // no case has more rows
    for (uint32_t m = 0; m < g->rows; m++)
        for (uint32_t n = 0; n < g->oc; n++) {
            const int8_t *b = (const int8_t *)g->b + n / 16 * g->b_panel + n % 16 * 4;
            uint32_t sum = (uint32_t)g->init[n];
            for (uint32_t r = 0; r < g->n_k_runs; r++) {
                const uint8_t *a = (const uint8_t *)g->a + m * g->a_row + g->k_runs[r].offset;
                for (uint32_t k = 0; k < g->k_runs[r].k_quads; k++, a += 4, b += 64)
                    for (int i = 0; i < 4; i += 2) {
                        const int32_t pair = a[i] * b[i] + a[i + 1] * b[i + 1];
                        sum += (uint32_t)(pair > 32767 ? 32767 : pair < -32768 ? -32768 : pair);
                    }
            }
            acc[m * 80 + n] = (int32_t)sum;
        }
    quernel_i_registry_best(QUERNEL_I_OP_EPILOGUE, REF, -1)
        ->run.epilogue(acc, 80, g->rows, g->oc, g->epilogue);
}

static void loses_negative_zero(const quernel_i_gemm *g) {
    honest(g);
    const quernel_i_epilogue *f = g->epilogue;
    for (uint32_t m = 0; f->out == QUERNEL_TYPE_F32 && m < g->rows; m++)
        for (uint32_t n = 0; n < g->oc; n++) {
            float *y = (float *)((uint8_t *)f->y + m * f->y_row + n * f->y_col);
            *y += 0.0f;
        }
}

// The epilogue with a product and a sum where docs/numerics.md says fma; plain floats only, the
// rest is honest.
static void no_fma(const quernel_i_gemm *g) {
    honest(g);
    const quernel_i_epilogue *f = g->epilogue;
    if (f->out != QUERNEL_TYPE_F32 || f->residual || f->act || f->out_scale || f->row_scale ||
        f->row_term[0] || f->row_term[1])
        return;
    quernel_i_gemm copy = *g;
    quernel_i_epilogue sums = *f;
    static int32_t acc[200 * 80]; // no case has more rows
    sums.out = QUERNEL_TYPE_S32, sums.y = acc, sums.y_row = 80 * 4, sums.y_col = 4;
    copy.epilogue = &sums;
    honest(&copy);
    for (uint32_t m = 0; m < g->rows; m++)
        for (uint32_t n = 0; n < g->oc; n++) {
            volatile float product = (float)acc[m * 80 + n] * f->scale[n];
            const float t = product + f->bias[n];
            memcpy((uint8_t *)f->y + m * f->y_row + n * f->y_col, &t, sizeof t);
        }
}

static void honest_3x3(const quernel_i_conv *c) {
    quernel_i_registry_best(QUERNEL_I_OP_CONV3X3, REF, -1)->run.conv(c);
}
static void ignores_last_line(const quernel_i_conv *c) {
    quernel_i_conv copy = *c;
    if (copy.lines > 1) copy.lines--;
    honest_3x3(&copy);
}
// The last tap of the last channel, of one output channel alone.
static void ignores_last_tap_of_one(const quernel_i_conv *c) {
    const uint32_t line = 3 * c->window.channels, quad = 3 * ((line + 3) / 4) - 1;
    int8_t *w = (int8_t *)c->b + quad * 64 + (line - 1) % 4, kept = *w;
    *w = 0;
    honest_3x3(c);
    *w = kept;
}
// Winograd's largest input of a point, 4·d0 − 5·d2 + d4 both ways.
static int32_t point_of(const uint8_t *a, const quernel_i_conv *c) {
    static const int32_t row[5] = {4, 0, -5, 0, 1};
    int32_t point = 0;
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 5; j++) point += row[i] * row[j] * a[i * c->a_line + j * c->a_pixel];
    return point;
}
// As if those of the first line of tiles were kept in 14 bits.
static void overflows_in_a_point(const quernel_i_conv *c) {
    honest_3x3(c);
    for (uint32_t x = 0; c->lines >= 3 && x + 3 <= c->pixels; x += 4) {
        const int32_t point = point_of((const uint8_t *)c->a + x * c->a_pixel, c);
        if (point >= 1 << 13 || point < -(1 << 13))
            ((uint8_t *)c->epilogue->y)[x * c->epilogue->y_row] ^= 1;
    }
}
static void reads_a_pixel_more(const quernel_i_conv *c) {
    honest_3x3(c);
    sink = ((const uint8_t *)c->a)[(c->lines + 1) * c->a_line + (c->pixels + 2) * c->a_pixel];
}

static void each_row_byte(const quernel_i_quantize_args *r,
                          uint8_t (*change)(float x, float m, const quernel_i_quantize_args *r)) {
    for (uint32_t p = 0; p < r->pixels; p++)
        for (uint32_t c = 0; c < r->channels; c++)
            r->y[p * r->y_pixel + c] = change(r->x[p * r->x_pixel + c], r->mult[c], r);
}
static uint8_t half_up(float x, float m, const quernel_i_quantize_args *r) {
    return (uint8_t)((int32_t)floorf(quernel_i_clamp((x * m) * r->g, r->lo, r->hi) + 0.5f) +
                     r->zero);
}
static void rounds_half_up(const quernel_i_quantize_args *r) { each_row_byte(r, half_up); }
static uint8_t nan_low(float x, float m, const quernel_i_quantize_args *r) {
    const float t = (x * m) * r->g;
    return (uint8_t)(quernel_i_rne(t != t ? r->lo : quernel_i_clamp(t, r->lo, r->hi)) + r->zero);
}
static void nan_becomes_low(const quernel_i_quantize_args *r) { each_row_byte(r, nan_low); }
static uint8_t other_order(float x, float m, const quernel_i_quantize_args *r) {
    return (uint8_t)(quernel_i_rne(quernel_i_clamp(x * (m * r->g), r->lo, r->hi)) + r->zero);
}
static void multiplies_in_another_order(const quernel_i_quantize_args *r) {
    each_row_byte(r, other_order);
}
static void writes_between_pixels(const quernel_i_quantize_args *r) {
    honest_quantize(r);
    for (uint32_t p = 0; p + 1 < r->pixels && r->y_pixel > (ptrdiff_t)r->channels; p++)
        r->y[p * r->y_pixel + r->channels] = 0;
}
static void counts_infinities(const quernel_i_range *r) {
    honest_range(r);
    for (uint32_t p = 0; p < r->pixels; p++)
        for (uint32_t c = 0; c < r->channels; c++) {
            const float y = r->x[p * r->x_pixel + c] * r->mult[c];
            if (y > *r->max) *r->max = y;
        }
}
static void forgets_what_was_found(const quernel_i_range *r) {
    *r->min = *r->max = 0.0f;
    honest_range(r);
}

static void honest_eltwise(const quernel_i_eltwise *e) {
    quernel_i_registry_best(QUERNEL_I_OP_ELTWISE, REF, -1)->run.eltwise(e);
}
static void swaps_operands(const quernel_i_eltwise *e) {
    quernel_i_eltwise copy = *e;
    if (e->combine != QUERNEL_I_COMBINE_COPY) copy.x = e->z, copy.z = e->x;
    honest_eltwise(&copy);
}
static void takes_one_z(const quernel_i_eltwise *e) {
    quernel_i_eltwise copy = *e;
    copy.z.row = 0;
    honest_eltwise(&copy);
}
static void forgets_scales(const quernel_i_eltwise *e) {
    quernel_i_eltwise copy = *e;
    copy.x.scales = NULL;
    honest_eltwise(&copy);
}
static void steps_tables_by_column(const quernel_i_eltwise *e) {
    quernel_i_eltwise copy = *e;
    copy.p_row = 0;
    honest_eltwise(&copy);
}
static void honest_lookup(const quernel_i_lookup *l) {
    quernel_i_registry_best(QUERNEL_I_OP_LOOKUP, REF, -1)->run.lookup(l);
}
static void looks_up_seven_bits(const quernel_i_lookup *l) {
    honest_lookup(l);
    for (uint32_t m = 0; m < l->rows && l->table && l->x != l->y; m++)
        for (uint32_t n = 0; n < l->columns; n++)
            l->y[m * l->y_row + n * l->y_col] =
                (l->table + m * l->table_row +
                 n * l->table_col)[l->x[m * l->x_row + n * l->x_col] & 127];
}
static void takes_first_table(const quernel_i_lookup *l) {
    quernel_i_lookup copy = *l;
    copy.table_row = copy.table_col = 0;
    honest_lookup(&copy);
}

static void honest_pool(const quernel_i_pool *p) {
    quernel_i_registry_best(QUERNEL_I_OP_POOLMAX, REF, QUERNEL_TYPE_U8)->run.pool(p);
}
static void honest_sums(const quernel_i_pool *p) {
    quernel_i_registry_best(QUERNEL_I_OP_POOLSUM, REF, QUERNEL_TYPE_U8)->run.pool(p);
}
static void ignores_last_tap(const quernel_i_pool *p) {
    quernel_i_pool copy = *p;
    if (copy.kernel_w > 1) copy.kernel_w--;
    honest_pool(&copy);
}
static void signed_maxima(const quernel_i_pool *p) {
    quernel_i_registry_best(QUERNEL_I_OP_POOLMAX, REF, QUERNEL_TYPE_S8)->run.pool(p);
}
// Sums that are kept in 16 bits: they wrap where windows are large.
static void wraps_sums(const quernel_i_pool *p) {
    honest_sums(p);
    for (uint32_t m = 0; m < p->rows; m++)
        for (uint32_t c = 0; c < p->channels; c++) {
            int32_t *sum = (int32_t *)(void *)((uint8_t *)p->y + m * p->y_row) + c;
            *sum = p->init + (uint16_t)(*sum - p->init);
        }
}

static void honest_blend(const quernel_i_blend *b) {
    quernel_i_registry_best(QUERNEL_I_OP_BLEND, REF, QUERNEL_TYPE_U8)->run.blend(b);
}
// Products that are rounded before they are added, which is another float.
static void blends_by_products(const quernel_i_blend *b) {
    const uint8_t *x = b->x;
    for (uint32_t m = 0; m < b->rows; m++)
        for (uint32_t c = 0; c < b->channels; c++) {
            float *sum = &b->y[m * b->y_row + c];
            *sum = 0.0f;
            for (uint32_t i = m * b->taps; i < (m + 1) * b->taps; i++)
                *sum += b->share[i] * (float)(x[b->at[i] + c] - b->zero);
        }
}

static void honest_sample(const quernel_i_sample *s) {
    quernel_i_registry_best(QUERNEL_I_OP_SAMPLE, REF, -1)->run.sample(s);
}
static void ignores_last_sample(const quernel_i_sample *s) {
    quernel_i_sample fewer = *s;
    fewer.taps -= fewer.taps > 1;
    honest_sample(&fewer);
}

static void honest_normalize(const quernel_i_normalize *n) {
    quernel_i_registry_best(QUERNEL_I_OP_NORMALIZE, REF, -1)->run.normalize(n);
}
// Writes behind the last row.
static void normalizes_a_gap(const quernel_i_normalize *n) {
    honest_normalize(n);
    n->y[(ptrdiff_t)(n->rows - 1) * n->y_row + n->channels] = 0.0f;
}
// Takes the mean off no row.
static void forgets_mean(const quernel_i_normalize *n) {
    quernel_i_normalize other = *n;
    if (n->kind == QUERNEL_I_NORMALIZE_LAYER) other.kind = QUERNEL_I_NORMALIZE_RMS;
    honest_normalize(&other);
}

static size_t one_line(uint32_t k_quads) { return (void)k_quads, 64; }

#define KERNEL(op_, call_, f, ...)                                                            \
    {                                                                                         \
        .name = #f, .op = QUERNEL_I_OP_##op_, .call = QUERNEL_I_CALL_##call_,                 \
        .a_type = QUERNEL_TYPE_U8, .mr = 1, .nr = 16, .kr = 4, .krev = 1, .b_quad_bytes = 64, \
        __VA_ARGS__                                                                           \
    }
#define PRODUCT(f) KERNEL(GEMM, GEMM, f, .typed = true, .run.gemm = (f), .scratch = one_line)
#define CONV3X3(f)                                                                \
    KERNEL(CONV3X3, CONV, f, .typed = true, .run.conv = (f), .scratch = one_line, \
           .fits.stride_h = {1, 1}, .bound = QUERNEL_I_CONV3X3_BOUND)
#define QUANTIZE(f) KERNEL(QUANTIZE_NHWC, QUANTIZE, f, .run.quantize = (f))
#define RANGE(f) KERNEL(RANGE_NHWC, RANGE, f, .run.range = (f))
#define ELTWISE(f) KERNEL(ELTWISE, ELTWISE, f, .run.eltwise = (f))
#define LOOKUP(f) KERNEL(LOOKUP, LOOKUP, f, .run.lookup = (f))
#define POOLMAX(f) KERNEL(POOLMAX, POOL, f, .typed = true, .run.pool = (f))
#define POOLSUM(f) KERNEL(POOLSUM, POOL, f, .typed = true, .run.pool = (f))
#define BLEND(f) KERNEL(BLEND, BLEND, f, .typed = true, .run.blend = (f))
#define SAMPLE(f) KERNEL(SAMPLE, SAMPLE, f, .run.sample = (f))
#define NORMALIZE(f) KERNEL(NORMALIZE, NORMALIZE, f, .run.normalize = (f))
static const quernel_i_kernel honest_kernels[] = {
    PRODUCT(honest),       CONV3X3(honest_3x3),        QUANTIZE(honest_quantize),
    RANGE(honest_range),   ELTWISE(honest_eltwise),    LOOKUP(honest_lookup),
    POOLMAX(honest_pool),  POOLSUM(honest_sums),       BLEND(honest_blend),
    SAMPLE(honest_sample), NORMALIZE(honest_normalize)};
static const quernel_i_kernel broken_kernels[] = {PRODUCT(reads_past_a_run),
                                                  PRODUCT(reads_before_a_row),
                                                  PRODUCT(writes_past_y),
                                                  PRODUCT(writes_past_scratch),
                                                  PRODUCT(ignores_last_row),
                                                  PRODUCT(ignores_last_oc),
                                                  PRODUCT(ignores_last_k_quad),
                                                  PRODUCT(ignores_later_runs),
                                                  PRODUCT(ignores_init),
                                                  PRODUCT(signed_rows),
                                                  PRODUCT(clobbers_source),
                                                  PRODUCT(changes_control_word),
                                                  PRODUCT(changes_register),
                                                  PRODUCT(drops_row_scale),
                                                  PRODUCT(drops_row_terms),
                                                  PRODUCT(residual_too_early),
                                                  PRODUCT(relu_for_prelu),
                                                  PRODUCT(wrong_output_clamp),
                                                  PRODUCT(saturates_pairs),
                                                  PRODUCT(loses_negative_zero),
                                                  PRODUCT(no_fma),
                                                  CONV3X3(ignores_last_line),
                                                  CONV3X3(reads_a_pixel_more),
                                                  QUANTIZE(rounds_half_up),
                                                  QUANTIZE(nan_becomes_low),
                                                  QUANTIZE(multiplies_in_another_order),
                                                  QUANTIZE(writes_between_pixels),
                                                  RANGE(counts_infinities),
                                                  RANGE(forgets_what_was_found),
                                                  ELTWISE(swaps_operands),
                                                  ELTWISE(takes_one_z),
                                                  ELTWISE(forgets_scales),
                                                  ELTWISE(steps_tables_by_column),
                                                  LOOKUP(looks_up_seven_bits),
                                                  LOOKUP(takes_first_table),
                                                  POOLMAX(ignores_last_tap),
                                                  POOLMAX(signed_maxima),
                                                  POOLSUM(wraps_sums),
                                                  BLEND(blends_by_products),
                                                  SAMPLE(ignores_last_sample),
                                                  NORMALIZE(normalizes_a_gap),
                                                  NORMALIZE(forgets_mean)};

// Those whose sums are wrong: no proof may be found for them.
static const quernel_i_kernel wrong_sums[] = {
    PRODUCT(ignores_last_row),        PRODUCT(ignores_last_oc),     PRODUCT(ignores_last_k_quad),
    PRODUCT(ignores_later_runs),      PRODUCT(ignores_init),        PRODUCT(signed_rows),
    PRODUCT(saturates_pairs),         PRODUCT(leaks_one_bit),       CONV3X3(ignores_last_line),
    CONV3X3(ignores_last_tap_of_one), CONV3X3(overflows_in_a_point)};

// How many of the cases a kernel fails.
static uint32_t failures(const kcheck_options *o, const quernel_i_kernel *k) {
    const quernel_i_kernel *oracle = quernel_i_registry_oracle(k);
    uint32_t count = 0;
    for (uint64_t i = 0; i < o->cases; i++) count += kcheck_case(k, oracle, o->seed, i) != NULL;
    return count;
}

static void judged(const kcheck_options *o, const quernel_i_kernel *k, bool broken, bool caught,
                   const char *by, kcheck_result *result) {
    char line[320];
    const bool right = broken == caught;
    snprintf(line, sizeof line, "self-test: %s: %s by %s", k->name,
             right ? (broken ? "caught" : "not blamed") : "WRONGLY judged", by);
    if (o->report) o->report(o->user, line);
    if (right) result->passed++;
    else result->failed++;
}

static void judge(const kcheck_options *o, const quernel_i_kernel *k, bool broken,
                  kcheck_result *result) {
    char by[40];
    const uint32_t caught = failures(o, k);
    snprintf(by, sizeof by, "%u of %u cases", caught, o->cases);
    judged(o, k, broken, caught > 0, by, result);
}

static void judge_proof(const kcheck_options *o, const quernel_i_kernel *k, bool broken,
                        kcheck_result *result) {
    char text[200];
    const char *wrong = kcheck_prove(k, false, o->seed, text, sizeof text);
    judged(o, k, broken, wrong != NULL, wrong ? wrong : "its proof", result);
}

void kcheck_self_test(const kcheck_options *o, kcheck_result *ret_result) {
    *ret_result = (kcheck_result){0};
    for (size_t i = 0; i < sizeof honest_kernels / sizeof *honest_kernels; i++)
        judge(o, &honest_kernels[i], false, ret_result);
    for (size_t i = 0; i < sizeof broken_kernels / sizeof *broken_kernels; i++)
        judge(o, &broken_kernels[i], true, ret_result);
    for (size_t i = 0; i < 2; i++) judge_proof(o, &honest_kernels[i], false, ret_result);
    for (size_t i = 0; i < sizeof wrong_sums / sizeof *wrong_sums; i++)
        judge_proof(o, &wrong_sums[i], true, ret_result);
}
