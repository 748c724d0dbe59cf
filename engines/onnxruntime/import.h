// SPDX-License-Identifier: Apache-2.0
// From ONNX Runtime's graph to ours.
#ifndef QUERNEL_EP_IMPORT_H
#define QUERNEL_EP_IMPORT_H

#include "arena.h"
#include "graph.h"
#include "host.h"

/// A graph, and the nodes of ONNX Runtime that its nodes are. It lives no longer than the OrtGraph,
/// of which the names and the constants are.
typedef struct quernel_ep_import {
    quernel_ep_graph graph;
    const OrtNode **nodes;
    bool reads_outside; // a value of the graph around it: this one is the body of a node
    // all of it is in the arena
    quernel_ep_arena arena;
    quernel_ep_value *values;
    int32_t *slots; // of a hash table by name: index + 1 of a value, or 0
    size_t n_slots; // a power of two
} quernel_ep_import;

/// Reads all nodes and their values. What a subgraph of a node reads from outside are further
/// inputs of that node. A node that holds a compiled context has no attributes here: its payload
/// would be copied.
OrtStatus *quernel_ep_import_read(const OrtApi *api, const OrtGraph *graph,
                                  quernel_ep_import *ret_import);
void quernel_ep_import_free(quernel_ep_import *import);

/// The value of that name, or −1.
int32_t quernel_ep_import_find(const quernel_ep_import *import, const char *name);

/// What a node's first output is called; "" where it has none.
const char *quernel_ep_import_output(const quernel_ep_graph *graph, uint32_t node);

/// What to call a node of a graph: nodes need no name in ONNX, but their first output has one.
const char *quernel_ep_import_name(const quernel_ep_graph *graph, uint32_t node);

/// Whether the node holds a compiled context, of whichever provider.
bool quernel_ep_import_is_context(const quernel_ep_node *node);

#endif
