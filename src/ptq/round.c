// SPDX-License-Identifier: Apache-2.0
// Rounding weights so that their errors cancel on the samples. For each set of im2col columns that
// meet together: their covariance in codes, its Cholesky factor, then one column after another,
// each rounded with what the ones before it lack.
#include <string.h>

#include "base/num.h"
#include "ptq/chosen.h"
#include "ptq/covariance.h"

#define WHERE "round"
// Columns of a covariance: it takes 128 MiB then; longer ones are rounded plainly.
enum { MAX = 4096 };

// What is rounded at once: the columns of a group whose taps meet the same output pixels. More than
// one such set a group only where the layer is transposed.
typedef struct part {
    uint32_t group, phase_h, phase_w;
    size_t size;
} part;

typedef struct rounding {
    quernel_i_chosen c;
    quernel_i_fake fake;
    const float *scale;      // [out]
    uint32_t step_h, step_w; // phases of the output pixels
    double pixels;           // of all samples
    double *exact, *coded;   // [groups·k] means of the input, and of what its codes stand for
    double *power;           // [k] of a part: mean squares
    size_t *order;           // [k] of a part: its columns, the least power first
    quernel_i_covariance covariance;
    double *lack, *plain_lack, *sums; // [size][group_out], the same of plain rounding; [group_out]
    double *noise, *plain_noise;      // [group_out]
    int8_t *codes;                    // [groups·k][group_out]
} rounding;

static uint32_t phase_of(uint32_t tap, uint32_t dilation, uint32_t step) {
    return tap * dilation % step;
}

// The columns of a part in their order.
static size_t list_columns(const rounding *r, const part *p, size_t *ret_columns) {
    const quernel_i_weights_shape *s = &r->c.f.shape;
    const quernel_conv2d_desc *g = &r->c.f.geometry;
    size_t size = 0;
    for (uint32_t t = 0; t < s->taps; t++)
        if (phase_of(t / s->kernel_w, g->dilation_h, r->step_h) == p->phase_h &&
            phase_of(t % s->kernel_w, g->dilation_w, r->step_w) == p->phase_w)
            for (uint32_t c = 0; c < s->group_in; c++)
                ret_columns[size++] = (size_t)t * s->group_in + c;
    return size;
}

// An output pixel of a part.
typedef struct pixel {
    uint32_t image, n, y, x;
} pixel;

// Whether the output pixel is one that the taps of the part meet.
static bool meets(const rounding *r, const part *p, const pixel *at) {
    const quernel_conv2d_desc *g = &r->c.f.geometry;
    return (at->y + g->pad_top) % r->step_h == p->phase_h &&
           (at->x + g->pad_left) % r->step_w == p->phase_w;
}

// Moves to the next pixel of all samples. False behind the last one.
static bool step(const rounding *r, pixel *at) {
    const quernel_i_ptq_image *i = &r->c.f.images[at->image];
    if (++at->x < i->out_w) return true;
    at->x = 0;
    if (++at->y < i->out_h) return true;
    at->y = 0;
    if (++at->n < i->n) return true;
    at->n = 0;
    return ++at->image < r->c.f.count;
}

static void gather(const rounding *r, const part *p, const pixel *at) {
    quernel_i_ptq_layer_gather(&r->c.f, &r->c.f.images[at->image], at->n, at->y, at->x, p->group,
                               r->c.f.row);
}

static void quantize(const rounding *r, const part *p) {
    const quernel_quant *q = &r->c.choice.quant;
    quernel_i_ptq_layer_quantize(&r->c.f, &r->fake, p->group, (quernel_i_scale){q->scale, q->zero},
                                 r->c.f.row);
}

static void find_means(rounding *r, const part *p) {
    double *exact = r->exact + p->group * r->c.f.k, *coded = r->coded + p->group * r->c.f.k;
    const float *row = r->c.f.row;
    pixel at = {0, 0, 0, 0};
    memset(r->power, 0, r->c.f.k * sizeof *r->power);
    do {
        if (!meets(r, p, &at)) continue;
        gather(r, p, &at);
        for (size_t i = 0; i < p->size; i++)
            exact[r->order[i]] += (double)row[r->order[i]] / r->pixels;
        quantize(r, p);
        for (size_t i = 0; i < p->size; i++) {
            const double t = (double)row[r->order[i]];
            coded[r->order[i]] += t / r->pixels, r->power[r->order[i]] += t * t / r->pixels;
        }
    } while (step(r, &at));
}

