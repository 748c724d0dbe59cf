// SPDX-License-Identifier: Apache-2.0
// Which layers a 3x3 kernel of its own may and should run.
#ifndef QUERNEL_PLAN_CONV3X3_H
#define QUERNEL_PLAN_CONV3X3_H

#include "gemm/layer.h"

/// The op of 3x3 kernels with the layer's stride, if any: QUERNEL_I_OP_COUNT where there is none.
quernel_i_op quernel_i_plan_conv3x3_op(const quernel_i_layer *layer);

/// The layer has such an op, its channels are a multiple of 4, no numbers belong to a row, and sums are below the bound of
/// quernel_i_conv3x3. Geometry, weights and quant of the layer are set.
bool quernel_i_plan_conv3x3_fits(const quernel_i_layer *layer);

/// The 3x3 kernel of gemm's instruction set that should be faster than it: enough channels and pixels, and not too many outputs
/// that nobody keeps. NULL where there is none, or the layer does not fit.
const quernel_i_kernel *quernel_i_plan_conv3x3_kernel(const quernel_i_layer *layer, const quernel_i_kernel *gemm);

/// Products of a channel that such a kernel takes for 4x4 outputs; a direct product takes 144.
double quernel_i_plan_conv3x3_points(const quernel_i_kernel *kernel);

#endif
