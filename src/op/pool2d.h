// SPDX-License-Identifier: Apache-2.0
// What others than create ask of pools.
#ifndef QUERNEL_OP_POOL2D_H
#define QUERNEL_OP_POOL2D_H

#include "quernel/pool2d.h"

/// Reads a caller's descriptor of any size into one of this library's. `where` and `name` are what
/// messages call it and its size.
int quernel_i_pool2d_read(const quernel_pool2d_desc *from, const char *where, const char *name,
                          quernel_pool2d_desc *ret_desc, quernel_error *error);

/// Writes n, c, h, w of the output that x.tensor.{n, c, h, w} and the window give. Refuses what
/// create would refuse of these.
int quernel_i_pool2d_output(const quernel_pool2d_desc *desc, quernel_tensor *ret_inferred_y,
                            quernel_error *error);

#endif
