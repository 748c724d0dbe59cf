// SPDX-License-Identifier: Apache-2.0
// What is promised of every operator: a descriptor is refused by name, or runs, writes its output
// and nothing else, and gives the same bits whatever the plan.
#ifndef QUERNEL_TESTS_FUZZ_OPERATE_H
#define QUERNEL_TESTS_FUZZ_OPERATE_H

#include "source.h"

typedef int operate_create(const void *desc, quernel_operator **ret_op, quernel_error *error);

typedef struct operate_subject {
    operate_create *create;
    void *desc;        ///< `size` first
    size_t desc_bytes; ///< of the whole struct
    int32_t *isa;      ///< members of *desc; NULL: it has none
    const char **config;
    int32_t x_zero; ///< what the border of x holds
    uint64_t depth; ///< elements that are read, at most, for one of the output
} operate_subject;

void operate(source *s, const operate_subject *subject);

/// Aborts unless output `y`, which it frees, is as expected.
void operate_same(const uint8_t *expected, size_t expected_bytes, uint8_t *y, size_t bytes,
                  const char *how);
/// A way of spreading a run over the workers that something was made for; NULL: none. Made once for
/// each call.
const quernel_parallel *operate_parallel(source *s, uint32_t threads);

#endif
