// SPDX-License-Identifier: Apache-2.0
// From a group of units to a program: its steps in order, values numbered anew, arrays copied.
#include "program.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weights.h"

int quernel_ep_fail(quernel_error *error, int code, int32_t index, const char *format, ...) {
    if (!error) return code;
    *error = (quernel_error){.code = code, .index = index};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return code;
}

typedef struct builder {
    quernel_ep_search *c;
    const quernel_ep_island *island;
    const quernel_ep_step **steps; // of the group, in their order
    quernel_ep_step *out_steps;
    uint32_t n_steps;
    int32_t *of[2];  // [values] record of a value by the order it is read in; −1: none yet
    int32_t *values; // [records] the value of each
    quernel_ep_record *records;
    uint32_t n_records;
    int32_t *weights; // [weights] pack of each
    uint32_t n_weights;
    uint8_t *data;
    uint32_t data_bytes;
    int32_t order; // of the step that is visited
} builder;

static int32_t index_in(const int32_t *list, uint32_t count, int32_t v) {
    for (uint32_t i = 0; i < count; i++)
        if (list[i] == v) return (int32_t)i;
    return -1;
}

static quernel_ep_span copy_span(builder *b, quernel_ep_span span) {
    const quernel_ep_span to = {b->data_bytes, span.bytes};
    if (!span.bytes) return span;
    memcpy(b->data + to.offset, b->c->data + span.offset, span.bytes);
    b->data_bytes += (span.bytes + 7) / 8 * 8;
    return to;
}

// A value that is made inside is one record; one from outside is one for each order.
static int32_t record_of(builder *b, int32_t v, int32_t order) {
    const quernel_ep_record *from = &b->c->records[v];
    if (b->of[order][v] >= 0) return b->of[order][v];
    const int32_t i = (int32_t)b->n_records++;
    b->records[i] = *from;
    b->records[i].order = order;
    b->records[i].input = index_in(b->island->inputs, b->island->n_inputs, v);
    b->records[i].output = index_in(b->island->outputs, b->island->n_outputs, v);
    b->records[i].constant = copy_span(b, from->constant);
    b->records[i].smooth = copy_span(b, from->smooth);
    b->values[i] = v;
    b->of[order][v] = i;
    if (b->records[i].input < 0) b->of[1 - order][v] = i;
    return i;
}

static void visit_input(void *user, int32_t v) {
    builder *b = user;
    record_of(b, v, b->order);
}

static int32_t weights_of(builder *b, int32_t pack) {
    int32_t i = index_in(b->weights, b->n_weights, pack);
    if (i < 0) b->weights[i = (int32_t)b->n_weights++] = pack;
    return i;
}

static void copy_list(builder *b, quernel_ep_step *s) {
    int32_t *list = (int32_t *)(void *)(b->data + s->arrays[QUERNEL_EP_LIST].offset);
    for (uint32_t i = 0; i < s->arrays[QUERNEL_EP_LIST].bytes / sizeof *list; i++)
        list[i] = record_of(b, list[i], s->order);
}

static void copy_step(builder *b, uint32_t i) {
    quernel_ep_step *s = &b->out_steps[i];
    *s = *b->steps[i];
    b->order = s->order;
    quernel_ep_step_inputs(b->c, s, visit_input, b);
    for (int k = 0; k < QUERNEL_EP_N_ARRAYS; k++) s->arrays[k] = copy_span(b, s->arrays[k]);
    if (s->arrays[QUERNEL_EP_LIST].bytes) copy_list(b, s);
    s->x = record_of(b, s->x, s->order);
    if (s->z >= 0) s->z = record_of(b, s->z, s->order);
    s->y = record_of(b, s->y, s->y_order);
    if (s->weights >= 0) s->weights = weights_of(b, s->weights);
}

