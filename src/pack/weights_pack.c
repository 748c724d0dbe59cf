// SPDX-License-Identifier: Apache-2.0
// Packs weights: multiplies the smoothing factors in, quantizes, and writes each weight to its
// position, a sub-panel of 16 output channels at a time: their rows, k in order, then the quads of
// the rows side by side.
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/num.h"
#include "cpu/fpenv.h"
#include "pack/weights.h"

#define WHERE "weights"
#define DEAD 0x1p-96f // a channel whose largest weight is below this is dead: scale 1, weights 0

quernel_i_weights_source quernel_i_weights_source_at(const quernel_weights_desc *d,
                                                     const quernel_i_weights_shape *s, uint32_t n,
                                                     uint32_t t) {
    const size_t group = n / s->group_out, local = n % s->group_out, stride = (size_t)d->stride;
    quernel_i_weights_source from;
    if (d->kind == QUERNEL_WEIGHTS_LINEAR) {
        from.step = d->stride_in ? (size_t)d->stride_in : 1;
        from.first = n * (stride ? stride : from.step > 1 ? 1 : d->in);
    } else if (d->kind == QUERNEL_WEIGHTS_CONV2D) {
        from.step = s->taps;
        from.first = n * (stride ? stride : (size_t)s->group_in * s->taps) + t;
    } else {
        from.step = stride ? stride : (size_t)s->group_out * s->taps;
        from.first = group * s->group_in * from.step + local * s->taps + t;
    }
    return from;
}

// Weights that are being packed, and room for the rows of a sub-panel.
typedef struct packer {
    const quernel_weights_desc *desc;
    quernel_weights *w;
    size_t row_bytes; // the most that a row has
    int8_t *rows;     // [16][row_bytes]
    float *floats;    // [row_bytes], f32 weights alone
} packer;

// The input channels of output channel n's group at tap t as floats, smoothed.
static void gather_floats(const packer *p, uint32_t n, uint32_t t, float *to) {
    const quernel_weights_desc *d = p->desc;
    const quernel_i_weights_shape *s = &p->w->shape;
    const quernel_i_weights_source from = quernel_i_weights_source_at(d, s, n, t);
    const float *x = (const float *)d->data + from.first;
    for (uint32_t c = 0; c < s->group_in; c++) to[c] = x[c * from.step];
    if (d->smooth_kind == QUERNEL_SMOOTH_NONE) return;
    const bool by_column = d->smooth_kind == QUERNEL_SMOOTH_COLUMN;
    const size_t step = by_column ? s->taps : 1, group = n / s->group_out;
    const float *smooth = d->smooth + group * s->group_in * step + (by_column ? t : 0);
    for (uint32_t c = 0; c < s->group_in; c++) to[c] *= smooth[c * step];
}

static void gather_bytes(const packer *p, uint32_t n, uint32_t t, int8_t *to) {
    const quernel_i_weights_shape *s = &p->w->shape;
    const quernel_i_weights_source from = quernel_i_weights_source_at(p->desc, s, n, t);
    const uint8_t *x = (const uint8_t *)p->desc->data + from.first;
    const uint8_t flip = p->desc->type == QUERNEL_TYPE_U8 ? 0x80 : 0;
    if (from.step == 1)
        for (uint32_t c = 0; c < s->group_in; c++) to[c] = (int8_t)(x[c] ^ flip);
    else
        for (uint32_t c = 0; c < s->group_in; c++) to[c] = (int8_t)(x[c * from.step] ^ flip);
}

// max |x|, as the bits of a float: beyond those of infinity where one is no number.
static uint32_t max_bits(const float *x, size_t count, uint32_t max) {
    for (size_t i = 0; i < count; i++) {
        const uint32_t bits = quernel_i_bits(x[i]) & 0x7fffffffu;
        max = bits > max ? bits : max;
    }
    return max;
}

static int refuse_tap(const packer *p, uint32_t n, uint32_t t, quernel_error *error) {
    const quernel_i_weights_source from = quernel_i_weights_source_at(p->desc, &p->w->shape, n, t);
    uint32_t c = 0;
    while (isfinite(p->floats[c])) c++;
    const size_t i = from.first + c * from.step;
    const float x = ((const float *)p->desc->data)[i];
    return quernel_i_error_set(error, QUERNEL_E_VALUE, "data", (int64_t)i,
                               WHERE ": data[%zu]: %g: must be finite%s", i, (double)x,
                               isfinite(x) ? " times its smoothing factor" : "");
}

