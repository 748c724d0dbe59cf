// SPDX-License-Identifier: Apache-2.0
// Structs that begin with their size, as Linux's copy_struct_from_user treats them.
#include "base/desc.h"

#include <string.h>

#include "base/error.h"

#define MAX 65536 // bytes of any struct: a size that was never set must not be read along

static uint32_t size_of(const void *sized) {
    uint32_t size;
    memcpy(&size, sized, sizeof size);
    return size;
}

static uint32_t smaller(uint32_t a, uint32_t b) { return a < b ? a : b; }

int quernel_i_desc_check(const quernel_i_desc *d, const void *ret, quernel_error *error) {
    const uint32_t size = size_of(ret);
    if (size >= d->min && size <= MAX) return QUERNEL_OK;
    return quernel_i_error_set(error, QUERNEL_E_VALUE, "size", -1, "%s: %s: %u: must be %u to %d",
                               d->where, d->name, size, d->min, MAX);
}

int quernel_i_desc_read(const quernel_i_desc *d, void *to, const void *from, quernel_error *error) {
    const int code = quernel_i_desc_check(d, from, error);
    if (code) return code;
    const uint32_t size = size_of(from);
    const uint8_t *bytes = from;
    for (uint32_t i = d->bytes; i < size; i++)
        if (bytes[i])
            return quernel_i_error_set(
                error, QUERNEL_E_VALUE, "size", -1,
                "%s: %s: %u: byte %u is set: this version knows %u, the others must be 0", d->where,
                d->name, size, i, d->bytes);
    memcpy(to, from, smaller(size, d->bytes));
    memcpy(to, &d->bytes, sizeof d->bytes);
    return QUERNEL_OK;
}

void quernel_i_desc_write(const quernel_i_desc *d, void *ret, const void *from) {
    const uint32_t size = size_of(ret);
    memcpy(ret, from, smaller(size, d->bytes));
    memcpy(ret, &size, sizeof size);
}

int quernel_i_check_reserved(quernel_error *error, const char *where, const char *argument,
                             const void *reserved, size_t bytes) {
    const uint8_t *b = reserved;
    for (size_t i = 0; i < bytes; i++)
        if (b[i])
            return quernel_i_error_set(error, QUERNEL_E_VALUE, argument, -1, "%s: %s: must be 0",
                                       where, argument);
    return QUERNEL_OK;
}
