// SPDX-License-Identifier: Apache-2.0
// Chains: each layer's output as its readers quantize it.
#include <string.h>

#include "base/desc.h"
#include "base/error.h"
#include "quernel/fold.h"

#define WHERE "chain"

static int check_layer(const quernel_chain_layer *layers, uint32_t i, quernel_error *error) {
    const quernel_chain_layer *l = &layers[i];
    if (l->from < -1 || l->from >= (int64_t)i)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "from", i,
                                   WHERE ": layers[%u].from: %d: must be -1 to %lld", i, l->from,
                                   (long long)i - 1);
    if (l->from >= 0 && layers[l->from].out != l->in)
        return quernel_i_error_set(error, QUERNEL_E_SHAPE, "in", i,
                                   WHERE ": layers[%u].in: %u: layer %d writes %u channels", i,
                                   l->in, l->from, layers[l->from].out);
    if (l->smooth_kind < 0 || l->smooth_kind > QUERNEL_SMOOTH_COLUMN)
        return quernel_i_error_set(error, QUERNEL_E_VALUE, "smooth_kind", i,
                                   WHERE ": layers[%u].smooth_kind: %d: unknown", i,
                                   l->smooth_kind);
    if (l->smooth_kind == QUERNEL_SMOOTH_CHANNEL && !l->smooth)
        return quernel_i_error_null(error, WHERE, "smooth");
    return quernel_i_check_reserved(error, WHERE, "layers.reserved", l->reserved,
                                    sizeof l->reserved);
}

// Why a reader cannot take an int8 input, or QUERNEL_CHAIN_INT8 where it can.
static int32_t refusal(const quernel_chain_layer *reader) {
    if (reader->float_input) return QUERNEL_CHAIN_FLOAT_READER;
    if (reader->quant.mode != QUERNEL_QUANT_STATIC || reader->quant.row_scale)
        return QUERNEL_CHAIN_DYNAMIC;
    return reader->smooth_kind == QUERNEL_SMOOTH_COLUMN ? QUERNEL_CHAIN_COLUMN : QUERNEL_CHAIN_INT8;
}

// Whether two readers quantize their input to the same codes.
static int alike(const quernel_chain_layer *a, const quernel_chain_layer *b) {
    const quernel_quant *p = &a->quant, *q = &b->quant;
    if (p->type != q->type || p->scale != q->scale || p->zero != q->zero || p->narrow != q->narrow)
        return 0;
    if (a->smooth_kind != b->smooth_kind) return 0;
    return a->smooth_kind == QUERNEL_SMOOTH_NONE ||
           !memcmp(a->smooth, b->smooth, a->in * sizeof *a->smooth);
}

static quernel_chain_output output_of(const quernel_chain_layer *layers, uint32_t count,
                                      uint32_t i) {
    quernel_chain_output y = {
        .y_type = QUERNEL_TYPE_F32, .y_scale = 1.0f, .reason = QUERNEL_CHAIN_LAST};
    const quernel_chain_layer *first = NULL;
    for (uint32_t j = i + 1; j < count; j++) {
        if (layers[j].from != (int64_t)i) continue;
        y.reason = refusal(&layers[j]);
        if (!y.reason && first && !alike(first, &layers[j]))
            y.reason = QUERNEL_CHAIN_READERS_DIFFER;
        if (y.reason) return y;
        if (!first) first = &layers[j];
    }
    if (!first) return y;
    y.y_type = first->quant.type, y.y_zero = first->quant.zero, y.y_narrow = first->quant.narrow;
    y.y_scale = first->quant.scale;
    y.y_smooth = first->smooth_kind == QUERNEL_SMOOTH_CHANNEL ? first->smooth : NULL;
    return y;
}

int quernel_chain_plan(const quernel_chain_layer *layers, uint32_t count,
                       quernel_chain_output *ret_outputs, quernel_error *error) {
    if (!layers) return quernel_i_error_null(error, WHERE, "layers");
    if (!ret_outputs) return quernel_i_error_null(error, WHERE, "ret_outputs");
    for (uint32_t i = 0; i < count; i++) {
        const int code = check_layer(layers, i, error);
        if (code) return code;
    }
    for (uint32_t i = 0; i < count; i++) ret_outputs[i] = output_of(layers, count, i);
    return QUERNEL_OK;
}
