// SPDX-License-Identifier: Apache-2.0
// An allocator that notices what an input should not make the library do.
#ifndef QUERNEL_TESTS_FUZZ_ACCOUNT_H
#define QUERNEL_TESTS_FUZZ_ACCOUNT_H

#include "quernel/quernel.h"

/// Memory asked for, in and out.
typedef struct account {
    size_t live, max;
} account;

/// An allocator that keeps the account; it has no memory for more than 256 MiB at once.
quernel_allocator account_allocator(account *a);

#endif
