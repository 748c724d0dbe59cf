// SPDX-License-Identifier: Apache-2.0
// The tensors of a workload: their layout and data.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tune/common/random.h"
#include "tune/workload/parts.h"

enum { SLACK = 64 }; // bytes behind every buffer

float workload_uniform(uint64_t *state) { return (float)(random_next(state) >> 40) * 0x1p-24f; }

static void set_dense_strides(quernel_tensor *t) {
    const bool nchw = t->layout == QUERNEL_LAYOUT_NCHW;
    t->stride_c = nchw ? (int64_t)t->h * t->w : 1;
    t->stride_w = nchw ? 1 : t->c;
    t->stride_h = nchw ? t->w : (int64_t)t->w * t->c;
    t->stride_n = (int64_t)t->h * t->w * t->c;
}

// Lays out one tensor: a chain tensor with a border, or dense.
static int lay_out(workload *w, quernel_tensor *t, uint32_t border, size_t *ret_bytes,
                   size_t *ret_offset) {
    const bool gemm = w->shape->op == SHAPE_GEMM;
    *ret_offset = 0;
    if (w->request.boundary == BOUNDARY_INT8 && !gemm) {
        quernel_error error = {0};
        const int code = quernel_chain_describe(t, border, border, ret_bytes, ret_offset, &error);
        return code ? workload_refuse(w, error.text) : 1;
    }
    const bool nchw = w->request.boundary == BOUNDARY_F32 && w->request.nchw && !gemm;
    t->layout = nchw ? QUERNEL_LAYOUT_NCHW : QUERNEL_LAYOUT_NHWC;
    set_dense_strides(t);
    *ret_bytes =
        (size_t)t->n * t->h * t->w * t->c * quernel_type_size((quernel_type)t->type) + SLACK;
    return 1;
}

uint8_t *workload_allocate_filled(size_t bytes, int32_t type, uint64_t seed) {
    bytes = (bytes + 63) / 64 * 64;
    uint8_t *memory = aligned_alloc(64, bytes);
    if (!memory) return NULL;
    if (type == QUERNEL_TYPE_F32)
        for (size_t i = 0; i + 4 <= bytes; i += 4) {
            const float x = workload_uniform(&seed) * 5.0f - 1.5f;
            memcpy(memory + i, &x, sizeof x);
        }
    else
        for (size_t i = 0; i < bytes; i++) memory[i] = (uint8_t)(random_next(&seed) >> 56);
    return memory;
}

// What saturates where something can.
static void insert_extremes(workload *w) {
    static const uint8_t bytes[] = {0, 255, 128, 127};
    static const float floats[] = {INFINITY, -INFINITY, NAN, 3e38f};
    uint64_t seed = w->request.seed;
    const int f32 = w->x.type == QUERNEL_TYPE_F32;
    for (size_t i = 0; i + 4 <= w->x_bytes; i += 4) {
        const uint32_t dice = (uint32_t)(random_next(&seed) >> 40);
        if (f32 && dice % 64 == 0) memcpy(w->x_memory + i, &floats[dice / 64 % 4], 4);
        else if (!f32 && dice % 8 == 0) w->x_memory[i + dice / 8 % 4] = bytes[dice / 32 % 4];
    }
}

// A chain tensor's border holds the zero point, as the layer before would have left it.
static void fill_border(const workload *w) {
    const quernel_tensor *t = &w->x;
    quernel_quant q = QUERNEL_QUANT_INIT;
    workload_quant(w, &q);
    for (uint32_t n = 0; n < t->n; n++)
        for (int64_t i = -(int64_t)t->border_h; i < (int64_t)t->h + t->border_h; i++)
            for (int64_t j = -(int64_t)t->border_w; j < (int64_t)t->w + t->border_w; j++) {
                if (i >= 0 && i < t->h && j >= 0 && j < t->w) continue;
                const int64_t pixel = n * t->stride_n + i * t->stride_h + j * t->stride_w;
                memset(w->x_memory + w->x_offset + pixel, q.zero, t->c);
            }
}

static void describe(workload *w, int32_t type) {
    const shape *p = w->shape;
    const bool gemm = p->op == SHAPE_GEMM;
    w->x = (quernel_tensor){.type = type,
                            .n = gemm ? 1 : p->batch,
                            .c = shape_in(p),
                            .h = gemm ? p->m : p->h,
                            .w = gemm ? 1 : p->w};
    w->y = (quernel_tensor){.type = w->request.s32 ? QUERNEL_TYPE_S32 : type,
                            .n = w->x.n,
                            .c = shape_out(p),
                            .h = gemm ? p->m : p->h_out,
                            .w = gemm ? 1 : p->w_out};
    w->residual = w->y;
}

int workload_make_tensors(workload *w) {
    const shape *p = w->shape;
    const request *r = &w->request;
    const int32_t type = r->boundary == BOUNDARY_F32 ? QUERNEL_TYPE_F32 : r->x_type;
    const uint32_t border = p->op == SHAPE_GEMM ? 0 : p->pad > p->pad_w ? p->pad : p->pad_w;
    describe(w, type);
    if (!lay_out(w, &w->x, border, &w->x_bytes, &w->x_offset)) return 0;
    if (!lay_out(w, &w->y, 1, &w->y_bytes, &w->y_offset)) return 0;
    if (!lay_out(w, &w->residual, 1, &w->residual_bytes, &w->residual_offset)) return 0;
    w->x_memory = workload_allocate_filled(w->x_bytes, type, r->seed ^ 0xda7a);
    w->y_memory = workload_allocate_filled(w->y_bytes, type, 1);
    if (p->residual)
        w->residual_memory = workload_allocate_filled(w->residual_bytes, type, r->seed ^ 0x4e5);
    if (!w->x_memory || !w->y_memory || (p->residual && !w->residual_memory))
        return workload_refuse(w, "no memory");
    if (r->extremes) insert_extremes(w);
    fill_border(w);
    return 1;
}
