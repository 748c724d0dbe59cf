// SPDX-License-Identifier: Apache-2.0
// What a tuning row is about: the layer as text. tune/FORMAT.md fixes the grammar.
#ifndef QUERNEL_TABLE_KEY_H
#define QUERNEL_TABLE_KEY_H

#include "plan/problem.h"

/// `op` holds what rows of one bucket share, `shape` the sizes, m·n·k the product per image batch
/// and group.
typedef struct quernel_i_key {
    char op[128], shape[96];
    char env[32], network_env[32]; // of rows that were timed alone; within a network
    uint64_t m, n, k;
} quernel_i_key;

/// The key of a problem: one for all machines, whatever its plan is.
void quernel_i_key_of(const quernel_i_problem *problem, quernel_i_key *ret_key);

/// Octaves between two products: the greatest of |log2| of the ratios of m, n and k.
double quernel_i_key_octaves(const quernel_i_key *key, uint64_t m, uint64_t n, uint64_t k);

#endif