// The least power first: columns are rounded from the last on, and those that come late make up for
// the early ones.
static void sort_columns(rounding *r, size_t size) {
    for (size_t gap = size / 2; gap; gap /= 2)
        for (size_t i = gap; i < size; i++) {
            const size_t column = r->order[i];
            size_t to = i;
            for (; to >= gap && r->power[r->order[to - gap]] > r->power[column]; to -= gap)
                r->order[to] = r->order[to - gap];
            r->order[to] = column;
        }
}

static void find_covariance(rounding *r, const part *p) {
    pixel at = {0, 0, 0, 0};
    quernel_i_covariance_begin(&r->covariance, p->size, r->order);
    do {
        if (!meets(r, p, &at)) continue;
        gather(r, p, &at);
        quantize(r, p);
        quernel_i_covariance_add(&r->covariance, r->c.f.row);
    } while (step(r, &at));
    quernel_i_covariance_end(&r->covariance, r->pixels, r->coded + p->group * r->c.f.k);
}

// Rounds column i of the order in all output channels.
static void round_column(rounding *r, const part *p, size_t i) {
    const uint32_t out = r->c.f.shape.group_out;
    const size_t row = (p->group * r->c.f.k + r->order[i]) * out;
    const double *factor = r->covariance.gram + i * p->size;
    memset(r->sums, 0, out * sizeof *r->sums);
    for (size_t j = i + 1; j < p->size; j++)
        for (uint32_t n = 0; n < out; n++) r->sums[n] += factor[j] * r->lack[j * out + n];
    for (uint32_t n = 0; n < out; n++) {
        const double w = (double)r->c.smoothed[row + n], d = (double)r->scale[p->group * out + n];
        const float wanted = (float)((w + r->sums[n] / factor[i]) / d);
        r->codes[row + n] = (int8_t)quernel_i_rne(quernel_i_clamp(wanted, -127.0f, 127.0f));
        r->lack[i * out + n] = w - (double)r->codes[row + n] * d;
        r->plain_lack[i * out + n] = w - (double)r->c.quantized[row + n];
    }
}

static int8_t plain_code(const rounding *r, size_t row, uint32_t channel, uint32_t n) {
    return (int8_t)quernel_i_rne(r->c.quantized[row + n] / r->scale[channel]);
}

// Takes the plain codes: of all output channels, or of those that are better off with them.
static void take_plain(rounding *r, const part *p, bool all) {
    const uint32_t out = r->c.f.shape.group_out;
    for (size_t i = 0; i < p->size; i++) {
        const size_t row = (p->group * r->c.f.k + r->order[i]) * out;
        for (uint32_t n = 0; n < out; n++)
            if (all || r->plain_noise[n] <= r->noise[n])
                r->codes[row + n] = plain_code(r, row, p->group * out + n, n);
    }
}

static void round_part(rounding *r, part *p) {
    p->size = list_columns(r, p, r->order);
    if (!p->size) return;
    find_means(r, p);
    if (p->size > MAX) {
        take_plain(r, p, true);
        return;
    }
    sort_columns(r, p->size);
    find_covariance(r, p);
    quernel_i_covariance_factorize(&r->covariance);
    for (size_t i = p->size; i-- > 0;) round_column(r, p, i);
    const uint32_t out = r->c.f.shape.group_out;
    quernel_i_covariance_noise(&r->covariance, r->lack, out, r->sums, r->noise);
    quernel_i_covariance_noise(&r->covariance, r->plain_lack, out, r->sums, r->plain_noise);
    take_plain(r, p, false);
}

static void round_all(rounding *r) {
    part p;
    for (p.group = 0; p.group < r->c.f.shape.groups; p.group++)
        for (p.phase_h = 0; p.phase_h < r->step_h; p.phase_h++)
            for (p.phase_w = 0; p.phase_w < r->step_w; p.phase_w++) round_part(r, &p);
}

// The bias with what the mean of the output lacks.
static void correct(const rounding *r, float *ret_bias) {
    const quernel_i_ptq_layer *f = &r->c.f;
    const float *bias = f->layer.op.epilogue.bias;
    for (uint32_t n = 0; n < f->shape.out; n++) {
        double sum = bias ? (double)bias[n] : 0.0;
        for (size_t k = 0; k < f->k; k++) {
            const size_t row = n / f->shape.group_out * f->k + k,
                         at = row * f->shape.group_out + n % f->shape.group_out;
            sum += r->exact[row] * (double)f->matrix[at] -
                   r->coded[row] * (double)r->codes[at] * (double)r->scale[n];
        }
        ret_bias[n] = (float)sum;
    }
}

