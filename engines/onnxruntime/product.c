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

static bool fill(quernel_ep_draft *d, quernel_ep_step *step, const quernel_ep_codes *codes,
                 bool transposed) {
    const quernel_ep_value *w = codes->value;
    if (w->rank != 2 || w->dims[0] < 1 || w->dims[1] < 1 || w->dims[0] > INT32_MAX ||
        w->dims[1] > INT32_MAX)
        return QUERNEL_EP_REFUSE(d, "its weights are not a matrix");
    quernel_weights_desc desc = QUERNEL_WEIGHTS_DESC_INIT;
    desc.kind = QUERNEL_WEIGHTS_CONV2D;
    desc.out = (uint32_t)w->dims[!transposed], desc.in = (uint32_t)w->dims[transposed];
    const quernel_ep_value *x = quernel_ep_value_of(d->c, step->x);
    if (quernel_ep_channels(d->c, step->x, QUERNEL_EP_ORDER_ROWS) != desc.in)
        return QUERNEL_EP_REFUSE(d, "its input has not %u columns", desc.in);
    desc.data = transposed ? w->data : transpose(d->c, w);
    step->out = desc.out;
    d->macs = desc.out;
    for (uint32_t i = 0; i < x->rank; i++) d->macs *= x->dims[i] > 0 ? (uint64_t)x->dims[i] : 0;
    return desc.data && quernel_ep_weights_note(d, step, codes, !transposed, &desc);
}

static bool read_codings(quernel_ep_draft *d, const form *f, const quernel_ep_step *step) {
    const quernel_ep_node *n = quernel_ep_node_of(d->c, d->node);
    const uint32_t at[2] = {(uint32_t)f->x_scale, (uint32_t)f->y_scale};
    const int32_t values[2] = {step->x, step->y};
    for (int i = 0; i < 2; i++) {
        quernel_ep_coding k;
        if (!quernel_ep_coding_read(d->c, d->node, quernel_ep_input(n, at[i]),
                                    quernel_ep_input(n, at[i] + 1), d->c->records[values[i]].type,
                                    &k))
            return false;
        if (!quernel_ep_coding_is(d->c, values[i], &k))
            return QUERNEL_EP_REFUSE(d, "it reads codes by another scale than they were made by");
    }
    return true;
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
    if (!read_codings(d, f, step) || !fill(d, step, &codes, transposed)) return false;
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
        !fill(d, step, &codes, transposed))
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
    step->x = quernel_ep_operand(&d, n->inputs[0]);
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
