// SPDX-License-Identifier: Apache-2.0
// Memory, edges and data of a search.
#include "search.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct quernel_ep_block {
    struct quernel_ep_block *before;
    max_align_t memory[];
} quernel_ep_block;

void *quernel_ep_region_take(quernel_ep_region *region, size_t count, size_t size) {
    const size_t bytes = count * size + 1; // a block of nothing is one, too
    quernel_ep_block *b = calloc(1, sizeof *b + bytes);
    if (!b) {
        region->failed = true;
        return NULL;
    }
    b->before = region->last;
    region->last = b;
    return b->memory;
}

void quernel_ep_region_free(quernel_ep_region *region) {
    for (quernel_ep_block *b = region->last, *before; b; b = before) before = b->before, free(b);
    region->last = NULL;
}

void *quernel_ep_region_grow(quernel_ep_region *region, void *array, uint32_t count, size_t size) {
    if (count & (count - 1)) return array;
    void *larger = quernel_ep_region_take(region, count ? 2 * (size_t)count : 1, size);
    if (larger && count) memcpy(larger, array, count * size);
    return larger;
}

// Counts the readers of each value into readers_begin[v + 1], then fills them in.
static void find_readers(quernel_ep_search *c) {
    const quernel_ep_graph *g = c->graph;
    for (uint32_t i = 0; i < g->n_nodes; i++)
        for (uint32_t k = 0; k < g->nodes[i].n_inputs; k++)
            if (g->nodes[i].inputs[k] >= 0) c->readers_begin[g->nodes[i].inputs[k] + 1]++;
    for (uint32_t v = 0; v < g->n_values; v++) c->readers_begin[v + 1] += c->readers_begin[v];
    // from the last node on, so that each list ends up ascending and begins where it should
    for (uint32_t v = g->n_values; v > 0; v--) c->readers_begin[v] = c->readers_begin[v - 1];
    for (uint32_t i = 0; i < g->n_nodes; i++)
        for (uint32_t k = 0; k < g->nodes[i].n_inputs; k++)
            if (g->nodes[i].inputs[k] >= 0)
                c->readers[c->readers_begin[g->nodes[i].inputs[k] + 1]++] = i;
}

static void find_records(quernel_ep_search *c) {
    for (uint32_t v = 0; v < c->graph->n_values; v++) {
        c->producer[v] = -1;
        c->records[v].type = c->graph->values[v].type;
        c->records[v].rank = c->graph->values[v].rank;
    }
    for (uint32_t i = 0; i < c->graph->n_nodes; i++) {
        c->unit_of[i] = -1;
        for (uint32_t k = 0; k < c->graph->nodes[i].n_outputs; k++)
            if (c->graph->nodes[i].outputs[k] >= 0)
                c->producer[c->graph->nodes[i].outputs[k]] = (int32_t)i;
    }
}

int quernel_ep_search_make(const quernel_ep_graph *graph, const quernel_ep_options *options,
                           quernel_ep_search *ret_search) {
    quernel_ep_search c = {.graph = graph, .options = options, .n_values = graph->n_values};
    size_t edges = 0;
    for (uint32_t i = 0; i < graph->n_nodes; i++) edges += graph->nodes[i].n_inputs;
    // room for values that units add: a node adds one at most
    const size_t values = (size_t)graph->n_values + graph->n_nodes;
    c.producer = quernel_ep_region_take(&c.region, values, sizeof *c.producer);
    c.readers_begin = quernel_ep_region_take(&c.region, graph->n_values + 2, sizeof(uint32_t));
    c.readers = quernel_ep_region_take(&c.region, edges, sizeof *c.readers);
    c.unit_of = quernel_ep_region_take(&c.region, graph->n_nodes, sizeof *c.unit_of);
    c.reasons = quernel_ep_region_take(&c.region, graph->n_nodes, sizeof *c.reasons);
    c.records = quernel_ep_region_take(&c.region, values, sizeof *c.records);
    *ret_search = c;
    if (c.region.failed) return QUERNEL_E_MEMORY;
    find_readers(ret_search);
    find_records(ret_search);
    return quernel_ep_constants_fold(ret_search) && quernel_ep_codings_find(ret_search)
               ? QUERNEL_OK
               : QUERNEL_E_MEMORY;
}

void quernel_ep_search_free(quernel_ep_search *c) {
    for (uint32_t i = 0; i < c->n_packs; i++) quernel_weights_release(c->packs[i].packed);
    free(c->data);
    quernel_ep_region_free(&c->region);
}

bool quernel_ep_node_refuse(quernel_ep_search *c, uint32_t node, const char *format, ...) {
    if (c->reasons[node]) return false;
    const size_t bytes = sizeof((quernel_ep_refusal *)0)->reason;
    char *reason = quernel_ep_region_take(&c->region, bytes, 1);
    if (!reason) return false;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, bytes, format, arguments);
    va_end(arguments);
    c->reasons[node] = reason;
    return false;
}

quernel_ep_span quernel_ep_data_put(quernel_ep_search *c, const void *array, size_t bytes) {
    const size_t room = (bytes + 7) / 8 * 8;
    if (room > INT32_MAX - c->data_bytes) c->region.failed = true;
    if (c->region.failed || !bytes) return (quernel_ep_span){0, 0};
    if (c->data_bytes + room > c->data_capacity) {
        const size_t capacity = 2 * (c->data_bytes + room);
        uint8_t *larger = realloc(c->data, capacity);
        if (!larger) {
            c->region.failed = true;
            return (quernel_ep_span){0, 0};
        }
        c->data = larger, c->data_capacity = (uint32_t)capacity;
    }
    const quernel_ep_span span = {c->data_bytes, (uint32_t)bytes};
    memset(c->data + span.offset, 0, room);
    memcpy(c->data + span.offset, array, bytes);
    c->data_bytes += (uint32_t)room;
    return span;
}

int32_t quernel_ep_value_add(quernel_ep_search *c, uint32_t node, int32_t like) {
    if (c->n_values == c->graph->n_values + c->graph->n_nodes) return -1;
    quernel_ep_record *r = &c->records[c->n_values];
    *r = (quernel_ep_record){.type = QUERNEL_EP_TYPE_F32};
    r->order = c->records[like].order, r->rank = c->records[like].rank;
    c->producer[c->n_values] = (int32_t)node;
    return (int32_t)c->n_values++;
}
