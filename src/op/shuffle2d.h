// SPDX-License-Identifier: Apache-2.0
// What others than create ask of shuffles.
#ifndef QUERNEL_OP_SHUFFLE2D_H
#define QUERNEL_OP_SHUFFLE2D_H

#include "quernel/shuffle2d.h"

/// Reads a caller's descriptor of any size into one of this library's. `where` and `name` are what
/// messages call it and its size.
int quernel_i_shuffle2d_read(const quernel_shuffle2d_desc *from, const char *where,
                             const char *name, quernel_shuffle2d_desc *ret_desc,
                             quernel_error *error);

/// Writes n, c, h, w of the output that x.{n, c, h, w}, y.c and the blocks give. Refuses what
/// create would refuse of these.
int quernel_i_shuffle2d_output(const quernel_shuffle2d_desc *desc, quernel_tensor *ret_inferred_y,
                               quernel_error *error);

#endif
