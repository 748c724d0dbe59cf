// SPDX-License-Identifier: Apache-2.0
// The output sizes of a convolution or deconvolution, known before its tensors are laid out.
#ifndef QUERNEL_OP_WINDOW_H
#define QUERNEL_OP_WINDOW_H

#include "quernel/conv2d.h"

/// Finds n, c, h, w of the output from d's weights (whose kind says which operator), window and
/// x.{n, c, h, w}. Refuses what create would refuse of these.
int quernel_i_window_output(const quernel_conv2d_desc *d, quernel_tensor *ret_inferred_y,
                            quernel_error *error);

/// Reads a caller's descriptor of any size into one of this library's. `name` stands in messages
/// for its size.
int quernel_i_conv2d_read(const quernel_conv2d_desc *from, const char *where, const char *name,
                          quernel_conv2d_desc *ret_desc, quernel_error *error);

#endif
