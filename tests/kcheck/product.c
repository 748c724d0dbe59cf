// SPDX-License-Identifier: Apache-2.0
// Cases of GEMM, GEMV, convolution, depthwise and epilogue kernels.
#include <string.h>

#include "data.h"
#include "kcheck.h"
#include "output.h"

static const char *merge(const char *first, const char *second) { return first ? first : second; }

// Filled with nearly the least values of 16 bits: a kernel that adds to what it has not written
// leaves them.
static void *scratch(guard *g, const quernel_i_kernel *k, uint32_t k_quads) {
    const size_t bytes = k->scratch ? k->scratch(k_quads) : 0;
    void *memory = guard_take(g, bytes, 64, 0x80);
    guard_open(g, memory);
    return memory;
}

// Sums of the usual data lie about here, so that epilogues are tried with results in range.
static float typical(uint32_t k) { return 40.0f * (float)k; }

typedef struct product {
    quernel_i_gemm call;
    quernel_i_k_run k_runs[5];
    const void *w16x4;
} product;

// Runs at odd offsets, forward and backward, inside a line of `span` bytes around the row's
// address.
static size_t make_k_runs(product *p, rng *r, uint64_t number) {
    const uint32_t tail = (uint32_t)(number % 16) + 1; // every K % 64, with the runs before it
    p->call.n_k_runs = number % 3 ? 1 : 1 + (uint32_t)(rng_next(r) % 4);
    p->call.k_quads = 0;
    ptrdiff_t at = 0;
    for (uint32_t i = 0; i < p->call.n_k_runs; i++) {
        p->k_runs[i].k_quads =
            i ? (uint32_t)(rng_next(r) % 5) + 1 : tail + 16 * (uint32_t)(rng_next(r) % 4);
        p->k_runs[i].offset = at;
        p->call.k_quads += p->k_runs[i].k_quads;
        at += 4 * (ptrdiff_t)p->k_runs[i].k_quads + rng_int(r, 0, 9);
    }
    // before the row's address
    for (uint32_t i = 0; rng_one_in(r, 2) && i < p->call.n_k_runs; i++) p->k_runs[i].offset -= 5;
    if (p->call.n_k_runs > 1 && rng_one_in(r, 2)) { // and not in order
        const ptrdiff_t swap = p->k_runs[0].offset;
        if (p->k_runs[0].k_quads == p->k_runs[1].k_quads)
            p->k_runs[0].offset = p->k_runs[1].offset, p->k_runs[1].offset = swap;
    }
    p->call.k_runs = p->k_runs;
    return (size_t)at;
}

static ptrdiff_t min_offset(const product *p) {
    ptrdiff_t min = 0;
    for (uint32_t i = 0; i < p->call.n_k_runs; i++)
        if (p->k_runs[i].offset < min) min = p->k_runs[i].offset;
    return min;
}

static size_t max_end(const product *p) {
    size_t max = 0;
    for (uint32_t i = 0; i < p->call.n_k_runs; i++) {
        const size_t end = (size_t)(p->k_runs[i].offset + 4 * (ptrdiff_t)p->k_runs[i].k_quads);
        if (p->k_runs[i].offset + 4 * (ptrdiff_t)p->k_runs[i].k_quads > 0 && end > max) max = end;
    }
    return max;
}

static void make_rows(product *p, rng *r, guard *g, size_t line, bool is_signed) {
    // Rows that overlap (taps of a convolution), touch, or lie apart.
    p->call.a_row = rng_one_in(r, 3) ? rng_int(r, 1, 16) : (ptrdiff_t)line + rng_int(r, 0, 70);
    const ptrdiff_t before = -min_offset(p);
    const size_t bytes = (size_t)before + (p->call.rows - 1) * (size_t)p->call.a_row + max_end(p);
    uint8_t *a = guard_take(g, bytes, 1, 0);
    data_bytes(r, (data_kind)(rng_next(r) % DATA_KINDS), a, bytes, is_signed);
    p->call.a = a + before;
}

static void prepare(const quernel_i_kernel *k, const int8_t *panel, uint32_t k_quads,
                    const quernel_i_window *window, void *to) {
    if (window) k->b_prepare.conv(panel, window, to);
    else k->b_prepare.gemm(panel, k_quads, to);
}

