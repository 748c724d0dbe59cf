// SPDX-License-Identifier: Apache-2.0
// Sizes of a program's values, from those of its inputs.
#ifndef QUERNEL_EP_SIZES_H
#define QUERNEL_EP_SIZES_H

#include "program.h"

/// Sizes of a tensor of this shape, and back. False where it has none.
bool quernel_ep_sizes_of_shape(const quernel_ep_shape *shape, int32_t order,
                               quernel_ep_sizes *ret_sizes);
quernel_ep_shape quernel_ep_shape_of_sizes(const quernel_ep_sizes *sizes, uint32_t rank,
                                           int32_t order);

/// Sizes of what a step writes; `all` has those of what it reads. Fails where they do not fit.
int quernel_ep_sizes_follow(const quernel_ep_program *p, uint32_t step, quernel_ep_sizes *all,
                            quernel_error *error);

/// Elements of y along an axis (0: lines) of `size` elements; 0: none.
uint32_t quernel_ep_axis_size(const quernel_ep_axis *a, uint32_t size);
/// What each of them is made of, as quernel_resize2d_axis says it: of so many taps, with weights or
/// as they are.
uint32_t quernel_ep_axis_taps(const quernel_ep_axis *a, uint32_t size, uint32_t count);
bool quernel_ep_axis_filters(const quernel_ep_axis *a);
/// `index` and `weight` have room for all taps; weights are written where it filters.
void quernel_ep_axis_fill(const quernel_ep_axis *a, uint32_t size, uint32_t count, uint32_t *index,
                          float *weight);

#endif
