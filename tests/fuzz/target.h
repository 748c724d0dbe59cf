// SPDX-License-Identifier: Apache-2.0
// What both fuzzers do with a blob: load it and, where that works, run what was loaded.
#ifndef QUERNEL_TESTS_FUZZ_TARGET_H
#define QUERNEL_TESTS_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

typedef enum fuzz_outcome {
    FUZZ_REFUSED = 0, ///< QUERNEL_E_BLOB, and nothing kept
    FUZZ_RAN,         ///< loaded, saved to the same bytes, created and run
    FUZZ_LOADED,      ///< loaded and saved to the same bytes; create refused it
    FUZZ_WRONG        ///< a promise was broken; `why` says which
} fuzz_outcome;

/// `data` need not be aligned. *why is a static text.
fuzz_outcome fuzz_blob(const uint8_t *data, size_t bytes, const char **why);

/// Writes the checksum of all but the last four bytes into those.
void fuzz_seal(uint8_t *data, size_t bytes);
/// CRC-32C, bit by bit.
uint32_t fuzz_crc32c(const uint8_t *data, size_t bytes);

#endif