// Steps by the node that makes their output: what a step reads is made before it, and what lies
// between the steps of a unit before the graph's own value.
static int64_t key_of(const quernel_ep_search *c, int32_t v) {
    return (int64_t)c->producer[v] << 33 | (int64_t)((uint32_t)v < c->graph->n_values) << 32 | v;
}

static int compare(const void *a, const void *b) {
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static bool list_steps(builder *b, const quernel_ep_groups *g, int32_t group) {
    uint32_t count = 0;
    for (int32_t u = g->first[group]; u >= 0; u = g->next[u]) count += b->c->units[u].n_steps;
    int64_t *keys = quernel_ep_region_take(&b->c->region, count, sizeof *keys);
    b->steps = quernel_ep_region_take(&b->c->region, count, sizeof(void *));
    b->out_steps = quernel_ep_region_take(&b->c->region, count, sizeof *b->out_steps);
    if (b->c->region.failed) return false;
    for (int32_t u = g->first[group]; u >= 0; u = g->next[u])
        for (uint32_t i = 0; i < b->c->units[u].n_steps; i++)
            keys[b->n_steps++] = key_of(b->c, b->c->units[u].steps[i].y);
    qsort(keys, count, sizeof *keys, compare);
    for (uint32_t k = 0; k < count; k++) {
        const quernel_ep_unit *unit = &b->c->units[b->c->unit_of[keys[k] >> 33]];
        for (uint32_t i = 0; i < unit->n_steps; i++)
            if (unit->steps[i].y == (int32_t)(keys[k] & INT32_MAX)) b->steps[k] = &unit->steps[i];
    }
    return true;
}

static bool begin(builder *b, const quernel_ep_groups *g, int32_t group) {
    quernel_ep_region *r = &b->c->region;
    if (!list_steps(b, g, group)) return false;
    size_t records = 0;
    for (uint32_t i = 0; i < b->n_steps; i++)
        records += 3 + b->steps[i]->arrays[QUERNEL_EP_LIST].bytes / sizeof(int32_t);
    b->records = quernel_ep_region_take(r, records, sizeof *b->records);
    b->values = quernel_ep_region_take(r, records, sizeof *b->values);
    b->weights = quernel_ep_region_take(r, b->n_steps, sizeof *b->weights);
    // all spans lie in the context's data, each is copied once, but smoothing once for each order
    b->data = quernel_ep_region_take(r, 2 * (size_t)b->c->data_bytes, 1);
    for (int k = 0; k < 2; k++) {
        b->of[k] = quernel_ep_region_take(r, b->c->n_values, sizeof *b->of[k]);
        for (uint32_t v = 0; b->of[k] && v < b->c->n_values; v++) b->of[k][v] = -1;
    }
    return !r->failed;
}

static void lay_out(quernel_ep_program *p) {
    const quernel_ep_image *image = p->image;
    const uint8_t *base = (const uint8_t *)image;
    p->records = (const void *)(base + quernel_ep_image_bytes(0, 0, 0));
    p->steps = (const void *)(base + quernel_ep_image_bytes(image->n_records, 0, 0));
    p->data = base + quernel_ep_image_bytes(image->n_records, image->n_steps, 0);
}

quernel_ep_program *quernel_ep_program_of_image(const quernel_ep_image *image, bool owns,
                                                const quernel_ep_options *options) {
    quernel_ep_program *p = calloc(1, sizeof *p);
    quernel_weights **weights = calloc(image->n_weights + 1, sizeof(void *));
    int32_t *types = calloc((size_t)image->n_inputs + image->n_outputs + 1, sizeof *types);
    if (!p || !weights || !types) return free(p), free(weights), free(types), NULL;
    *p = (quernel_ep_program){.memory = owns ? (void *)(uintptr_t)image : NULL,
                              .image = image,
                              .weights = weights,
                              .types = types,
                              .threads = options->threads,
                              .isa = options->isa};
    lay_out(p);
    return p;
}

quernel_ep_signature quernel_ep_program_signature(const quernel_ep_program *p) {
    const uint32_t n_inputs = p->image->n_inputs;
    return (quernel_ep_signature){n_inputs, p->image->n_outputs, p->types, p->types + n_inputs};
}

static void note_types(quernel_ep_program *p) {
    for (uint32_t i = 0; i < p->image->n_records; i++) {
        const quernel_ep_record *r = &p->records[i];
        if (r->input >= 0) p->types[r->input] = r->type;
        if (r->output >= 0) p->types[p->image->n_inputs + (uint32_t)r->output] = r->type;
    }
}

// The image is this program's own as long as it was not loaded.
void quernel_ep_program_permute(quernel_ep_program *p, const uint32_t *inputs,
                                const uint32_t *outputs) {
    quernel_ep_record *records = (void *)((uint8_t *)p->memory + quernel_ep_image_bytes(0, 0, 0));
    for (uint32_t i = 0; i < p->image->n_records; i++) {
        quernel_ep_record *r = &records[i];
        if (r->input >= 0) r->input = (int32_t)inputs[r->input];
        if (r->output >= 0) r->output = (int32_t)outputs[r->output];
    }
    note_types(p);
}

static quernel_ep_program *assemble(const builder *b) {
    quernel_ep_image head = {.magic = "QNEPPROG",
                             .format = QUERNEL_EP_FORMAT,
                             .n_records = b->n_records,
                             .n_steps = b->n_steps,
                             .n_inputs = b->island->n_inputs,
                             .n_outputs = b->island->n_outputs,
                             .n_weights = b->n_weights,
                             .data_bytes = b->data_bytes};
    head.bytes = quernel_ep_image_bytes(b->n_records, b->n_steps, b->data_bytes);
    uint8_t *image = calloc(1, head.bytes);
    if (!image) return NULL;
    memcpy(image, &head, sizeof head);
    memcpy(image + quernel_ep_image_bytes(0, 0, 0), b->records, b->n_records * sizeof *b->records);
    memcpy(image + quernel_ep_image_bytes(b->n_records, 0, 0), b->out_steps,
           b->n_steps * sizeof *b->out_steps);
    memcpy(image + quernel_ep_image_bytes(b->n_records, b->n_steps, 0), b->data, b->data_bytes);
    quernel_ep_program *p = quernel_ep_program_of_image((const void *)image, true, b->c->options);
    if (p) note_types(p);
    else free(image);
    return p;
}

// Index of an error: the unit whose weights are refused.
static int pack_weights(builder *b, quernel_ep_program *p, quernel_error *error) {
    for (uint32_t i = 0; i < b->n_weights; i++) {
        const int code = quernel_ep_weights_pack(b->c, (uint32_t)b->weights[i], error);
        if (code) return code;
        p->weights[i] = quernel_weights_retain(b->c->packs[b->weights[i]].packed);
    }
    return QUERNEL_OK;
}

int quernel_ep_program_build(quernel_ep_search *c, const quernel_ep_groups *g, int32_t group,
                             const quernel_ep_island *island, quernel_ep_program **ret_program,
                             quernel_error *error) {
    builder b = {.c = c, .island = island};
    if (!begin(&b, g, group)) return quernel_ep_fail(error, QUERNEL_E_MEMORY, -1, "no memory");
    for (uint32_t i = 0; i < b.n_steps; i++) copy_step(&b, i);
    quernel_ep_program *p = assemble(&b);
    if (!p) return quernel_ep_fail(error, QUERNEL_E_MEMORY, -1, "no memory");
    const int code = pack_weights(&b, p, error);
    if (code) quernel_ep_program_destroy(p);
    else *ret_program = p;
    return code;
}

void quernel_ep_program_destroy(quernel_ep_program *p) {
    if (!p) return;
    for (uint32_t i = 0; i < p->image->n_weights; i++) quernel_weights_release(p->weights[i]);
    free(p->weights);
    free(p->types);
    free(p->memory);
    free(p);
}
