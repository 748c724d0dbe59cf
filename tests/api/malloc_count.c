// SPDX-License-Identifier: Apache-2.0
// Stands in front of glibc's allocator. The linker prefers the program's own definitions to the C
// library's.
#include "malloc_count.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>

static atomic_bool counting;
static atomic_size_t calls;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FOREIGN_ALLOCATOR 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define FOREIGN_ALLOCATOR 1
#endif
#endif

#if !defined(FOREIGN_ALLOCATOR) && defined(__GLIBC__)
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *memory);

static void count(void) {
    if (atomic_load_explicit(&counting, memory_order_relaxed)) atomic_fetch_add(&calls, 1);
}

void *malloc(size_t bytes) {
    count();
    return __libc_malloc(bytes);
}

void *calloc(size_t number, size_t bytes) {
    count();
    return __libc_calloc(number, bytes);
}

void *realloc(void *memory, size_t bytes) {
    count();
    return __libc_realloc(memory, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) {
    count();
    return __libc_memalign(alignment, bytes);
}

int posix_memalign(void **ret_memory, size_t alignment, size_t bytes) {
    count();
    void *memory = __libc_memalign(alignment, bytes);
    if (!memory) return ENOMEM;
    *ret_memory = memory;
    return 0;
}

void free(void *memory) {
    count();
    __libc_free(memory);
}
#endif

void malloc_count_start(void) {
    atomic_store(&calls, 0);
    atomic_store(&counting, true);
}

size_t malloc_count_stop(void) {
    atomic_store(&counting, false);
    return atomic_load(&calls);
}
