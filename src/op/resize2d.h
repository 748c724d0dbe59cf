// SPDX-License-Identifier: Apache-2.0
// What others than create ask of resizes.
#ifndef QUERNEL_OP_RESIZE2D_H
#define QUERNEL_OP_RESIZE2D_H

#include "quernel/resize2d.h"

/// Reads a caller's descriptor of any size into one of this library's. `where` and `name` are what
/// messages call it and its size.
int quernel_i_resize2d_read(const quernel_resize2d_desc *from, const char *where, const char *name,
                            quernel_resize2d_desc *ret_desc, quernel_error *error);

#endif
