// SPDX-License-Identifier: Apache-2.0
// Which layers a 3x3 kernel of its own may and should run.
#ifndef QUERNEL_PLAN_CONV3X3_H
#define QUERNEL_PLAN_CONV3X3_H

#include "gemm/layer.h"

/// 3x3, stride and dilation 1, one group, channels a multiple of 4, no numbers that belong to a row, and sums below the bound of
/// quernel_i_conv3x3. Geometry, weights and quant of the layer are set.
bool quernel_i_plan_conv3x3_fits(const quernel_i_layer *layer);

/// Tiles of 4x4 outputs pay: enough channels and not too many outputs that nobody keeps.
bool quernel_i_plan_conv3x3_pays(const quernel_i_layer *layer);

#endif
