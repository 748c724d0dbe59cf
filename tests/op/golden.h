// SPDX-License-Identifier: Apache-2.0
// Golden results: what kernels/ref gave on x86, as a CRC-32 of each of the first random cases.
// Other machines, compilers and instruction sets must give the same; the oracle alone would follow
// a compiler's mistakes.
#ifndef QUERNEL_TESTS_GOLDEN_H
#define QUERNEL_TESTS_GOLDEN_H

#include "quernel/quernel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    GOLDEN_SEED = 1,
    GOLDEN_CASES = 400 // an operator: as many as emulators run in a minute
};

/// Takes the elements of a case's result. Strides are filled in; the sign and the payload of a NaN
/// count for nothing.
void golden_tensor(const quernel_tensor *t, int type, const uint8_t *first);
void golden_bytes(const void *bytes, size_t count);
/// The CRC-32 of what was taken since the last call.
uint32_t golden_crc(void);

/// True where this CRC is the recorded one; otherwise `text` says what is.
bool golden_holds(const char *op, uint64_t number, uint32_t crc, char *text, size_t capacity);
/// From now on golden_holds writes what it is asked to stdout, as the file has it.
void golden_record(void);

#endif
