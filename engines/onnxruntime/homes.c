// SPDX-License-Identifier: Apache-2.0
// Which values are channels of which tensor: what is concatenated is written where it belongs, what
// is split or given another rank is read where it lies.
#include "lower.h"

#include <string.h>

static bool same_codes(const quernel_ep_record *a, const quernel_ep_record *b) {
    return a->type == b->type && !a->smooth.bytes && !b->smooth.bytes &&
           (a->type == QUERNEL_EP_TYPE_F32 ||
            (a->coding.scale == b->coding.scale && a->coding.zero == b->coding.zero));
}

static bool is_alias(const quernel_ep_lowering *l, const quernel_ep_step *s) {
    const quernel_ep_record *r = l->program->records;
    // what nobody reads needs no place of its own
    const bool dead = !l->readers[s->y] && r[s->y].output < 0;
    return s->kind == QUERNEL_EP_VIEW && (dead || same_codes(&r[s->x], &r[s->y]));
}

// Whether a value's home may be chosen by who reads it.
static bool is_free(const quernel_ep_lowering *l, int32_t record) {
    const quernel_ep_record *r = &l->program->records[record];
    return r->input < 0 && !r->constant.bytes && r->output < 0 && l->homes[record].tensor < 0;
}

static int32_t type_of(int32_t type) {
    return type == QUERNEL_EP_TYPE_U8   ? QUERNEL_TYPE_U8
           : type == QUERNEL_EP_TYPE_S8 ? QUERNEL_TYPE_S8
                                        : QUERNEL_TYPE_F32;
}

// What is handed in and out lies as ONNX has it.
static void set_layout(quernel_network_tensor *t, const quernel_ep_record *r, int32_t role) {
    t->role = role;
    t->shape.layout = role != QUERNEL_NETWORK_INNER && r->order == QUERNEL_EP_ORDER_IMAGE &&
                              r->rank > 2 && !r->constant.bytes
                          ? QUERNEL_LAYOUT_NCHW
                          : QUERNEL_LAYOUT_NHWC;
}

int32_t quernel_ep_tensor_add(quernel_ep_lowering *l, int32_t record, int32_t role) {
    const quernel_ep_record *r = &l->program->records[record];
    const quernel_ep_sizes *s = &l->sizes[record];
    quernel_network_tensor t = QUERNEL_NETWORK_TENSOR_INIT;
    t.shape.type = type_of(r->type);
    t.shape.n = s->n, t.shape.c = s->c, t.shape.h = s->h, t.shape.w = s->w;
    set_layout(&t, r, role);
    t.quant.type = t.shape.type == QUERNEL_TYPE_S8 ? QUERNEL_TYPE_S8 : QUERNEL_TYPE_U8;
    if (r->coding.type) t.quant.scale = r->coding.scale, t.quant.zero = r->coding.zero;
    t.smooth = quernel_ep_program_at(l->program, r->smooth);
    l->tensors[l->n_tensors] = t;
    l->sources[l->n_tensors] = record;
    return (int32_t)l->n_tensors++;
}

static void settle(quernel_ep_lowering *l, int32_t record, int32_t tensor, uint32_t channel) {
    l->homes[record] = (quernel_ep_home){tensor, channel};
}

static bool appears_twice(const int32_t *list, uint32_t count, uint32_t at) {
    for (uint32_t i = 0; i < count; i++)
        if (i != at && list[i] == list[at]) return true;
    return false;
}

static void house_parts(quernel_ep_lowering *l, const quernel_ep_step *s) {
    const quernel_ep_record *r = l->program->records;
    const int32_t *list = quernel_ep_program_at(l->program, s->arrays[QUERNEL_EP_LIST]);
    const uint32_t count = s->arrays[QUERNEL_EP_LIST].bytes / sizeof *list;
    const quernel_ep_home y = l->homes[s->y];
    uint32_t channel = y.channel;
    for (uint32_t i = 0; i < count; channel += l->sizes[list[i++]].c)
        if (is_free(l, list[i]) && same_codes(&r[list[i]], &r[s->y]) &&
            !appears_twice(list, count, i))
            settle(l, list[i], y.tensor, channel);
}

// Whether a convolution's codes are written pixel by pixel, and turned into planes by a layer
// behind it: that costs a pass of bytes, 0.03 to 0.04 ns an element, an epilogue that scatters them
// 0.2 to 0.4 (AVX-512-VNNI: 64:64 at 56x56 0.163 to 0.123 ms, depthwise 144 at 56x56 0.346 to
// 0.186).
static bool is_turned(const quernel_ep_lowering *l, const quernel_ep_step *s) {
    const quernel_ep_record *r = &l->program->records[s->y];
    return s->kind == QUERNEL_EP_CONV && r->type != QUERNEL_EP_TYPE_F32 &&
           r->order == QUERNEL_EP_ORDER_IMAGE && r->rank > 2;
}

