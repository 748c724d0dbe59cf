// SPDX-License-Identifier: Apache-2.0
// EPContext nodes: an island with its packed weights in a model, or in a file beside it.
#ifndef QUERNEL_EP_CONTEXT_H
#define QUERNEL_EP_CONTEXT_H

#include "fused.h"
#include "settings.h"

/// Whether an EPContext node is one that we wrote.
OrtStatus *quernel_ep_context_is_ours(const OrtApi *api, const OrtNode *node, bool *ret_ours);

/// Loads the program of such a node; what is damaged, or of another version, is refused. The
/// payload is filled on failure too.
OrtStatus *quernel_ep_context_load(const quernel_ep_host *host, const quernel_ep_settings *settings,
                                   const OrtGraph *graph, const OrtNode *node,
                                   quernel_ep_payload *ret_payload,
                                   quernel_ep_program **ret_program);

/// The names of a node, as ONNX Runtime's editor wants them.
typedef struct quernel_ep_edges {
    const char *const *inputs, *const *outputs;
    size_t n_inputs, n_outputs;
} quernel_ep_edges;

/// Makes the node of an island, and its file where the payload does not go into the model.
OrtStatus *quernel_ep_context_make(const quernel_ep_host *host, const quernel_ep_settings *settings,
                                   const OrtGraph *graph, const quernel_ep_fused *fused,
                                   const quernel_ep_edges *edges, OrtNode **ret_node);

#endif
