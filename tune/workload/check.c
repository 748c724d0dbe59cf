// SPDX-License-Identifier: Apache-2.0
// A workload's last output against ref.
#include <stdlib.h>
#include <string.h>

#include "tune/common/random.h"
#include "tune/workload/parts.h"

#define FULL_CHECK_MACS 4000000000ull // some seconds of ref

static uint64_t count_different(const workload *w, const crop *c, const uint8_t *expected,
                                uint64_t *checked) {
    const quernel_tensor *t = &w->y;
    const size_t size = quernel_type_size((quernel_type)t->type),
                 skip = w->y_offset + c->y_skip * size;
    uint64_t wrong = 0;
    for (uint32_t n = 0; n < t->n; n++)
        for (uint32_t h = 0; h < c->line1 - c->line0; h++)
            for (uint32_t x = 0; x < t->w; x++)
                for (uint32_t ch = 0; ch < t->c; ch++) {
                    const int64_t element =
                        n * t->stride_n + h * t->stride_h + x * t->stride_w + ch * t->stride_c;
                    const size_t byte = skip + size * (size_t)element;
                    wrong += memcmp(expected + byte, w->y_memory + byte, size) != 0;
                    ++*checked;
                }
    return wrong;
}

// Runs ref on a crop; y is as large as the whole output.
static int run_ref(const workload *w, const quernel_operator *op, const crop *c, uint8_t *y) {
    const size_t bytes = quernel_operator_workspace(op),
                 size = quernel_type_size((quernel_type)w->y.type);
    const size_t x_skip = w->x_offset + c->x_skip * quernel_type_size((quernel_type)w->x.type);
    const uint8_t *residual = w->residual_memory;
    if (residual) residual += w->residual_offset + c->y_skip * size;
    uint8_t *workspace = aligned_alloc(64, bytes ? bytes : 64);
    const int code = workspace ? quernel_operator_run(op, w->x_memory + x_skip, residual,
                                                      y + w->y_offset + c->y_skip * size, workspace,
                                                      bytes, NULL, NULL)
                               : QUERNEL_E_MEMORY;
    free(workspace);
    return code;
}

// The number of elements of a crop that differ; UINT64_MAX where ref cannot run.
static uint64_t check_crop(workload *w, crop c, uint64_t *checked) {
    quernel_operator *op;
    if (workload_make_operator(w, QUERNEL_ISA_REF, &c, &op, NULL)) return UINT64_MAX;
    uint8_t *y = aligned_alloc(64, (w->y_bytes + 63) / 64 * 64);
    uint64_t wrong = UINT64_MAX;
    if (y && !run_ref(w, op, &c, y)) wrong = count_different(w, &c, y, checked);
    free(y);
    quernel_operator_destroy(op);
    return wrong;
}

uint64_t workload_check(workload *w, uint64_t *ret_checked) {
    const shape *p = w->shape;
    const uint32_t lines = p->op == SHAPE_GEMM ? p->m : p->h_out;
    const uint64_t full = w->request.full_check ? w->request.full_check : FULL_CHECK_MACS;
    *ret_checked = 0;
    if (p->macs <= full || (w->request.dynamic && w->request.boundary == BOUNDARY_F32))
        return check_crop(w, (crop){0, lines, 0, 0}, ret_checked);
    const uint32_t width = p->op == SHAPE_GEMM ? 1 : p->w, some = 64 / width + 1;
    uint64_t seed = w->request.seed, wrong = 0;
    for (uint32_t i = 0; i < some + 2; i++) {
        const uint32_t line = i == 0   ? 0
                              : i == 1 ? lines - 1
                                       : (uint32_t)(random_next(&seed) % lines);
        const uint64_t bad = check_crop(w, (crop){line, line + 1, 0, 0}, ret_checked);
        if (bad == UINT64_MAX) return bad;
        wrong += bad;
    }
    return wrong;
}