// From the last step on: who reads decides.
static void house_backwards(quernel_ep_lowering *l, uint32_t step) {
    const quernel_ep_step *s = &l->program->steps[step];
    const quernel_ep_record *r = &l->program->records[s->y];
    if (r->output >= 0 && !l->readers[s->y] && !is_turned(l, s))
        settle(l, s->y, quernel_ep_tensor_add(l, s->y, QUERNEL_NETWORK_OUTPUT), 0);
    if (s->kind == QUERNEL_EP_CONCAT) {
        if (l->homes[s->y].tensor < 0)
            settle(l, s->y, quernel_ep_tensor_add(l, s->y, QUERNEL_NETWORK_INNER), 0);
        house_parts(l, s);
    }
    if (is_alias(l, s) && l->homes[s->y].tensor >= 0 && l->readers[s->x] == 1 && is_free(l, s->x) &&
        l->sizes[s->x].c == l->sizes[s->y].c)
        l->homes[s->x] = l->homes[s->y];
}

static bool multiplies_alone(const quernel_ep_lowering *l, int32_t record) {
    for (uint32_t i = 0; i < l->program->image->n_steps; i++) {
        const quernel_ep_step *s = &l->program->steps[i];
        if (s->x == record && s->kind == QUERNEL_EP_CONV && s->z != record) return true;
    }
    return false;
}

bool quernel_ep_is_elided(const quernel_ep_lowering *l, uint32_t step) {
    const quernel_ep_step *s = &l->program->steps[step];
    const quernel_ep_record *x = &l->program->records[s->x], *y = &l->program->records[s->y];
    return s->kind == QUERNEL_EP_ELTWISE && s->op == QUERNEL_ELTWISE_COPY && !s->activation &&
           x->input >= 0 && x->type == QUERNEL_EP_TYPE_F32 && y->coding.type && y->output < 0 &&
           l->readers[s->y] == 1 && multiplies_alone(l, s->y);
}

// The float input as its reader quantizes it: a tensor of its own.
static void house_elided(quernel_ep_lowering *l, const quernel_ep_step *s) {
    const int32_t tensor = quernel_ep_tensor_add(l, s->x, QUERNEL_NETWORK_INPUT);
    const quernel_ep_coding *coding = &l->program->records[s->y].coding;
    quernel_quant *q = &l->tensors[tensor].quant;
    q->type = type_of(coding->type), q->scale = coding->scale, q->zero = coding->zero;
    settle(l, s->y, tensor, 0);
}

static void house_forwards(quernel_ep_lowering *l, uint32_t step) {
    const quernel_ep_step *s = &l->program->steps[step];
    if (l->homes[s->y].tensor >= 0) return;
    if (is_alias(l, s)) settle(l, s->y, l->homes[s->x].tensor, l->homes[s->x].channel + s->channel);
    else if (quernel_ep_is_elided(l, step)) house_elided(l, s);
    else settle(l, s->y, quernel_ep_tensor_add(l, s->y, QUERNEL_NETWORK_INNER), 0);
}

// Dynamic quantization is the tensor's, too.
static void set_dynamic(quernel_ep_lowering *l, const quernel_ep_step *s) {
    if (s->kind != QUERNEL_EP_CONV || !s->dynamic) return;
    quernel_quant *q = &l->tensors[l->homes[s->x].tensor].quant;
    q->mode = QUERNEL_QUANT_DYNAMIC_CALL, q->type = QUERNEL_TYPE_U8, q->asymmetric = 1;
}

void quernel_ep_homes_find(quernel_ep_lowering *l) {
    const quernel_ep_image *image = l->program->image;
    for (uint32_t i = 0; i < image->n_records; i++) l->homes[i].tensor = -1;
    for (uint32_t i = image->n_steps; i-- > 0;) house_backwards(l, i);
    for (uint32_t i = 0; i < image->n_records; i++) {
        const quernel_ep_record *r = &l->program->records[i];
        if ((r->input >= 0 || r->constant.bytes) && l->readers[i])
            settle(l, (int32_t)i, quernel_ep_tensor_add(l, (int32_t)i, QUERNEL_NETWORK_INPUT), 0);
    }
    for (uint32_t i = 0; i < image->n_steps; i++) house_forwards(l, i);
    for (uint32_t i = 0; i < image->n_steps; i++) set_dynamic(l, &l->program->steps[i]);
}
