// SPDX-License-Identifier: Apache-2.0
// Counts calls of the C library's allocator between two points, on all threads.
#ifndef QUERNEL_TESTS_MALLOC_COUNT_H
#define QUERNEL_TESTS_MALLOC_COUNT_H

#include <stddef.h>

void malloc_count_start(void);
/// Calls of malloc, calloc, realloc, aligned_alloc, posix_memalign and free since the start. Always
/// 0 where the allocator belongs to a sanitizer.
size_t malloc_count_stop(void);

#endif
