// SPDX-License-Identifier: Apache-2.0
// Which layers a kernel for convolutions of their kind may and should run, and what it does for
// them.
#ifndef QUERNEL_PLAN_ALGORITHM_H
#define QUERNEL_PLAN_ALGORITHM_H

#include "cpu/machine.h"
#include "plan/problem.h"

/// Whether the kernel can run the layer: its window is one of the kernel's line, no quantization
/// parameters belong to a row, and sums are below the line's bound or can be split.
bool quernel_i_algorithm_fits(const quernel_i_problem *problem, const quernel_i_kernel *kernel);

/// The kernel of gemm's instruction set for such layers that should be faster than gemm: fewer
/// products by enough, enough pixels, and not too many outputs that nobody keeps. NULL where there
/// is none, or the layer does not fit.
const quernel_i_kernel *quernel_i_algorithm_kernel(const quernel_i_problem *problem,
                                                   const quernel_i_kernel *gemm,
                                                   const quernel_i_machine *machine);

/// Products of the set's direct kernel in whose time the kernel makes an image of the layer, by its
/// line's measured costs on such a machine (NULL: on any); 0 where it has none. Threads share
/// outputs, but each prepares the weights.
double quernel_i_algorithm_products(const quernel_i_problem *problem,
                                    const quernel_i_kernel *kernel,
                                    const quernel_i_machine *machine);

/// Output channels that a product multiplies, padding included.
uint32_t quernel_i_algorithm_oc(const quernel_i_weights_shape *shape, const quernel_i_kernel *gemm);

/// Parts of the channels that such a kernel sums up separately: as many as keep each sum below the
/// line's bound.
uint32_t quernel_i_algorithm_ic_split(const quernel_i_problem *problem,
                                      const quernel_i_kernel *kernel);

/// What such a kernel multiplies for 4x4 outputs: rows of `depth` 16-bit values (of bytes, an
/// instruction takes twice as many), by so many `matrices` of weights.
typedef struct quernel_i_algorithm_cost {
    double rows, depth, matrices;
} quernel_i_algorithm_cost;
quernel_i_algorithm_cost quernel_i_algorithm_work(const quernel_i_problem *problem,
                                                  const quernel_i_kernel *kernel);

#endif
