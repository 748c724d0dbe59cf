// SPDX-License-Identifier: Apache-2.0
// Which layers a kernel for convolutions of their kind may and should run, and what it does for them.
#ifndef QUERNEL_PLAN_CONV_H
#define QUERNEL_PLAN_CONV_H

#include "gemm/layer.h"

/// The layer is one that the kernel takes, no numbers belong to a row, and sums are below the kernel's bound or can be divided. Geometry, weights
/// and quant of the layer are set.
bool quernel_i_plan_conv_fits(const quernel_i_layer *layer, const quernel_i_kernel *kernel);

/// The kernel of gemm's instruction set for such layers that should be faster than gemm: fewer products by enough, enough pixels,
/// and not too many outputs that nobody keeps. NULL where there is none, or the layer does not fit.
const quernel_i_kernel *quernel_i_plan_conv_kernel(const quernel_i_layer *layer, const quernel_i_kernel *gemm);

/// Parts of the channels whose sums such a kernel finds by themselves: as many as keep each below the kernel's bound.
uint32_t quernel_i_plan_conv_parts(const quernel_i_layer *layer, const quernel_i_kernel *kernel);

/// What such a kernel multiplies for 4x4 outputs: rows of `depth` numbers of 16 bits (of bytes, an instruction takes twice as many), `matrices` of weights that they meet.
typedef struct quernel_i_conv_work {
    double rows, depth, matrices;
} quernel_i_conv_work;
quernel_i_conv_work quernel_i_plan_conv_work(const quernel_i_layer *layer, const quernel_i_kernel *kernel);

#endif
