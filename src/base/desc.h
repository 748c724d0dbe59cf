// SPDX-License-Identifier: Apache-2.0
// Structs that begin with their size: reading those of older and newer programs, and writing no
// more than they hold. quernel/common.h says the rule. A new member begins behind all bytes of the
// layout before it, padding included: an older program may have left anything in its padding.
#ifndef QUERNEL_BASE_DESC_H
#define QUERNEL_BASE_DESC_H

#include "quernel/threads.h"

/// A struct's names in messages ("conv2d", "size"), and its sizes here and in its first layout.
typedef struct quernel_i_desc {
    const char *where, *name;
    uint32_t bytes, min;
} quernel_i_desc;

/// quernel_i_desc of `type`, whose first layout has QUERNEL_<TYPE>_MIN bytes.
#define QUERNEL_I_DESC(type, min, where, name) \
    (&(const quernel_i_desc){(where), (name), sizeof(type), (min)})

/// Copies a caller's struct over `to`, which holds the defaults; to->size becomes the library's.
int quernel_i_desc_read(const quernel_i_desc *desc, void *to, const void *from,
                        quernel_error *error);

/// Refuses the size of a caller's struct that is to be written later.
int quernel_i_desc_check(const quernel_i_desc *desc, const void *ret, quernel_error *error);

/// Copies `from` to a struct that was checked; its size stays.
void quernel_i_desc_write(const quernel_i_desc *desc, void *ret, const void *from);

/// Element `index` of a caller's array of structs that begin with their size.
static inline const void *quernel_i_desc_at(const void *array, size_t index) {
    return (const char *)array + index * *(const uint32_t *)array;
}

/// Refuses reserved bytes that are not all 0.
int quernel_i_check_reserved(quernel_error *error, const char *where, const char *argument,
                             const void *reserved, size_t bytes);

static inline int quernel_i_parallel_check(const quernel_parallel *parallel, const char *where,
                                           quernel_error *error) {
    return quernel_i_check_reserved(error, where, "parallel.reserved", parallel->reserved,
                                    sizeof parallel->reserved);
}

#endif
