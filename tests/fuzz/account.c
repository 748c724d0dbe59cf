// SPDX-License-Identifier: Apache-2.0
// An allocator that keeps an account.
#include "account.h"

#include <stdlib.h>

#define MOST_BYTES ((size_t)1 << 28) // far more than any input that is run may want

static void *account_allocate(void *user, size_t bytes, size_t alignment) {
    account *a = user;
    if (alignment < sizeof(void *)) alignment = sizeof(void *);
    if (bytes > MOST_BYTES || a->live > MOST_BYTES - bytes) return NULL;
    void *memory = aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    if (!memory) return NULL;
    a->live += bytes;
    if (a->live > a->max) a->max = a->live;
    return memory;
}

static void account_release(void *user, void *memory, size_t bytes) {
    ((account *)user)->live -= bytes;
    free(memory);
}

quernel_allocator account_allocator(account *a) {
    return (quernel_allocator){account_allocate, account_release, a, {0}};
}
