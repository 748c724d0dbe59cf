// SPDX-License-Identifier: Apache-2.0
// The default allocator and layouts.
#include "base/alloc.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "base/desc.h"
#include "base/error.h"

#define HUGE_PAGE ((size_t)2 << 20) // x86-64's, and AArch64's with pages of 4 KiB

// Asks for huge pages for the whole ones in a large block: weights that are read once in a run are
// read a tenth faster without a page walk every 4 KiB. Systems that have none, or give them
// unasked, are as they were.
static void advise(void *memory, size_t bytes) {
#ifdef MADV_HUGEPAGE
    madvise(memory, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#else
    (void)memory, (void)bytes;
#endif
}

static void *default_allocate(void *user, size_t bytes, size_t alignment) {
    (void)user;
    const bool large = bytes >= 2 * HUGE_PAGE;
    void *memory = NULL;
    if (posix_memalign(&memory, large && alignment < HUGE_PAGE ? HUGE_PAGE : alignment, bytes))
        return NULL;
    if (large) advise(memory, bytes);
    return memory;
}

static void default_release(void *user, void *memory, size_t bytes) {
    (void)user;
    (void)bytes;
    free(memory);
}

quernel_allocator quernel_i_allocator(const quernel_allocator *allocator) {
    if (allocator) return *allocator;
    return (quernel_allocator){.allocate = default_allocate, .release = default_release};
}

int quernel_i_allocator_check(const quernel_allocator *allocator, const char *where,
                              quernel_error *error) {
    if (!allocator) return QUERNEL_OK;
    if (!allocator->allocate) return quernel_i_error_null(error, where, "allocator.allocate");
    if (!allocator->release) return quernel_i_error_null(error, where, "allocator.release");
    return quernel_i_check_reserved(error, where, "allocator.reserved", allocator->reserved,
                                    sizeof allocator->reserved);
}

void *quernel_i_take(quernel_i_layout *layout, size_t count, size_t size) {
    size_t bytes;
    if (!quernel_i_mul(count, size, &bytes) || bytes > SIZE_MAX / 2 - layout->used) {
        layout->overflow = true;
        return NULL;
    }
    const size_t at = layout->used;
    assert(at % QUERNEL_I_LINE == 0 && (uintptr_t)layout->base % QUERNEL_I_LINE == 0);
    layout->used = quernel_i_round_up(at + bytes, QUERNEL_I_LINE);
    return layout->base ? layout->base + at : NULL;
}