// The scale of output channel n of float weights; 0 where all its codes are 0.
static int find_scale(const packer *p, uint32_t n, quernel_error *error) {
    const quernel_weights_desc *d = p->desc;
    const uint32_t infinite = 0x7f800000u; // its bits; those of NaN are above
    uint32_t max = 0;
    for (uint32_t t = 0; t < p->w->shape.taps; t++) {
        gather_floats(p, n, t, p->floats);
        max = max_bits(p->floats, p->w->shape.group_in, max);
        if (max >= infinite) return refuse_tap(p, n, t, error);
    }
    p->w->scale[n] = d->scale ? d->scale[n] : quernel_i_float(max) / 127.0f;
    if (!d->scale && quernel_i_float(max) < DEAD) p->w->scale[n] = 0.0f;
    return QUERNEL_OK;
}

static void take_scale(const packer *p, uint32_t n) {
    const quernel_weights_desc *d = p->desc;
    p->w->scale[n] = d->scale ? d->scale[n] : 1.0f;
    p->w->zero[n] = (d->zero ? d->zero[n] : 0) - (d->type == QUERNEL_TYPE_U8 ? 128 : 0);
}

static int find_scales(const packer *p, quernel_error *error) {
    int code = QUERNEL_OK;
    for (uint32_t n = 0; n < p->w->shape.out && !code; n++) {
        if (p->floats) code = find_scale(p, n, error);
        else take_scale(p, n);
    }
    return code;
}

// Codes of a row of floats, by division. None is NaN; clamping the bits of |w / d| leaves no branch
// that would keep vectors away.
static void quantize_row(const float *x, float scale, int8_t *to, size_t count) {
    const uint32_t sign = 0x80000000u /* of binary32 */, max = quernel_i_bits(127.0f);
    for (size_t k = 0; k < count; k++) {
        const uint32_t bits = quernel_i_bits(x[k] / scale), size = bits & ~sign;
        const float q = quernel_i_float((size < max ? size : max) | (bits & sign));
        to[k] = (int8_t)quernel_i_rne(q);
    }
}

// The k of tap t's input channel 0 in the row of an output channel.
static size_t k_of(const quernel_i_weights_shape *s, uint32_t n, uint32_t t) {
    return s->format == QUERNEL_I_FORMAT_TAPS ? t : quernel_i_weight_find(s, n, t).k;
}

// The row of output channel `oc` of a subproblem; what belongs to no tap stays 0.
static void fill_row(const packer *p, uint32_t subproblem, uint32_t oc, int8_t *row) {
    const quernel_i_weights_shape *s = &p->w->shape;
    const uint32_t n = quernel_i_weights_subproblem_channel(s, subproblem, oc);
    const uint32_t pixel = s->interleaved ? oc / s->out : subproblem % s->phases;
    if (p->floats && p->w->scale[n] == 0.0f) return;
    if (p->floats) memset(p->floats, 0, p->row_bytes * sizeof *p->floats);
    for (uint32_t r = pixel / s->up_w; r < s->kernel_h; r += s->up_h)
        for (uint32_t c = pixel % s->up_w; c < s->kernel_w; c += s->up_w) {
            const uint32_t t = r * s->kernel_w + c;
            const size_t k = k_of(s, n, t);
            if (p->floats) gather_floats(p, n, t, p->floats + k);
            else gather_bytes(p, n, t, row + k);
        }
    if (p->floats) quantize_row(p->floats, p->w->scale[n], row, p->row_bytes);
}

static void pack_panel(const packer *p, uint32_t subproblem, const quernel_i_phase *phase,
                       uint32_t first) {
    const quernel_i_weights_shape *s = &p->w->shape;
    memset(p->rows, 0, 16 * p->row_bytes);
    for (uint32_t oc = first; oc < s->oc && oc < first + 16; oc++)
        fill_row(p, subproblem, oc, p->rows + (oc - first) * p->row_bytes);
    int8_t *panel = quernel_i_weights_panel(p->w, subproblem, phase, first);
    for (size_t q = 0; q < phase->k_quads; q++)
        for (size_t i = 0; i < 16; i++)
            memcpy(panel + q * QUERNEL_I_LINE + i * 4, p->rows + i * p->row_bytes + q * 4, 4);
    quernel_i_weights_sum_panel(p->w, subproblem, phase, first);
}

