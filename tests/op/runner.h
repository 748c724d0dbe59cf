// SPDX-License-Identifier: Apache-2.0
// Runs one random case through the library and through the oracle, and compares every byte.
#ifndef QUERNEL_TESTS_RUNNER_H
#define QUERNEL_TESTS_RUNNER_H

#include "case.h"

/// Instruction sets that this process may ask for: bit 1u << isa.
uint32_t runner_isas(void);

/// True where the library did what the oracle says and touched nothing else; otherwise `text` says
/// what was wrong.
bool runner_operator(op_kind kind, uint64_t seed, uint64_t number, uint32_t isas, char *text,
                     size_t capacity);

/// The same for the one-shot matrix products.
bool runner_gemm(uint64_t seed, uint64_t number, char *text, size_t capacity);

#endif
