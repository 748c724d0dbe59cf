// SPDX-License-Identifier: Apache-2.0
// Kernels of tile registers (the trait `tiles` of kernels.def): what they cost, and how large
// products go through the caches.
#ifndef QUERNEL_PLAN_TILED_H
#define QUERNEL_PLAN_TILED_H

#include "plan/plan.h"

/// Cycles that the tile kernel takes for the layer, measured on one core.
double quernel_i_tiled_cycles(const quernel_i_problem *problem, const quernel_i_kernel *kernel,
                              const quernel_i_machine *machine);

/// The tile kernel of this machine for rows of this type whose blocks fit the problem best, by the
/// model; NULL where there is none.
const quernel_i_kernel *quernel_i_tiled_kernel(const quernel_i_problem *problem,
                                               const quernel_i_machine *machine, int32_t a_type);

/// Which operand of a tile kernel should be streamed through L1: the weights, where those of `oc`
/// channels do not fit into it; else the rows, where both do not.
quernel_i_streamed quernel_i_tiled_streamed(const quernel_i_problem *problem,
                                            const quernel_i_kernel *kernel, quernel_i_path path,
                                            uint32_t oc, size_t l1d_bytes);

/// Quads of k of each row that stay in L1 while `streamed`, the other operand, is streamed; 0: all
/// of them.
uint32_t quernel_i_tiled_l1_resident(const quernel_i_problem *problem,
                                     const quernel_i_kernel *kernel, quernel_i_path path,
                                     quernel_i_streamed streamed, size_t l1d_bytes);

/// Whether rows of this distance, read in place, are copied to where more of them stay in L1.
bool quernel_i_tiled_copy(const quernel_i_problem *problem, const quernel_i_kernel *kernel,
                          int64_t row_bytes);

/// Whether weights come from beyond L2 again for every strip of rows.
bool quernel_i_tiled_far(const quernel_i_problem *problem, const quernel_i_kernel *kernel,
                         quernel_i_path path, size_t l2_bytes);

#endif
