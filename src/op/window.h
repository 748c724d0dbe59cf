// SPDX-License-Identifier: Apache-2.0
// The geometry of a convolution or deconvolution, known before its tensors are laid out.
#ifndef QUERNEL_OP_WINDOW_H
#define QUERNEL_OP_WINDOW_H

#include "plan/problem.h"
#include "quernel/conv2d.h"

/// Writes n, c, h, w of the output that d's weights (whose kind says which operator), window and
/// x.{n, c, h, w} give. Refuses what create would refuse of these.
int quernel_i_window_output(const quernel_conv2d_desc *d, quernel_tensor *ret_inferred_y,
                            quernel_error *error);

/// Checks what both operators share: weights of this kind, their channels, the window's ranges.
int quernel_i_window_check(const quernel_conv2d_desc *d, quernel_weights_kind kind,
                           const char *where, quernel_error *error);

/// Checks a descriptor and fills the geometry of its problem, and the sizes of its output.
typedef int quernel_i_window_fn(const quernel_conv2d_desc *d, quernel_i_problem *ret_problem,
                                quernel_tensor *ret_inferred_y, quernel_error *error);
quernel_i_window_fn quernel_i_window_conv2d, quernel_i_window_deconv2d;

/// Reads a caller's descriptor of any size into one of this library's. `name` is what messages call
/// its size.
int quernel_i_conv2d_read(const quernel_conv2d_desc *from, const char *where, const char *name,
                          quernel_conv2d_desc *ret_desc, quernel_error *error);

#endif
