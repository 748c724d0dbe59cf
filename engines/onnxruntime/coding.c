// SPDX-License-Identifier: Apache-2.0
// What codes mean: scale and zero point of every int8 value, from the nodes that write or read it.
#include <math.h>
#include <string.h>

#include "unit.h"

// Zero points are u8, s8 or s32 numbers.
static bool read_integer(const quernel_ep_value *v, int32_t *ret_number) {
    if (v->type == QUERNEL_EP_TYPE_U8 && v->bytes == 1) *ret_number = *(const uint8_t *)v->data;
    else if (v->type == QUERNEL_EP_TYPE_S8 && v->bytes == 1)
        *ret_number = (int32_t) * (const int8_t *)v->data;
    else if (v->type == QUERNEL_EP_TYPE_S32 && v->bytes == 4) memcpy(ret_number, v->data, 4);
    else return false;
    return true;
}

bool quernel_ep_coding_read(quernel_ep_search *c, uint32_t node, int32_t scale, int32_t zero,
                            int32_t type, quernel_ep_coding *ret_coding) {
    const char *op = quernel_ep_node_of(c, node)->op;
    quernel_ep_coding coding = {.type = type};
    if (!quernel_ep_is_int8(type))
        return quernel_ep_node_refuse(c, node, "%s: codes of type %d, not u8 or s8", op, type);
    if (!quernel_ep_is_constant(c, scale))
        return quernel_ep_node_refuse(c, node, "%s: its scale is not a constant", op);
    const quernel_ep_value *s = quernel_ep_value_of(c, scale);
    if (s->type != QUERNEL_EP_TYPE_F32 || s->bytes != sizeof(float))
        return quernel_ep_node_refuse(c, node, "%s: its scale is not one f32 number", op);
    memcpy(&coding.scale, s->data, sizeof coding.scale);
    // the range that the library's formulas are proved for (docs/numerics.md, rule 1)
    if (!(coding.scale >= 0x1p-96f && coding.scale <= 0x1p96f))
        return quernel_ep_node_refuse(c, node, "%s: scale %g is not within 2^-96 ... 2^96", op,
                                      (double)coding.scale);
    if (zero >= 0) {
        if (!quernel_ep_is_constant(c, zero) || quernel_ep_value_of(c, zero)->type != type ||
            !read_integer(quernel_ep_value_of(c, zero), &coding.zero))
            return quernel_ep_node_refuse(c, node, "%s: its zero point is not one constant code",
                                          op);
    }
    *ret_coding = coding;
    return true;
}

bool quernel_ep_coding_is(const quernel_ep_search *c, int32_t v, const quernel_ep_coding *coding) {
    const quernel_ep_coding *own = &c->records[v].coding;
    return own->type == coding->type && own->scale == coding->scale && own->zero == coding->zero;
}

// One f32 number per channel, each the codes' scale times their factor: both were rounded.
static bool are_wide(const float *scales, uint32_t count, float scale, const float *smooth) {
    for (uint32_t i = 0; i < count; i++)
        if (!(fabsf(scales[i] - scale * smooth[i]) <= 0x1p-21f * scales[i])) return false;
    return true;
}

static bool are_zeros(const quernel_ep_value *v, int32_t zero) {
    for (size_t i = 0; i < v->bytes; i++) {
        const int32_t code = v->type == QUERNEL_EP_TYPE_U8 ? ((const uint8_t *)v->data)[i]
                                                           : ((const int8_t *)v->data)[i];
        if (code != zero) return false;
    }
    return true;
}

const float *quernel_ep_coding_scales(quernel_ep_search *c, uint32_t node, uint32_t *ret_count) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    const quernel_ep_record *r = &c->records[n->inputs[0]];
    const int32_t scale = quernel_ep_input(n, 1), zero = quernel_ep_input(n, 2);
    if (!r->coding.type || !quernel_ep_is_constant(c, scale)) return NULL;
    const quernel_ep_value *s = quernel_ep_value_of(c, scale);
    int64_t axis = quernel_ep_int(n, "axis", 1);
    if (axis < 0) axis += r->rank;
    *ret_count = quernel_ep_channels(c, n->inputs[0], QUERNEL_EP_ORDER_IMAGE);
    if (s->type != QUERNEL_EP_TYPE_F32 || s->bytes != *ret_count * sizeof(float) || axis != 1)
        return NULL;
    if (zero < 0 ? r->coding.zero != 0
                 : !quernel_ep_is_constant(c, zero) ||
                       quernel_ep_value_of(c, zero)->type != r->coding.type ||
                       !are_zeros(quernel_ep_value_of(c, zero), r->coding.zero))
        return NULL;
    return s->data;
}

bool quernel_ep_coding_is_wide(quernel_ep_search *c, uint32_t node) {
    const quernel_ep_record *r = &c->records[quernel_ep_node_of(c, node)->inputs[0]];
    const quernel_ep_span smooth = r->smooth;
    uint32_t count;
    const float *scales = quernel_ep_coding_scales(c, node, &count);
    return scales && smooth.bytes == count * sizeof(float) &&
           are_wide(scales, count, r->coding.scale, quernel_ep_data_at(c, smooth));
}

