// SPDX-License-Identifier: Apache-2.0
// Growing text.
#include "base/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

size_t quernel_i_text_add(char *text, size_t capacity, size_t used, const char *format, ...) {
    assert(text || !capacity);
    va_list list;
    va_start(list, format);
    const int length = vsnprintf(used < capacity ? text + used : NULL,
                                 used < capacity ? capacity - used : 0, format, list);
    va_end(list);
    return used + (length > 0 ? (size_t)length : 0);
}
