// SPDX-License-Identifier: Apache-2.0
// Everything public that takes memory through an allocator, but for what ptq.h has
// (tests/ptq/search.c).
#ifndef QUERNEL_TESTS_ATTEMPTS_H
#define QUERNEL_TESTS_ATTEMPTS_H

#include "quernel/quernel.h"

/// One thing that takes memory through an allocator and, where it succeeds, gives all of it back.
typedef struct attempt {
    const char *what; ///< NULL behind the last
    int (*run)(const quernel_allocator *allocator, quernel_error *error);
    int uses_malloc; ///< the attempt's own preparations do
} attempt;

extern const attempt attempts[];

#endif
