// SPDX-License-Identifier: Apache-2.0
// Sizes of a program's values.
#include "sizes.h"

#include "window.h"

static bool fits(int64_t dim) { return dim > 0 && dim <= INT32_MAX; }

bool quernel_ep_sizes_of_shape(const quernel_ep_shape *s, int32_t order,
                               quernel_ep_sizes *ret_sizes) {
    if (s->rank < 2 || s->rank > 4) return false;
    for (uint32_t i = 0; i < s->rank; i++)
        if (!fits(s->dims[i])) return false;
    const bool rows = order == QUERNEL_EP_ORDER_ROWS && s->rank > 2;
    const uint32_t c = rows ? s->rank - 1 : 1, w = rows ? s->rank - 2 : s->rank - 1;
    *ret_sizes = (quernel_ep_sizes){(uint32_t)s->dims[0], (uint32_t)s->dims[c],
                                    s->rank == 4 ? (uint32_t)s->dims[w - 1] : 1,
                                    s->rank > 2 ? (uint32_t)s->dims[w] : 1};
    return true;
}

quernel_ep_shape quernel_ep_shape_of_sizes(const quernel_ep_sizes *s, uint32_t rank,
                                           int32_t order) {
    const int64_t n = s->n, c = s->c, h = s->h, w = s->w;
    const bool rows = order == QUERNEL_EP_ORDER_ROWS;
    if (rank == 4 && rows) return (quernel_ep_shape){4, {n, h, w, c}};
    if (rank == 4) return (quernel_ep_shape){4, {n, c, h, w}};
    if (rank == 3 && rows) return (quernel_ep_shape){3, {n, h * w, c}};
    if (rank == 3) return (quernel_ep_shape){3, {n, c, h * w}};
    return (quernel_ep_shape){2, {n * h * w, c}};
}

static uint32_t window_size(const quernel_ep_step *s, int axis, uint32_t size) {
    const quernel_ep_window *w = &s->window;
    const bool up = s->up != 0;
    uint32_t begin, end;
    quernel_ep_window_pads(w, axis, size, &begin, &end);
    const int64_t stride = w->stride[axis],
                  window = (int64_t)w->dilation[axis] * ((int64_t)w->kernel[axis] - 1) + 1;
    int64_t y = up ? ((int64_t)size - 1) * stride + window + w->out_pad[axis] - begin - end
                   : (int64_t)size + begin + end - window;
    if (!up && y < 0) return 0;
    if (!up) {
        const int64_t places = (y + (w->ceil_mode ? stride - 1 : 0)) / stride + 1;
        // a window that begins behind x and its first padding is none
        y = places - (w->ceil_mode && (places - 1) * stride >= (int64_t)size + begin);
    }
    return fits(y) ? (uint32_t)y : 0;
}

static bool same_place(const quernel_ep_sizes *a, const quernel_ep_sizes *b) {
    return a->n == b->n && a->h == b->h && a->w == b->w;
}

static uint32_t channels_of_list(const quernel_ep_program *p, const quernel_ep_step *s,
                                 const quernel_ep_sizes *all) {
    const int32_t *list = quernel_ep_program_at(p, s->arrays[QUERNEL_EP_LIST]);
    uint64_t c = 0;
    for (uint32_t i = 0; i < s->arrays[QUERNEL_EP_LIST].bytes / sizeof *list; i++) {
        if (!same_place(&all[list[i]], &all[list[0]])) return 0;
        c += all[list[i]].c;
    }
    return c <= INT32_MAX ? (uint32_t)c : 0;
}

static quernel_ep_sizes follow_window(const quernel_ep_step *s, const quernel_ep_sizes *x) {
    return (quernel_ep_sizes){x->n, s->kind == QUERNEL_EP_CONV ? s->out : x->c,
                              window_size(s, 0, x->h), window_size(s, 1, x->w)};
}

static uint32_t product(uint32_t a, uint32_t b) {
    const uint64_t y = (uint64_t)a * b;
    return y <= INT32_MAX ? (uint32_t)y : 0;
}

static quernel_ep_sizes follow_shuffle(const quernel_ep_step *s, const quernel_ep_sizes *x) {
    if (!s->gather)
        return (quernel_ep_sizes){x->n, s->out, product(x->h, s->block[0]),
                                  product(x->w, s->block[1])};
    if (x->h % s->block[0] || x->w % s->block[1]) return (quernel_ep_sizes){0, 0, 0, 0};
    return (quernel_ep_sizes){x->n, s->out, x->h / s->block[0], x->w / s->block[1]};
}

// Open sizes may turn out 1 in either operand.
static uint32_t spread(uint32_t x, uint32_t z) { return x == 1 ? z : x; }

static quernel_ep_sizes follow_eltwise(const quernel_ep_step *s, const quernel_ep_sizes *all) {
    const quernel_ep_sizes *x = &all[s->x];
    if (s->z < 0) return *x;
    const quernel_ep_sizes *z = &all[s->z];
    return (quernel_ep_sizes){spread(x->n, z->n), spread(x->c, z->c), spread(x->h, z->h),
                              spread(x->w, z->w)};
}

