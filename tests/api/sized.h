// SPDX-License-Identifier: Apache-2.0
// Every struct of the interface that begins with its size, under one signature.
#ifndef QUERNEL_TESTS_API_SIZED_H
#define QUERNEL_TESTS_API_SIZED_H

#include "quernel/quernel.h"

typedef struct sized {
    const char *name;
    uint32_t bytes, min;
    const void *init;                                      ///< its _INIT, or a legal one
    int (*call)(void *sized_struct, quernel_error *error); ///< a call that reads it, or fills it
    int has_error;                                         ///< the call says why it refuses
} sized;

extern const sized sized_read[], sized_written[];
extern const int sized_read_count, sized_written_count;

#endif
