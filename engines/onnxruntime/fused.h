// SPDX-License-Identifier: Apache-2.0
// An island as ONNX Runtime runs it: one node.
#ifndef QUERNEL_EP_FUSED_H
#define QUERNEL_EP_FUSED_H

#include "compiler.h"
#include "payload.h"

typedef struct quernel_ep_fused {
    OrtNodeComputeInfo info; // first: what ONNX Runtime holds
    const quernel_ep_host *host;
    uint32_t threads;
    char *name, *label; // ONNX Runtime's; what to call it in front of users
    quernel_ep_program *program;
    quernel_ep_signature signature;
    quernel_ep_payload payload; // of a loaded program: where its weights lie
    uint32_t *slots;            // [n_inputs] which of the node's inputs each of the program's is
} quernel_ep_fused;

/// Fills `info`; everything else is the caller's work.
void quernel_ep_fused_init(quernel_ep_fused *fused);
/// NULL is allowed.
void quernel_ep_fused_destroy(quernel_ep_fused *fused);

#endif
