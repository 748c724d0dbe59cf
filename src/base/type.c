// SPDX-License-Identifier: Apache-2.0
// Sizes and names of the element types, and the version string.
#include "quernel/common.h"

static const struct {
    const char *name;
    size_t bytes;
} types[] = {{"f32", 4}, {"bf16", 2}, {"s32", 4}, {"s8", 1}, {"u8", 1}};

#define TYPE_COUNT (sizeof types / sizeof types[0])
_Static_assert(TYPE_COUNT == QUERNEL_TYPE_U8 + 1,
               "a row for each type, in the order of quernel_type");

size_t quernel_type_size(quernel_type type) {
    return (size_t)type < TYPE_COUNT ? types[type].bytes : 0;
}

const char *quernel_type_name(quernel_type type) {
    return (size_t)type < TYPE_COUNT ? types[type].name : NULL;
}

#define TEXT(x) #x
#define VERSION(major, minor, patch) TEXT(major) "." TEXT(minor) "." TEXT(patch)

uint32_t quernel_api_version(void) { return QUERNEL_API_VERSION; }

const char *quernel_version(void) {
    return VERSION(QUERNEL_VERSION_MAJOR, QUERNEL_VERSION_MINOR, QUERNEL_VERSION_PATCH);
}