// An output channel keeps the weights of its own group's channels.
static void clear_off_diagonal(int8_t *w, const quernel_i_window *window) {
    const uint32_t group_in = window->channels / window->groups,
                   line = window->kernel_w * window->channels;
    for (uint32_t i = 0; i < window->kernel_h; i++, w += (line + 3) / 4 * 64)
        for (uint32_t k = 0; k < line; k++)
            for (uint32_t n = 0; n < 16; n++)
                if (k % window->channels / group_in != n / window->group_oc)
                    w[k / 4 * 64 + n * 4 + k % 4] = 0;
}

// w16x4 of `k_quads` groups, those of a convolution's window or, without one, of a product; and,
// where the kernel has a form of its own, that. `ret_panel`: bytes from panel to panel of what is
// returned.
static const void *make_weights(rng *r, guard *g, const quernel_i_kernel *k, uint32_t oc,
                                uint32_t k_quads, const quernel_i_window *window,
                                const void **ret_w16x4, size_t *ret_panel) {
    const uint32_t panels = (oc + 15) / 16;
    const size_t panel = (size_t)k_quads * 64;
    int8_t *w = guard_take(g, panel * panels, 64, 0);
    data_bytes(r, (data_kind)(rng_next(r) % DATA_KINDS), (uint8_t *)w, panel * panels, true);
    for (uint32_t n = oc; n < panels * 16; n++) // padding oc are zeros
        for (uint32_t i = 0; i < k_quads; i++)
            memset(w + n / 16 * panel + i * 64 + n % 16 * 4, 0, 4);
    *ret_w16x4 = w, *ret_panel = panel;
    // behind each kernel line zeros fill its last group
    const uint32_t line = window ? window->kernel_w * window->channels : 0;
    for (uint32_t at = line / 4 * 64; line % 4 && at < panel * panels; at += (line + 3) / 4 * 64)
        for (uint32_t n = 0; n < 16; n++) memset(w + at + n * 4 + line % 4, 0, 4 - line % 4);
    if (window && window->groups) clear_off_diagonal(w, window);
    if (!k->b_prepare.any) return w;
    const size_t prepared = quernel_i_panel_bytes(k, k_quads);
    uint8_t *b = guard_take(g, prepared * panels, 64, 0);
    for (uint32_t i = 0; i < panels; i++)
        prepare(k, w + i * panel, k_quads, window, b + i * prepared);
    *ret_panel = prepared;
    return b;
}

static const int32_t *make_init(rng *r, guard *g, uint32_t oc) {
    int32_t *init = guard_take(g, (oc + 15) / 16 * 64, 4, 0);
    for (uint32_t n = 0; n < oc; n++)
        init[n] = rng_one_in(r, 9) ? INT32_MAX : rng_int(r, -100000, 100000);
    return init;
}

const char *kcheck_gemm(const quernel_i_kernel *k, const quernel_i_kernel *oracle, guard *g,
                        uint64_t seed, uint64_t number) {
    rng r = rng_make(seed, number);
    product p = {0};
    output o;
    const uint32_t two_tiles = 2u * k->mr + 5, max = k->op == QUERNEL_I_OP_GEMV ? 4
                                                     : two_tiles > 33           ? two_tiles
                                                                                : 33;
    p.call.rows = 1 + (uint32_t)(number % max);
    if (k->op == QUERNEL_I_OP_GEMM && rng_one_in(&r, 8)) p.call.rows += 100; // groups of rows
    p.call.oc = 1 + (uint32_t)((number * 7 + rng_next(&r) % 3) % 80);
    const size_t line = make_k_runs(&p, &r, number);
    make_rows(&p, &r, g, line, k->a_type == QUERNEL_TYPE_S8);
    p.call.b = make_weights(&r, g, k, p.call.oc, p.call.k_quads, NULL, &p.w16x4, &p.call.b_panel);
    p.call.init = make_init(&r, g, p.call.oc);
    p.call.scratch = scratch(g, k, p.call.k_quads);
    output_make(&o, &r, g, p.call.rows, p.call.oc, typical(4 * p.call.k_quads));
    guard_open(g, p.call.scratch);
    p.call.epilogue = &o.epilogue;
    p.call.prefetch = (uint32_t)(number % 3) * 4096;
    const int8_t *later = p.w16x4;
    quernel_i_ahead ahead = {later, later + number % 5 * 1000, number % 2 * 512};
    if (number % 4) p.call.ahead = &ahead;
    p.call.streamed = (int32_t)(number / 2 % 3);
    p.call.l1_resident = (uint32_t)(number % 5) * 16;
    const char *conduct = kcheck_conduct(guard_call(k->run.any, &p.call, 0, 0, 0, NULL));
    const quernel_i_epilogue epilogue = output_expected(&o);
    quernel_i_gemm expected = p.call;
    expected.epilogue = &epilogue, expected.b = p.w16x4,
    expected.b_panel = (size_t)p.call.k_quads * 64;
    oracle->run.gemm(&expected);
    return merge(conduct, merge(output_compare(&o), kcheck_unchanged(g)));
}

