// SPDX-License-Identifier: Apache-2.0
// The state of one search for islands: the graph with its edges, what codes mean, units found so
// far, and why other nodes are not in one. All memory is a region that is freed at once.
#ifndef QUERNEL_EP_SEARCH_H
#define QUERNEL_EP_SEARCH_H

#include "compiler.h"
#include "step.h"

/// Blocks of memory that live as long as the region. After a failure `failed` is set.
typedef struct quernel_ep_region {
    struct quernel_ep_block *last;
    bool failed;
} quernel_ep_region;
/// Zeroed memory; NULL on failure.
void *quernel_ep_region_take(quernel_ep_region *region, size_t count, size_t size);
void quernel_ep_region_free(quernel_ep_region *region);
/// The array with room for element `count`: moved where `count` is a power of two.
void *quernel_ep_region_grow(quernel_ep_region *region, void *array, uint32_t count, size_t size);

/// An operator with all that it absorbed: its input DQs, bias, activation, residual, output Q.
typedef struct quernel_ep_unit {
    uint32_t *nodes, n_nodes;
    quernel_ep_step *steps;
    uint32_t n_steps;
    bool banned; // the library has refused it
    bool sound;  // the library has accepted it
    uint64_t macs;
} quernel_ep_unit;

/// Weights to pack, and what was made of them.
typedef struct quernel_ep_pack {
    quernel_weights_desc desc;
    uint32_t node;
    int32_t smooth_of; // value whose smoothing they carry
    quernel_weights *packed;
} quernel_ep_pack;

typedef struct quernel_ep_search {
    const quernel_ep_graph *graph;
    const quernel_ep_options *options;
    quernel_ep_region region;
    // by value: the graph's first, then those that units have made for themselves
    uint32_t n_values;
    int32_t *producer;          // node, or −1
    uint32_t *readers_begin;    // [graph values + 1], into `readers`
    uint32_t *readers;          // nodes, ascending, once for each input
    quernel_ep_record *records; // coding, smooth and constants of values
    // by node
    int32_t *unit_of; // unit, or −1
    const char **reasons;
    quernel_ep_unit *units;
    uint32_t n_units;
    quernel_ep_pack *packs;
    uint32_t n_packs;
    uint8_t *data; // of all spans
    uint32_t data_bytes, data_capacity;
} quernel_ep_search;

int quernel_ep_search_make(const quernel_ep_graph *graph, const quernel_ep_options *options,
                           quernel_ep_search *ret_search);
void quernel_ep_search_free(quernel_ep_search *c);

/// Notes why a node is not taken; the first reason stays. Returns false.
bool quernel_ep_node_refuse(quernel_ep_search *c, uint32_t node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/// Copies an array into the context's data. An empty span on failure (and region.failed).
quernel_ep_span quernel_ep_data_put(quernel_ep_search *c, const void *array, size_t bytes);
static inline const void *quernel_ep_data_at(const quernel_ep_search *c, quernel_ep_span s) {
    return s.bytes ? c->data + s.offset : NULL;
}

/// A value of its own, for what lies between two steps of a node's unit, or a constant. −1 on
/// failure.
int32_t quernel_ep_value_add(quernel_ep_search *c, uint32_t node, int32_t like);

static inline const quernel_ep_value *quernel_ep_value_of(const quernel_ep_search *c, int32_t v) {
    return &c->graph->values[v];
}
static inline const quernel_ep_node *quernel_ep_node_of(const quernel_ep_search *c, uint32_t n) {
    return &c->graph->nodes[n];
}
static inline uint32_t quernel_ep_readers_count(const quernel_ep_search *c, int32_t v) {
    return c->readers_begin[v + 1] - c->readers_begin[v];
}
/// Whether nobody reads a value, nor sees it.
static inline bool quernel_ep_is_dead(const quernel_ep_search *c, int32_t v) {
    return !quernel_ep_readers_count(c, v) && !c->graph->values[v].graph_output;
}
static inline bool quernel_ep_is_constant(const quernel_ep_search *c, int32_t v) {
    return v >= 0 && c->graph->values[v].data != NULL;
}
static inline bool quernel_ep_is_int8(int32_t type) {
    return type == QUERNEL_EP_TYPE_U8 || type == QUERNEL_EP_TYPE_S8;
}
/// Input i of a node, or −1.
static inline int32_t quernel_ep_input(const quernel_ep_node *n, uint32_t i) {
    return i < n->n_inputs ? n->inputs[i] : -1;
}
/// The only node that reads v, which nothing else sees; −1 where there is none.
int32_t quernel_ep_sole_reader(const quernel_ep_search *c, int32_t v);
bool quernel_ep_node_is(const quernel_ep_node *n, const char *op);
/// An operator of com.microsoft.
bool quernel_ep_node_is_ms(const quernel_ep_node *n, const char *op);

/// Attributes, or what they are by default.
int64_t quernel_ep_int(const quernel_ep_node *n, const char *name, int64_t otherwise);
float quernel_ep_float(const quernel_ep_node *n, const char *name, float otherwise);
const char *quernel_ep_text(const quernel_ep_node *n, const char *name, const char *otherwise);
/// Count and elements; 0 where it is left out.
uint32_t quernel_ep_ints(const quernel_ep_node *n, const char *name, const int64_t **ret_ints);

/// Whether operator, version, attributes and outputs of a node are known here.
bool quernel_ep_known(quernel_ep_search *c, uint32_t node);

/// Makes constants of what QuantizeLinear makes of constants for one reader; the graph is the
/// search's own then.
bool quernel_ep_constants_fold(quernel_ep_search *c);
/// Reads what codes mean wherever a node says it.
bool quernel_ep_codings_find(quernel_ep_search *c);
/// Scale and zero point of a node's inputs, both constants of one element. `zero` may be −1.
bool quernel_ep_coding_read(quernel_ep_search *c, uint32_t node, int32_t scale, int32_t zero,
                            int32_t type, quernel_ep_coding *ret_coding);
/// The scales of a DequantizeLinear that has one for each channel, and the codes' own zero point;
/// else NULL.
const float *quernel_ep_coding_scales(quernel_ep_search *c, uint32_t node, uint32_t *ret_count);
/// Whether a DequantizeLinear reads codes that carry factors as the values before these: by a scale
/// per channel.
bool quernel_ep_coding_is_wide(quernel_ep_search *c, uint32_t node);
/// Whether `coding` is what the codes of v mean.
bool quernel_ep_coding_is(const quernel_ep_search *c, int32_t v, const quernel_ep_coding *coding);

#endif
