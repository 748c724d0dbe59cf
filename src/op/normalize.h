// SPDX-License-Identifier: Apache-2.0
// What others than create ask of normalizations.
#ifndef QUERNEL_OP_NORMALIZE_H
#define QUERNEL_OP_NORMALIZE_H

#include "quernel/normalize.h"

/// Reads a caller's descriptor of any size into one of this library's. `where` and `name` are what
/// messages call it and its size.
int quernel_i_normalize_read(const quernel_normalize_desc *from, const char *where,
                             const char *name, quernel_normalize_desc *ret_desc,
                             quernel_error *error);

#endif