// Most cases are small; some have more tiles than any block, and channels whose rows would meet in
// one set of L1.
static void make_3x3(quernel_i_conv *c, rng *r, uint64_t number, uint32_t stride, bool *ret_deep) {
    const bool large = number % 32 == 0;
    *c = (quernel_i_conv){.lines = 1 + (uint32_t)(rng_next(r) % (large ? 40 : 9)),
                          .pixels = 1 + (uint32_t)(number % (large ? 90 : 20)),
                          .oc = 1 + (uint32_t)((number * 7 + rng_next(r) % 3) % (large ? 20 : 50))};
    c->window = (quernel_i_window){.kernel_h = 3,
                                   .kernel_w = 3,
                                   .stride_h = stride,
                                   .stride_w = stride,
                                   .channels = 1 + (uint32_t)(rng_next(r) % (large ? 12 : 112))};
    *ret_deep = number % 64 == 1; // small numbers keep its sums below the bound
    if (*ret_deep) c->window.channels = 256, c->oc = 16;
    const bool divided = number % 16 == 2; // all of them stay below it in parts
    if (divided) c->window.channels = 113 + (uint32_t)(rng_next(r) % 300), c->oc = 1 + number % 24;
    if (rng_one_in(r, 3)) c->oc = (c->oc + 15) / 16 * 16; // whole vectors take ways of their own
    c->ic_split = divided ? ((c->window.channels + 3) / 4 + 27) / 28 : 1;
    c->a_pixel = (ptrdiff_t)c->window.channels + rng_int(r, 0, 9);
}

// Kernels of every height, few channels mostly; lines of less than a vector up to those that take
// several blocks.
static void make_lines(quernel_i_conv *c, rng *r, uint64_t number) {
    const bool large = number % 32 == 0;
    *c = (quernel_i_conv){.lines = 1 + (uint32_t)(rng_next(r) % 9),
                          .pixels = 1 + (uint32_t)(rng_next(r) % (large ? 900 : 60)),
                          .ic_split = 1,
                          .oc = 1 + (uint32_t)(rng_next(r) % 40)};
    const uint32_t stride = 1 + (uint32_t)(number % 2);
    c->window =
        (quernel_i_window){.kernel_h = 3 + (uint32_t)(rng_next(r) % 6),
                           .kernel_w = 1 + (uint32_t)(rng_next(r) % 9),
                           .stride_h = stride,
                           .channels = 1 + (uint32_t)(rng_next(r) % (rng_one_in(r, 8) ? 40 : 6))};
    c->window.stride_w = 1 + (uint32_t)(rng_next(r) % c->window.kernel_w);
    c->a_pixel = c->window.channels;
}

// Up to 16 channels and oc in groups; lines of one block and of several.
static void make_groups(quernel_i_conv *c, rng *r, uint64_t number, bool in_lanes) {
    *c = (quernel_i_conv){.lines = 1 + (uint32_t)(rng_next(r) % 12),
                          .pixels = 1 + (uint32_t)(number % (number % 16 ? 30 : 150)),
                          .ic_split = 1};
    const uint32_t in = in_lanes ? 2u << rng_next(r) % 3 : 1 + (uint32_t)(rng_next(r) % 8),
                   any = 1 + (uint32_t)(rng_one_in(r, 3) ? rng_next(r) % 8 : in - 1),
                   out = in_lanes ? in : any;
    const uint32_t max = 16 / (in > out ? in : out),
                   groups = rng_one_in(r, 3) ? 2 + (uint32_t)(rng_next(r) % (max - 1)) : max;
    c->window = (quernel_i_window){1 + (uint32_t)(rng_next(r) % 8),
                                   1 + (uint32_t)(rng_next(r) % 8),
                                   1 + (uint32_t)(rng_next(r) % 9),
                                   1 + (uint32_t)(rng_next(r) % 2),
                                   in * groups,
                                   groups,
                                   out};
    if (rng_one_in(r, 2))
        c->window.kernel_h = c->window.kernel_w = 3,
        c->window.stride_h = 1 + (uint32_t)(rng_next(r) % 2);
    c->oc = out * groups;
    c->a_pixel = (ptrdiff_t)c->window.channels + rng_int(r, 0, 20);
}

