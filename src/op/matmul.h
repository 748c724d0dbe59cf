// SPDX-License-Identifier: Apache-2.0
// Products of two tensors: what a network asks of them.
#ifndef QUERNEL_OP_MATMUL_H
#define QUERNEL_OP_MATMUL_H

#include "quernel/matmul.h"

/// Reads a caller's descriptor of any size. `name` is what messages call its size.
int quernel_i_matmul_read(const quernel_matmul_desc *from, const char *where, const char *name,
                          quernel_matmul_desc *ret_desc, quernel_error *error);

#endif
