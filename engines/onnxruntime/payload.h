// SPDX-License-Identifier: Apache-2.0
// The bytes of a saved program: in memory of our own, or a file that is mapped.
#ifndef QUERNEL_EP_PAYLOAD_H
#define QUERNEL_EP_PAYLOAD_H

#include "host.h"

typedef struct quernel_ep_payload {
    void *data; // 64-byte aligned
    size_t bytes;
    bool mapped;
} quernel_ep_payload;

OrtStatus *quernel_ep_payload_allocate(const OrtApi *api, size_t bytes,
                                       quernel_ep_payload *ret_payload);
OrtStatus *quernel_ep_payload_map(const OrtApi *api, const char *path,
                                  quernel_ep_payload *ret_payload);
/// Writes it whole or not at all: into a temporary file beside it, then under its name.
OrtStatus *quernel_ep_payload_write(const OrtApi *api, const char *path, const void *data,
                                    size_t bytes);
void quernel_ep_payload_free(quernel_ep_payload *payload);

#endif
