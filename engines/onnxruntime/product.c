// SPDX-License-Identifier: Apache-2.0
// MatMul, Gemm, QLinearMatMul and QGemm with constant weights: convolutions of one pixel.
#include <string.h>

#include "weights.h"

// What the operators call their inputs; −1: they have none.
typedef struct form {
    const char *domain, *op;
    bool gemm;
    int8_t x_scale, w, w_scale, y_scale, bias;
} form;

static const form forms[] = {
    {"", "MatMul", false, -1, 1, -1, -1, -1},
    {"", "Gemm", true, -1, 1, -1, -1, 2},
    {"", "QLinearMatMul", false, 1, 3, 4, 6, -1},
    {"com.microsoft", "QGemm", true, 1, 3, 4, 7, 6},
};

// Weights [K][N], or [N][K] where transB is 1; the library wants the latter.
static const void *transpose(quernel_ep_search *c, const quernel_ep_value *w) {
    const size_t k = (size_t)w->dims[0], n = (size_t)w->dims[1];
    const uint8_t *from = w->data;
    uint8_t *to = quernel_ep_region_take(&c->region, k, n);
    for (size_t i = 0; to && i < n; i++)
        for (size_t j = 0; j < k; j++) to[i * k + j] = from[j * n + i];
    return to;
}

static bool check_gemm(quernel_ep_draft *d, const quernel_ep_node *n) {
    if (quernel_ep_int(n, "transA", 0)) return QUERNEL_EP_REFUSE(d, "transA");
    return quernel_ep_float(n, "alpha", 1) == 1 || QUERNEL_EP_REFUSE(d, "alpha is not 1");
}

// Of an image that is flattened the weights of an output are a kernel that covers all of it.
static void set_window(const quernel_ep_value *x, quernel_ep_step *step,
                       quernel_weights_desc *desc) {
    uint32_t *kernel = step->window.kernel;
    if (x->rank == 4) kernel[0] = (uint32_t)x->dims[2];
    kernel[1] = (uint32_t)x->dims[x->rank - 1];
    desc->in = (uint32_t)x->dims[1];
    desc->kernel_h = kernel[0], desc->kernel_w = kernel[1];
}

bool quernel_ep_product_fill(quernel_ep_draft *d, quernel_ep_step *step,
                             const quernel_ep_codes *codes, bool transposed) {
    const quernel_ep_value *w = codes->value, *x = quernel_ep_value_of(d->c, step->x);
    if (w->rank != 2 || w->dims[0] < 1 || w->dims[1] < 1 || w->dims[0] > INT32_MAX ||
        w->dims[1] > INT32_MAX)
        return QUERNEL_EP_REFUSE(d, "its weights are not a matrix");
    quernel_weights_desc desc = QUERNEL_WEIGHTS_DESC_INIT;
    desc.kind = QUERNEL_WEIGHTS_CONV2D;
    desc.out = (uint32_t)w->dims[!transposed], desc.in = (uint32_t)w->dims[transposed];
    d->macs = (uint64_t)desc.in * desc.out;
    for (uint32_t i = 0; i + 1 < x->rank && step->order == QUERNEL_EP_ORDER_ROWS; i++)
        d->macs *= x->dims[i] > 0 ? (uint64_t)x->dims[i] : 0;
    if (step->order == QUERNEL_EP_ORDER_IMAGE) set_window(x, step, &desc);
    else if (quernel_ep_channels(d->c, step->x, step->order) != desc.in)
        return QUERNEL_EP_REFUSE(d, "its input has not %u columns", desc.in);
    desc.data = transposed ? w->data : transpose(d->c, w);
    step->out = desc.out;
    return desc.data && quernel_ep_weights_note(d, step, codes, !transposed, &desc);
}

static bool is_flatten(quernel_ep_draft *d, const quernel_ep_node *n) {
    const quernel_ep_value *x = quernel_ep_value_of(d->c, n->inputs[0]),
                           *y = quernel_ep_value_of(d->c, n->outputs[0]);
    if (!quernel_ep_node_is(n, "Flatten") && !quernel_ep_node_is(n, "Reshape")) return false;
    if (!x->has_shape || !y->has_shape || x->rank < 3 || x->rank > 4 || y->rank != 2) return false;
    int64_t inner = 1;
    for (uint32_t i = 1; i < x->rank; i++) {
        if (x->dims[i] <= 0 || inner > INT32_MAX) return false;
        inner *= x->dims[i];
    }
    return inner == y->dims[1] && inner <= INT32_MAX && x->dims[0] == y->dims[0];
}

