// SPDX-License-Identifier: Apache-2.0
// What operators without weights share of creation: the operand that is read, and how values become
// output.
#ifndef QUERNEL_OP_RESULT_H
#define QUERNEL_OP_RESULT_H

#include "base/alloc.h"
#include "exec/result.h"
#include "op/operator.h"
#include "quernel/eltwise.h"

/// An operator of one operand that is being made.
typedef struct quernel_i_unary {
    const char *where;
    const quernel_operand *x;
    const quernel_epilogue *epilogue;
    uint32_t usable; // instruction sets
} quernel_i_unary;

/// Checks operand and epilogue; the tensors are checked elsewhere.
int quernel_i_result_check(const quernel_i_unary *unary, quernel_error *error);

/// Takes the tables for y's channels from `block` and, where it has a base, fills them. `y` is
/// complete. The scale of a value is x's, of floats 1.
quernel_i_result quernel_i_result_make(const quernel_i_unary *unary, const quernel_tensor *y,
                                       quernel_i_layout *block);

/// Whether an epilogue's output scale is part of the other tables (docs/numerics.md, rule 5).
bool quernel_i_result_folded(const quernel_epilogue *epilogue);

/// Whether a code of x is its own result: the same coding on both sides, and no activation.
bool quernel_i_result_keeps_codes(const quernel_i_unary *unary, uint32_t channels);

#endif
