// SPDX-License-Identifier: Apache-2.0
// Text that grows at its end within a capacity, and knows how long it would be.
#ifndef QUERNEL_BASE_TEXT_H
#define QUERNEL_BASE_TEXT_H

#include <stddef.h>

/// Appends to `text`, whose length is `used` (also where that did not fit); returns the new length.
/// Terminated where capacity > 0.
size_t quernel_i_text_add(char *text, size_t capacity, size_t used, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