static void pack_panels(const packer *p) {
    const quernel_i_weights_shape *s = &p->w->shape;
    for (uint32_t subproblem = 0; subproblem < s->subproblems; subproblem++) {
        const quernel_i_phase phase = quernel_i_weights_phase(s, subproblem % s->phases);
        for (uint32_t oc = 0; oc < s->oc; oc += 16) pack_panel(p, subproblem, &phase, oc);
    }
}

static void pack_taps(const packer *p) {
    const quernel_i_weights_shape *s = &p->w->shape;
    memset(p->w->packed, 0, s->packed_bytes);
    for (uint32_t n = 0; n < s->out; n++) {
        memset(p->rows, 0, p->row_bytes);
        fill_row(p, 0, n, p->rows);
        for (uint32_t t = 0; t < s->taps; t++) p->w->packed[(size_t)t * s->oc16 + n] = p->rows[t];
    }
    quernel_i_weights_sum(p->w);
}

static void lay_out(packer *p, quernel_i_layout *block) {
    p->rows = quernel_i_take(block, 16 * p->row_bytes, 1);
    if (p->desc->type == QUERNEL_TYPE_F32)
        p->floats = quernel_i_take(block, p->row_bytes, sizeof *p->floats);
}

static int fill(const quernel_weights_desc *d, quernel_weights *w, quernel_error *error) {
    const bool by_taps = w->shape.format == QUERNEL_I_FORMAT_TAPS;
    packer p = {.desc = d, .w = w};
    p.row_bytes = by_taps ? w->shape.taps : (size_t)w->shape.k_quads * 4;
    quernel_i_layout block = {0};
    lay_out(&p, &block);
    const size_t bytes = block.used;
    block = (quernel_i_layout){.base = quernel_i_allocate(&w->allocator, bytes)};
    if (!block.base)
        return quernel_i_error_set(error, QUERNEL_E_MEMORY, "allocator", -1,
                                   WHERE ": no memory for %zu bytes", bytes);
    lay_out(&p, &block);
    const int code = find_scales(&p, error);
    if (!code && by_taps) pack_taps(&p);
    else if (!code) pack_panels(&p);
    for (uint32_t n = 0; n < w->shape.out; n++)
        if (w->scale[n] == 0.0f) w->scale[n] = 1.0f;
    quernel_i_release(&w->allocator, p.rows, bytes);
    return code;
}

static int pack(const quernel_weights_desc *d, quernel_weights **ret_weights,
                quernel_error *error) {
    quernel_i_weights_shape shape;
    int code = quernel_i_weights_check(d, &shape, error);
    if (code) return code;
    quernel_weights *w;
    if ((code = quernel_i_weights_allocate(&shape, quernel_i_weights_smooth_count(d), NULL,
                                           d->allocator, &w, error)))
        return code;
    w->has_zero = quernel_i_weights_any_zero(d);
    w->smooth_kind = d->smooth_kind;
    if (w->smooth) memcpy(w->smooth, d->smooth, w->smooth_count * sizeof *w->smooth);
    code = fill(d, w, error);
    if (code) {
        quernel_weights_release(w);
        return code;
    }
    *ret_weights = w;
    return QUERNEL_OK;
}

int quernel_weights_pack(const quernel_weights_desc *desc, quernel_weights **ret_weights,
                         quernel_error *error) {
    if (!desc) return quernel_i_error_null(error, WHERE, "desc");
    if (!ret_weights) return quernel_i_error_null(error, WHERE, "ret_weights");
    quernel_weights_desc own;
    int code = quernel_i_weights_read(desc, WHERE, "size", &own, error);
    if (code) return code;
    const quernel_i_fpenv caller = quernel_i_fpenv_enter();
    code = pack(&own, ret_weights, error);
    quernel_i_fpenv_leave(caller);
    return code;
}