// Matrices of rows of pixels; z may have one for all.
static quernel_ep_sizes follow_matmul(const quernel_ep_step *s, const quernel_ep_sizes *x,
                                      const quernel_ep_sizes *z) {
    const uint32_t k = s->op ? z->c : z->w, out = s->op ? z->w : z->c;
    const bool fit = k == x->c && (z->n == x->n || z->n == 1) && (z->h == x->h || z->h == 1);
    return fit ? (quernel_ep_sizes){x->n, out, x->h, x->w} : (quernel_ep_sizes){0, 0, 0, 0};
}

static quernel_ep_sizes follow(const quernel_ep_program *p, const quernel_ep_step *s,
                               const quernel_ep_sizes *all) {
    const quernel_ep_sizes *x = &all[s->x];
    switch (s->kind) {
    case QUERNEL_EP_CONV: return follow_window(s, x);
    case QUERNEL_EP_ELTWISE: return follow_eltwise(s, all);
    case QUERNEL_EP_POOL:
        if (s->op == QUERNEL_POOL2D_GLOBAL) return (quernel_ep_sizes){x->n, x->c, 1, 1};
        return follow_window(s, x);
    case QUERNEL_EP_RESIZE:
        return (quernel_ep_sizes){x->n, x->c, quernel_ep_axis_size(&s->axes[0], x->h),
                                  quernel_ep_axis_size(&s->axes[1], x->w)};
    case QUERNEL_EP_SHUFFLE: return follow_shuffle(s, x);
    case QUERNEL_EP_CONCAT:
        return (quernel_ep_sizes){x->n, channels_of_list(p, s, all), x->h, x->w};
    case QUERNEL_EP_MATMUL: return follow_matmul(s, x, &all[s->z]);
    case QUERNEL_EP_VIEW: return (quernel_ep_sizes){x->n, s->out ? s->out : x->c, x->h, x->w};
    default: return *x;
    }
}

// A rank that merges axes must have nothing there to merge.
static bool rank_fits(const quernel_ep_record *r, const quernel_ep_sizes *s) {
    if (r->rank == 2 && r->order == QUERNEL_EP_ORDER_IMAGE) return s->h == 1 && s->w == 1;
    return true;
}

static bool counts(quernel_ep_span span, uint64_t count, size_t size) {
    return !span.bytes || span.bytes == count * size;
}

// Whether the step's arrays have the length that they are read with.
static bool arrays_fit(const quernel_ep_program *p, const quernel_ep_step *s, uint32_t channels) {
    const quernel_ep_span *a = s->arrays;
    const uint64_t taps = s->gather ? 1 : (uint64_t)s->block[0] * s->block[1];
    const bool looks_up = s->kind == QUERNEL_EP_ELTWISE && s->op == QUERNEL_ELTWISE_LOOKUP;
    return counts(a[QUERNEL_EP_BIAS], channels, sizeof(float)) &&
           counts(a[QUERNEL_EP_SLOPES], channels, sizeof(float)) &&
           counts(a[QUERNEL_EP_GAMMA], channels, sizeof(float)) &&
           counts(p->records[s->y].smooth, channels, sizeof(float)) &&
           (a[QUERNEL_EP_TABLE].bytes == 256 || counts(a[QUERNEL_EP_TABLE], channels, 256)) &&
           counts(a[QUERNEL_EP_FROM], taps * s->out, sizeof(uint32_t)) &&
           !looks_up == !a[QUERNEL_EP_TABLE].bytes &&
           !(s->activation == QUERNEL_ACTIVATION_PRELU && !a[QUERNEL_EP_SLOPES].bytes) &&
           !(s->kind == QUERNEL_EP_SHUFFLE && !a[QUERNEL_EP_FROM].bytes);
}

int quernel_ep_sizes_follow(const quernel_ep_program *p, uint32_t step, quernel_ep_sizes *all,
                            quernel_error *error) {
    const quernel_ep_step *s = &p->steps[step];
    const quernel_ep_sizes y = follow(p, s, all);
    if (!fits(y.n) || !fits(y.c) || !fits(y.h) || !fits(y.w) || !rank_fits(&p->records[s->y], &y) ||
        (s->kind == QUERNEL_EP_VIEW && s->channel + (uint64_t)y.c > all[s->x].c) ||
        (s->rows.n && !same_place(&s->rows, &y)))
        return quernel_ep_fail(error, QUERNEL_E_SHAPE, (int32_t)step,
                               "step %u: its input is %u x %u x %u x %u: nothing fits it", step,
                               all[s->x].n, all[s->x].c, all[s->x].h, all[s->x].w);
    if (!arrays_fit(p, s, y.c))
        return quernel_ep_fail(error, QUERNEL_E_SHAPE, (int32_t)step,
                               "step %u: its arrays are not for %u channels", step, y.c);
    all[s->y] = y;
    return QUERNEL_OK;
}