static void without_row_terms(output *o) {
    o->epilogue.row_scale = NULL;
    for (int i = 0; i < 2; i++) o->epilogue.row_term[i] = o->epilogue.col_term[i] = NULL;
}

const char *kcheck_conv(const quernel_i_kernel *k, const quernel_i_kernel *oracle, guard *g,
                        uint64_t seed, uint64_t number) {
    rng r = rng_make(seed, number);
    output o;
    quernel_i_conv c;
    bool deep = false;
    if (k->fits.whole_lines) make_lines(&c, &r, number);
    else if (k->fits.group_channels) make_groups(&c, &r, number, k->fits.group_lanes);
    else make_3x3(&c, &r, number, k->fits.stride_h.min, &deep);
    const quernel_i_window *w = &c.window;
    const uint32_t last_line = w->stride_h * (c.lines - 1) + w->kernel_h - 1,
                   last_pixel = w->stride_w * (c.pixels - 1) + w->kernel_w - 1,
                   k_quads = w->kernel_h * ((w->kernel_w * w->channels + 3) / 4);
    c.a_line = c.a_pixel * (last_pixel + 1) + rng_int(&r, 0, 70);
    const size_t bytes =
        last_line * (size_t)c.a_line + last_pixel * (size_t)c.a_pixel + w->channels;
    uint8_t *a = guard_take(g, bytes, 1, 0);
    data_bytes(&r, deep ? DATA_SMALL : (data_kind)(rng_next(&r) % DATA_KINDS), a, bytes,
               k->a_type == QUERNEL_TYPE_S8);
    c.a = a;
    const void *w16x4;
    c.b = make_weights(&r, g, k, c.oc, k_quads, w, &w16x4, &c.b_panel);
    c.init = make_init(&r, g, c.oc);
    c.scratch = scratch(g, k, k_quads);
    output_make(&o, &r, g, c.lines * c.pixels, c.oc, typical(4 * k_quads));
    guard_open(g, c.scratch);
    without_row_terms(&o);
    c.y_line = c.pixels * o.epilogue.y_row, c.r_line = output_residual_line(&o, c.pixels);
    c.epilogue = &o.epilogue;
    const char *conduct = kcheck_conduct(guard_call(k->run.any, &c, 0, 0, 0, NULL));
    const quernel_i_epilogue epilogue = output_expected(&o);
    c.epilogue = &epilogue, c.b = w16x4, c.b_panel = (size_t)k_quads * 64;
    oracle->run.conv(&c);
    return merge(conduct, merge(output_compare(&o), kcheck_unchanged(g)));
}

// Up to `padding` bytes of `reach` lie before x, and some behind it; or all of it is read. Returns
// where the last byte that is read begins.
static size_t pad(rng *r, size_t reach, ptrdiff_t unit, ptrdiff_t *before, ptrdiff_t *size) {
    *before = 0, *size = (ptrdiff_t)reach + 1;
    if (rng_one_in(r, 2)) {
        *before = rng_one_in(r, 4) ? rng_int(r, -300, 300) : unit * rng_int(r, -1, 4);
        *size -= *before + (rng_one_in(r, 2) ? rng_int(r, -300, 300) : unit * rng_int(r, 0, 4));
    }
    if (*size < 1) *size = 1;
    const ptrdiff_t last = (ptrdiff_t)reach - *before;
    return last < 0 ? 0 : last < *size ? (size_t)last : (size_t)*size - 1;
}

// Padding; returns the bytes of x.
static size_t place_depthwise(quernel_i_depthwise *d, rng *r) {
    const size_t line =
                     (d->lines - 1) * (size_t)d->a_line + (d->kernel_h - 1) * (size_t)d->tap_line,
                 row = (d->rows - 1) * (size_t)d->a_row + (d->kernel_w - 1) * (size_t)d->tap_pixel;
    const size_t last_line = pad(r, line, d->tap_line, &d->top, &d->height),
                 last_row = pad(r, row, d->tap_pixel, &d->left, &d->width);
    d->outside = (uint8_t)rng_next(r);
    return last_line + last_row + d->oc;
}