static void note(quernel_ep_search *c, uint32_t node, int32_t v, int32_t scale, int32_t zero) {
    quernel_ep_coding coding;
    if (v < 0 || scale < 0 || quernel_ep_is_constant(c, v) || c->records[v].coding.type) return;
    if (quernel_ep_coding_read(c, node, scale, zero, c->records[v].type, &coding))
        c->records[v].coding = coding;
}

// Inputs that say what a node's input or output means: [value, scale, zero point], a value of −1
// standing for the output; lists end with 0, 0, 0.
static const struct {
    const char *domain, *op;
    int8_t triples[3][3];
} meanings[] = {
    {"", "QuantizeLinear", {{-1, 1, 2}}},
    {"", "DequantizeLinear", {{0, 1, 2}}},
    {"com.microsoft", "QuantizeLinear", {{-1, 1, 2}}},
    {"com.microsoft", "DequantizeLinear", {{0, 1, 2}}},
    {"", "QLinearConv", {{0, 1, 2}, {-1, 6, 7}}},
    {"", "QLinearMatMul", {{0, 1, 2}, {-1, 6, 7}}},
    {"com.microsoft", "QGemm", {{0, 1, 2}, {-1, 7, 8}}},
    {"com.microsoft", "QLinearAdd", {{0, 1, 2}, {3, 4, 5}, {-1, 6, 7}}},
    {"com.microsoft", "QLinearMul", {{0, 1, 2}, {3, 4, 5}, {-1, 6, 7}}},
    {"com.microsoft", "QLinearSigmoid", {{0, 1, 2}, {-1, 3, 4}}},
    {"com.microsoft", "QLinearLeakyRelu", {{0, 1, 2}, {-1, 3, 4}}},
    {"com.microsoft", "QLinearSoftmax", {{0, 1, 2}, {-1, 3, 4}}},
    {"com.microsoft", "QLinearAveragePool", {{0, 1, 2}, {-1, 3, 4}}},
    {"com.microsoft", "QLinearGlobalAveragePool", {{0, 1, 2}, {-1, 3, 4}}},
};

static void note_meaning(quernel_ep_search *c, uint32_t node, size_t which) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    for (size_t i = 0; i < 3 && meanings[which].triples[i][1]; i++) {
        const int8_t *t = meanings[which].triples[i];
        if (t[0] < 0 && !n->n_outputs) continue;
        const int32_t v = t[0] < 0 ? n->outputs[0] : quernel_ep_input(n, (uint32_t)t[0]);
        note(c, node, v, quernel_ep_input(n, (uint32_t)t[1]), quernel_ep_input(n, (uint32_t)t[2]));
    }
}

// (y scale, y zero point, then x, scale, zero point of each input)
static void note_concat(quernel_ep_search *c, uint32_t node) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    for (uint32_t i = 2; i + 2 < n->n_inputs; i += 3)
        note(c, node, n->inputs[i], n->inputs[i + 1], n->inputs[i + 2]);
    note(c, node, n->outputs[0], quernel_ep_input(n, 0), quernel_ep_input(n, 1));
}

// Operators that move codes without looking at them.
static bool moves(const quernel_ep_node *n) {
    static const char *const names[] = {"Reshape",      "Flatten",  "Squeeze", "Unsqueeze",
                                        "Transpose",    "Identity", "MaxPool", "DepthToSpace",
                                        "SpaceToDepth", "Slice",    "Split",   "Dropout",
                                        "Resize",       "Upsample", "Pad"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (quernel_ep_node_is(n, names[i])) return true;
    return false;
}

static void carry(quernel_ep_search *c, const quernel_ep_node *n) {
    const int32_t x = quernel_ep_input(n, 0);
    if (x < 0 || !c->records[x].coding.type) return;
    for (uint32_t i = 0; i < n->n_outputs; i++)
        if (n->outputs[i] >= 0 && c->records[n->outputs[i]].type == c->records[x].type)
            c->records[n->outputs[i]].coding = c->records[x].coding;
}

bool quernel_ep_codings_find(quernel_ep_search *c) {
    for (uint32_t node = 0; node < c->graph->n_nodes; node++) {
        const quernel_ep_node *n = quernel_ep_node_of(c, node);
        for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
            if (!strcmp(n->domain, meanings[i].domain) && !strcmp(n->op, meanings[i].op))
                note_meaning(c, node, i);
        if (quernel_ep_node_is_ms(n, "QLinearConcat")) note_concat(c, node);
    }
    // after all that is said of what they read, whatever is said of what they write
    for (uint32_t node = 0; node < c->graph->n_nodes; node++) {
        const quernel_ep_node *n = quernel_ep_node_of(c, node);
        if (moves(n)) carry(c, n);
    }
    return !c->region.failed;
}
