// SPDX-License-Identifier: Apache-2.0
// Instances of one program, by the shapes of its inputs. Shared by threads.
#ifndef QUERNEL_EP_CACHE_H
#define QUERNEL_EP_CACHE_H

#include "compiler.h"

typedef struct quernel_ep_cache quernel_ep_cache;

/// An instance that is in use, until it is given back.
typedef struct quernel_ep_lease {
    quernel_ep_instance *instance;
} quernel_ep_lease;

/// NULL where there is no memory. The program must outlive it.
quernel_ep_cache *quernel_ep_cache_create(const quernel_ep_program *program);
void quernel_ep_cache_destroy(quernel_ep_cache *cache);

/// `shapes`: of all inputs; bytes that they do not use are 0.
int quernel_ep_cache_take(quernel_ep_cache *cache, const quernel_ep_shape *shapes,
                          quernel_ep_lease **ret_lease, quernel_error *error);
void quernel_ep_cache_give(quernel_ep_cache *cache, quernel_ep_lease *lease);

#endif
