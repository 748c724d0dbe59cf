// SPDX-License-Identifier: Apache-2.0
// The execution provider of one session.
#ifndef QUERNEL_EP_EP_H
#define QUERNEL_EP_EP_H

#include "host.h"

/// `host` must outlive it.
OrtStatus *quernel_ep_create(const quernel_ep_host *host, const OrtSessionOptions *options,
                             const OrtLogger *logger, OrtEp **ret_ep);
void quernel_ep_destroy(OrtEp *ep);

#endif
