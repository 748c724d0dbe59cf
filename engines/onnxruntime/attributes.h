// SPDX-License-Identifier: Apache-2.0
// Attributes of a node, copied out of ONNX Runtime.
#ifndef QUERNEL_EP_ATTRIBUTES_H
#define QUERNEL_EP_ATTRIBUTES_H

#include "arena.h"
#include "graph.h"
#include "host.h"

/// All of them, into the arena.
OrtStatus *quernel_ep_attributes_read(const OrtApi *api, const OrtNode *node,
                                      quernel_ep_arena *arena, quernel_ep_node *ret_node);

/// Bytes of an attribute of that type.
OrtStatus *quernel_ep_attribute_size(const OrtApi *api, const OrtOpAttr *attribute,
                                     OrtOpAttrType type, size_t *ret_bytes);

#endif