int32_t quernel_ep_codes_behind(quernel_ep_draft *d, int32_t v, quernel_ep_moves *moves) {
    const quernel_ep_search *c = d->c;
    bool moved = false;
    quernel_ep_coding kept = {0};
    for (int i = 0; i < 5; i++) { // DQ Q moves DQ at most
        const int32_t node = c->producer[v];
        if (moved && c->records[v].coding.type) return v;
        if (node < 0 || quernel_ep_sole_reader(c, v) < 0 || c->unit_of[node] >= 0) return -1;
        const quernel_ep_node *n = quernel_ep_node_of(c, (uint32_t)node);
        const bool quantizes = !strcmp(n->op, "QuantizeLinear"),
                   codes = quantizes || !strcmp(n->op, "DequantizeLinear");
        if (!quernel_ep_known(d->c, (uint32_t)node) || (!codes && !moves(d, n))) return -1;
        quernel_ep_coding k;
        const int32_t q = quantizes ? n->outputs[0] : n->inputs[0];
        if (codes &&
            (!quernel_ep_coding_read(d->c, (uint32_t)node, quernel_ep_input(n, 1),
                                     quernel_ep_input(n, 2), c->records[q].type, &k) ||
             !quernel_ep_coding_is(c, q, &k) || (kept.type && !quernel_ep_coding_is(c, q, &kept))))
            return -1;
        if (codes) kept = k;
        moved |= !codes;
        quernel_ep_draft_take(d, (uint32_t)node);
        v = n->inputs[0];
    }
    return -1;
}

static void read_x(quernel_ep_draft *d, quernel_ep_step *step, int32_t v) {
    const int32_t image = quernel_ep_codes_behind(d, v, is_flatten);
    if (image >= 0) {
        step->x = image;
        step->order = QUERNEL_EP_ORDER_IMAGE;
        return;
    }
    d->n_nodes = 1;
    step->x = quernel_ep_operand(d, v);
}

static bool match_codes(quernel_ep_draft *d, const form *f, quernel_ep_step *step,
                        bool transposed) {
    const quernel_ep_node *n = quernel_ep_node_of(d->c, d->node);
    quernel_ep_codes codes;
    step->y = n->outputs[0];
    if (!quernel_ep_codes_of_inputs(d, quernel_ep_input(n, (uint32_t)f->w),
                                    quernel_ep_input(n, (uint32_t)f->w_scale),
                                    quernel_ep_input(n, (uint32_t)f->w_scale + 1), &codes))
        return false;
    codes.axis = !transposed;
    const int32_t values[2] = {step->x, step->y};
    const uint32_t scales[2] = {(uint32_t)f->x_scale, (uint32_t)f->y_scale};
    if (!quernel_ep_codes_agree(d, values, scales, 2) ||
        !quernel_ep_product_fill(d, step, &codes, transposed))
        return false;
    const int32_t bias = f->bias < 0 ? -1 : quernel_ep_input(n, (uint32_t)f->bias);
    return quernel_ep_bias_of_sums(d, step, bias, step->out, &codes);
}

static bool match_float(quernel_ep_draft *d, const form *f, quernel_ep_step *step,
                        bool transposed) {
    const quernel_ep_node *n = quernel_ep_node_of(d->c, d->node);
    quernel_ep_codes codes;
    if (!quernel_ep_is_int8(d->c->records[step->x].type))
        return QUERNEL_EP_REFUSE(d, "its input is float");
    if (!quernel_ep_codes_of_float(d, quernel_ep_input(n, 1), &codes) ||
        !quernel_ep_product_fill(d, step, &codes, transposed))
        return false;
    const int32_t bias = f->bias < 0 ? -1 : quernel_ep_input(n, (uint32_t)f->bias);
    const double beta = (double)quernel_ep_float(n, "beta", 1);
    if (!quernel_ep_bias_read(d, step, bias, step->out, beta)) return false;
    quernel_ep_absorb(d, step, n->outputs[0], step->out);
    return true;
}

static bool match(quernel_ep_search *c, uint32_t node, const form *f) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    quernel_ep_draft d = quernel_ep_draft_begin(c, node);
    quernel_ep_step *step = quernel_ep_draft_step(&d, QUERNEL_EP_CONV, 0);
    const bool transposed = f->gemm && quernel_ep_int(n, "transB", 0);
    step->order = step->y_order = QUERNEL_EP_ORDER_ROWS;
    if (f->gemm && !check_gemm(&d, n)) return false;
    read_x(&d, step, n->inputs[0]);
    if (step->x < 0) return false;
    const bool done = f->x_scale < 0 ? match_float(&d, f, step, transposed)
                                     : match_codes(&d, f, step, transposed);
    return done && quernel_ep_draft_commit(&d);
}

bool quernel_ep_match_product(quernel_ep_search *c, uint32_t node) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (!strcmp(forms[i].op, n->op)) return match(c, node, &forms[i]);
    return false;
}