const char *kcheck_depthwise(const quernel_i_kernel *k, const quernel_i_kernel *oracle, guard *g,
                             uint64_t seed, uint64_t number) {
    rng r = rng_make(seed, number);
    output o;
    quernel_i_depthwise d = {.lines = 1 + (uint32_t)(rng_next(&r) % 4),
                             .rows = 1 + (uint32_t)(number % 60),
                             .oc = 1 + (uint32_t)(rng_next(&r) % 150)};
    d.kernel_h = 1 + (uint32_t)(rng_next(&r) % (rng_one_in(&r, 8) ? 20 : 7));
    d.kernel_w = rng_one_in(&r, 2) ? d.kernel_h
                                   : 1 + (uint32_t)(rng_next(&r) % (rng_one_in(&r, 8) ? 20 : 7));
    const uint32_t n_taps = d.kernel_h * d.kernel_w;
    const size_t channels = (d.oc + 15) / 16 * 16;
    // Strides and dilations in pixels, mostly; sometimes taps and rows lie anywhere.
    const ptrdiff_t pixel = (ptrdiff_t)d.oc + rng_int(&r, 0, 9);
    d.tap_pixel = rng_one_in(&r, 4) ? rng_int(&r, 1, 300) : pixel * rng_int(&r, 1, 2);
    d.a_row = rng_one_in(&r, 4) ? rng_int(&r, 1, 300) : pixel * rng_int(&r, 1, 3);
    d.tap_line = rng_int(&r, 1, 2000);
    d.a_line = rng_one_in(&r, 2) ? d.tap_line : rng_int(&r, 1, 2000);
    const size_t bytes = place_depthwise(&d, &r);
    uint8_t *a = guard_take(g, bytes, 1, 0);
    int8_t *w = guard_take(g, channels * n_taps, 16, 0);
    int32_t *init = guard_take(g, channels * 4, 4, 0);
    data_bytes(&r, (data_kind)(rng_next(&r) % DATA_KINDS), a, bytes, k->a_type == QUERNEL_TYPE_S8);
    data_bytes(&r, (data_kind)(rng_next(&r) % DATA_KINDS), (uint8_t *)w, channels * n_taps, true);
    for (uint32_t n = 0; n < d.oc; n++)
        init[n] = rng_one_in(&r, 200) ? INT32_MAX : rng_int(&r, -100000, 100000);
    d.a = a, d.w = w, d.w_tap = channels, d.init = init;
    d.scratch = scratch(g, k, d.oc);
    output_make(&o, &r, g, d.lines * d.rows, d.oc, typical(n_taps));
    guard_open(g, d.scratch);
    without_row_terms(&o);
    d.epilogue = &o.epilogue, d.y_line = d.rows * o.epilogue.y_row,
    d.r_line = output_residual_line(&o, d.rows);
    const char *conduct = kcheck_conduct(guard_call(k->run.any, &d, 0, 0, 0, NULL));
    const quernel_i_epilogue epilogue = output_expected(&o);
    d.epilogue = &epilogue;
    oracle->run.depthwise(&d);
    return merge(conduct, merge(output_compare(&o), kcheck_unchanged(g)));
}

const char *kcheck_epilogue(const quernel_i_kernel *k, const quernel_i_kernel *oracle, guard *g,
                            uint64_t seed, uint64_t number) {
    rng r = rng_make(seed, number);
    output o;
    const uint32_t rows = 1 + (uint32_t)(number % 40),
                   oc = 1 + (uint32_t)((number * 7 + rng_next(&r) % 3) % 80);
    const size_t acc_row = oc + rng_next(&r) % 20;
    const int32_t span = rng_one_in(&r, 4) ? INT32_MAX : rng_one_in(&r, 2) ? 300 : 100000;
    int32_t *acc = guard_take(g, ((rows - 1) * acc_row + oc) * sizeof *acc, 4, 0);
    for (size_t i = 0; i < (rows - 1) * acc_row + oc; i++)
        acc[i] = rng_one_in(&r, 8) ? 0 : rng_int(&r, -span, span);
    output_make(&o, &r, g, rows, oc, (float)span / 2);
    const char *conduct =
        kcheck_conduct(guard_call(k->run.any, acc, acc_row, rows, oc, &o.epilogue));
    const quernel_i_epilogue epilogue = output_expected(&o);
    oracle->run.epilogue(acc, acc_row, rows, oc, &epilogue);
    return merge(conduct, merge(output_compare(&o), kcheck_unchanged(g)));
}
