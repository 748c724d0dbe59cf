// SPDX-License-Identifier: Apache-2.0
// The blob loader under libFuzzer. Each input is tried as it is and with its checksum made right.
// Build: clang -g -O1 -fsanitize=fuzzer,address,undefined -I../../include blobs.c target.c
// account.c -lquernel -lm -lpthread
#include <stdlib.h>
#include <string.h>

#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    const char *why;
    if (fuzz_blob(data, bytes, &why) == FUZZ_WRONG) abort();
    uint8_t *sealed = malloc(bytes ? bytes : 1);
    if (!sealed) return 0;
    memcpy(sealed, data, bytes);
    fuzz_seal(sealed, bytes);
    if (fuzz_blob(sealed, bytes, &why) == FUZZ_WRONG) abort();
    free(sealed);
    return 0;
}
