// SPDX-License-Identifier: Apache-2.0
// Lowering: sizes, homes, layers.
#include "lower.h"

static bool allocate(quernel_ep_lowering *l) {
    const quernel_ep_image *image = l->program->image;
    uint32_t layers = 2 * image->n_steps; // each step, and a copy of its output
    for (uint32_t i = 0; i < image->n_steps; i++)
        layers += l->program->steps[i].arrays[QUERNEL_EP_LIST].bytes / sizeof(int32_t);
    // one for each record, each output that is read inside, and each float input quantized by one
    const size_t tensors = 2 * (size_t)image->n_records + image->n_steps;
    l->sizes = quernel_ep_region_take(&l->region, image->n_records, sizeof *l->sizes);
    l->homes = quernel_ep_region_take(&l->region, image->n_records, sizeof *l->homes);
    l->readers = quernel_ep_region_take(&l->region, image->n_records, sizeof *l->readers);
    l->tensors = quernel_ep_region_take(&l->region, tensors, sizeof *l->tensors);
    l->sources = quernel_ep_region_take(&l->region, tensors, sizeof *l->sources);
    l->layers = quernel_ep_region_take(&l->region, layers, sizeof *l->layers);
    l->descs = quernel_ep_region_take(&l->region, layers, sizeof *l->descs);
    l->steps = quernel_ep_region_take(&l->region, layers, sizeof *l->steps);
    return !l->region.failed;
}

static void count_readers(quernel_ep_lowering *l) {
    const quernel_ep_program *p = l->program;
    for (uint32_t i = 0; i < p->image->n_steps; i++) {
        const quernel_ep_span span = p->steps[i].arrays[QUERNEL_EP_LIST];
        const int32_t *list = quernel_ep_program_at(p, span);
        for (uint32_t k = 0; k < span.bytes / sizeof *list; k++) l->readers[list[k]]++;
        if (!list) l->readers[p->steps[i].x]++;
        if (p->steps[i].z >= 0) l->readers[p->steps[i].z]++;
    }
}

static int find_sizes(quernel_ep_lowering *l, const quernel_ep_shape *inputs,
                      quernel_error *error) {
    const quernel_ep_program *p = l->program;
    for (uint32_t i = 0; i < p->image->n_records; i++) {
        const quernel_ep_record *r = &p->records[i];
        if (r->constant.bytes) l->sizes[i] = r->constant_sizes;
        if (r->input < 0) continue;
        const quernel_ep_shape *shape = &inputs[r->input];
        if (shape->rank != r->rank || !quernel_ep_sizes_of_shape(shape, r->order, &l->sizes[i]))
            return quernel_ep_fail(error, QUERNEL_E_SHAPE, -1,
                                   "input %d: not of %u dimensions of 1 to 2^31 - 1", r->input,
                                   r->rank);
        if (r->smooth.bytes && r->smooth.bytes != l->sizes[i].c * sizeof(float))
            return quernel_ep_fail(error, QUERNEL_E_SHAPE, -1, "input %d: not of %zu channels",
                                   r->input, r->smooth.bytes / sizeof(float));
    }
    int code = QUERNEL_OK;
    for (uint32_t i = 0; i < p->image->n_steps && !code; i++)
        code = quernel_ep_sizes_follow(p, i, l->sizes, error);
    return code;
}

int quernel_ep_lower(const quernel_ep_program *p, const quernel_ep_shape *inputs,
                     quernel_ep_lowering *ret_lowering, quernel_error *error) {
    quernel_ep_lowering *l = ret_lowering;
    *l = (quernel_ep_lowering){.program = p};
    if (!allocate(l)) return quernel_ep_fail(error, QUERNEL_E_MEMORY, -1, "no memory");
    count_readers(l);
    const int code = find_sizes(l, inputs, error);
    if (code) return code;
    quernel_ep_homes_find(l);
    for (uint32_t i = 0; i < p->image->n_steps; i++) quernel_ep_layers_add(l, i);
    return l->region.failed ? quernel_ep_fail(error, QUERNEL_E_MEMORY, -1, "no memory") : 0;
}

void quernel_ep_lowering_free(quernel_ep_lowering *l) { quernel_ep_region_free(&l->region); }
