// SPDX-License-Identifier: Apache-2.0
// What a descriptor's epilogue says of the output, as kernels take it.
#ifndef QUERNEL_OP_OUTPUT_H
#define QUERNEL_OP_OUTPUT_H

#include "kernels/ukr.h"
#include "quernel/epilogue.h"

quernel_i_act quernel_i_output_act(int32_t activation);

/// o[n] = 1/(d_y·s_next[n]) of int8 output (docs/numerics.md, rule 5).
float quernel_i_output_factor(const quernel_epilogue *epilogue, uint32_t channel);

/// The range of codes, less the zero point.
void quernel_i_output_bounds(const quernel_epilogue *epilogue, float *ret_lo, float *ret_hi);

#endif
