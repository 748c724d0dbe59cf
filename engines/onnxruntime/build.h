// SPDX-License-Identifier: Apache-2.0
// From a graph that was taken to the node that runs it.
#ifndef QUERNEL_EP_BUILD_H
#define QUERNEL_EP_BUILD_H

#include "claims.h"
#include "fused.h"
#include "settings.h"

/// `node` is what stands for `graph` from now on: its inputs and outputs are those of a run. The
/// graph is an island, or an EPContext node. Where context files are wanted, *ret_context is the
/// node for them. Programs come from `claims`. On failure *ret_fused may be half made, to be
/// destroyed.
OrtStatus *quernel_ep_build(const quernel_ep_host *host, const quernel_ep_settings *settings,
                            quernel_ep_claim **claims, const OrtGraph *graph, const OrtNode *node,
                            quernel_ep_fused **ret_fused, OrtNode **ret_context);

#endif
