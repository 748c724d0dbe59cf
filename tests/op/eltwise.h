// SPDX-License-Identifier: Apache-2.0
// Random cases of eltwise.
#ifndef QUERNEL_TESTS_ELTWISE_H
#define QUERNEL_TESTS_ELTWISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// True where the library did what the law says and touched nothing else; otherwise `text` says
/// what was wrong.
bool eltwise_check(uint64_t seed, uint64_t number, char *text, size_t capacity);

#endif
