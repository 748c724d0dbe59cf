// SPDX-License-Identifier: Apache-2.0
// Operands of the operators that work on values, and what becomes of their results: an epilogue
// without sums (docs/numerics.md, rule 8).
#ifndef QUERNEL_OP_OPERAND_H
#define QUERNEL_OP_OPERAND_H

#include "base/alloc.h"
#include "kernels/ukr.h"
#include "quernel/eltwise.h"

/// Checks type, scale, zero point and scales of an operand whose sizes are filled in; its name in
/// messages is "x" or "z".
int quernel_i_operand_check(const quernel_operand *operand, const char *where, const char *name,
                            quernel_error *error);

/// Checks the epilogue of an operator on values: activation and output of `channels` channels, and
/// that bias and residual are left out.
int quernel_i_operand_check_epilogue(const quernel_epilogue *f, const char *where,
                                     uint32_t channels, quernel_error *error);

/// Whether channels differ in the operand's codes; in the epilogue.
bool quernel_i_operand_by_channel(const quernel_operand *operand);
bool quernel_i_operand_epilogue_by_channel(const quernel_epilogue *f);

/// The operand as kernels read it, without address and strides. Takes its table of `tables` scales
/// (1: all channels are alike) from `block` and, where it has a base, fills it.
quernel_i_elements quernel_i_operand_elements(const quernel_operand *operand, uint32_t tables,
                                              quernel_i_layout *block);

/// The epilogue as kernels read it, without addresses and strides: activation, out_scale and the
/// bounds of codes, with tables of `tables` entries likewise.
quernel_i_epilogue quernel_i_operand_epilogue(const quernel_epilogue *f, uint32_t tables,
                                              quernel_i_layout *block);

#endif
