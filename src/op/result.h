// SPDX-License-Identifier: Apache-2.0
// Creation of results: how values become the output of an operator of one operand.
#ifndef QUERNEL_OP_RESULT_H
#define QUERNEL_OP_RESULT_H

#include "base/alloc.h"
#include "exec/result.h"
#include "quernel/eltwise.h"

/// Takes the tables for y's channels from `block` and, where it has a base, fills them. `y` is
/// complete, operand and epilogue are checked. `usable`: instruction sets.
quernel_i_result quernel_i_result_make(const quernel_operand *x, const quernel_epilogue *f,
                                       const quernel_tensor *y, uint32_t usable,
                                       quernel_i_layout *block);

/// Of an epilogue: whether the output's scale is part of the other tables (docs/numerics.md, rule
/// 5), the activation, o[n] of int8 output (else 1), and the bounds of the codes less the zero
/// point.
bool quernel_i_result_folded(const quernel_epilogue *f);
float quernel_i_result_factor(const quernel_epilogue *f, uint32_t channel);
quernel_i_act quernel_i_result_act(const quernel_epilogue *f);
float quernel_i_result_lo(const quernel_epilogue *f);
float quernel_i_result_hi(const quernel_epilogue *f);

/// Whether an element of x is its own result: the same type and coding on both sides, and no
/// activation.
bool quernel_i_result_keeps_elements(const quernel_operand *x, const quernel_epilogue *f);

#endif