// Codes in the order of dense weights.
static void give(const rounding *r, int8_t *ret_codes) {
    const quernel_i_weights_shape *s = &r->c.f.shape;
    quernel_weights_desc dense = r->c.f.layer.weights;
    dense.stride = dense.stride_in = 0;
    for (uint32_t n = 0; n < s->out; n++)
        for (uint32_t t = 0; t < s->taps; t++) {
            const quernel_i_weights_source to = quernel_i_weights_source_at(&dense, s, n, t);
            const size_t row = n / s->group_out * r->c.f.k + (size_t)t * s->group_in;
            for (uint32_t c = 0; c < s->group_in; c++)
                ret_codes[to.first + c * to.step] =
                    r->codes[(row + c) * s->group_out + n % s->group_out];
        }
}

static size_t largest_part(rounding *r) {
    size_t max = 1;
    for (uint32_t h = 0; h < r->step_h; h++)
        for (uint32_t w = 0; w < r->step_w; w++) {
            const size_t size = list_columns(r, &(part){0, h, w, 0}, r->order);
            if (size > max && size <= MAX) max = size;
        }
    return max;
}

static int take(rounding *r, quernel_error *error) {
    quernel_i_arena *a = &r->c.f.arena;
    const size_t k = r->c.f.k, rows = k * r->c.f.shape.groups, out = r->c.f.shape.group_out;
    if (!(r->order = quernel_i_arena_take(a, k, sizeof *r->order, error))) return QUERNEL_E_MEMORY;
    const size_t max = largest_part(r);
    const bool taken =
        (r->exact = quernel_i_arena_take(a, 2 * rows, sizeof(double), error)) &&
        (r->power = quernel_i_arena_take(a, k, sizeof(double), error)) &&
        !quernel_i_covariance_take(&r->covariance, a, max, error) &&
        (r->lack = quernel_i_arena_take(a, (2 * max + 3) * out, sizeof(double), error)) &&
        (r->codes = quernel_i_arena_take(a, rows * out, 1, error));
    if (!taken) return QUERNEL_E_MEMORY;
    r->coded = r->exact + rows, r->plain_lack = r->lack + max * out;
    r->sums = r->plain_lack + max * out, r->noise = r->sums + out, r->plain_noise = r->noise + out;
    memset(r->exact, 0, 2 * rows * sizeof *r->exact);
    for (uint32_t i = 0; i < r->c.f.count; i++)
        r->pixels += (double)r->c.f.images[i].n * r->c.f.images[i].out_h * r->c.f.images[i].out_w;
    return QUERNEL_OK;
}

static int run(rounding *r, int8_t *ret_codes, float *ret_scale, float *ret_bias,
               quernel_error *error) {
    int code = quernel_i_ptq_layer_check_finite(&r->c.f, WHERE, error);
    if (!code) code = quernel_i_setting_open(&r->c.f, NULL, &r->c.setting, error);
    if (code) return code;
    code = quernel_i_chosen_fill(&r->c, &r->scale, error);
    if (!code) code = take(r, error);
    if (!code) {
        round_all(r);
        give(r, ret_codes);
        memcpy(ret_scale, r->scale, r->c.f.shape.out * sizeof *ret_scale);
        correct(r, ret_bias);
    }
    quernel_i_setting_close(&r->c.setting);
    return code;
}

static int check_static(const quernel_quant *quant, quernel_error *error) {
    if (quant->mode == QUERNEL_QUANT_STATIC) return QUERNEL_OK;
    return quernel_i_error_set(error, QUERNEL_E_UNSUPPORTED, "choice.quant.mode", -1,
                               WHERE ": choice.quant.mode: %d: must be static", quant->mode);
}

int quernel_weights_round(const quernel_float_layer *layer, const quernel_choice *choice,
                          const float *smooth, const quernel_sample *samples, uint32_t count,
                          int8_t *ret_codes, float *ret_scale, float *ret_bias,
                          quernel_error *error) {
    if (!ret_codes) return quernel_i_error_null(error, WHERE, "ret_codes");
    if (!ret_scale) return quernel_i_error_null(error, WHERE, "ret_scale");
    if (!ret_bias) return quernel_i_error_null(error, WHERE, "ret_bias");
    rounding r = {.step_h = 1, .step_w = 1};
    int code = quernel_i_chosen_open(layer, choice, smooth, samples, count, &r.c, error);
    if (code) return code;
    r.fake = (quernel_i_fake){&r.c.choice.quant, r.c.multiplier, true, true};
    if (r.c.f.shape.kind == QUERNEL_WEIGHTS_DECONV2D)
        r.step_h = r.c.f.geometry.stride_h, r.step_w = r.c.f.geometry.stride_w;
    code = check_static(&r.c.choice.quant, error);
    if (!code) code = run(&r, ret_codes, ret_scale, ret_bias, error);
    quernel_i_chosen_close(&r.c);
    return code;
}
