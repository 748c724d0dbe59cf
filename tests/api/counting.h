// SPDX-License-Identifier: Apache-2.0
// An allocator that keeps account of every block, and fails on demand.
#ifndef QUERNEL_TESTS_COUNTING_H
#define QUERNEL_TESTS_COUNTING_H

#include <pthread.h>

#include "quernel/quernel.h"

enum { COUNTING_BLOCKS = 256 };

typedef struct counting_block {
    void *memory;
    size_t bytes;
} counting_block;

typedef struct counting {
    quernel_allocator allocator; ///< hand this to the library
    pthread_mutex_t lock;
    counting_block blocks[COUNTING_BLOCKS];
    size_t calls;       ///< of allocate, so far
    size_t fail_at;     ///< this call fails (1 is the first); 0: none
    size_t live;        ///< blocks not released
    size_t bytes, peak; ///< bytes of live blocks, and the most there were
    size_t wrong; ///< alignments that are no power of two, sizes of 0, releases of something else
} counting;

void counting_init(counting *c, size_t fail_at);
/// Checks that all blocks were given back and that nothing was asked wrongly.
void counting_check(counting *c, const char *what);

#endif
