// SPDX-License-Identifier: Apache-2.0
// Windows over lines and pixels: attributes of convolutions and pools, and their padding.
#ifndef QUERNEL_EP_WINDOW_H
#define QUERNEL_EP_WINDOW_H

#include "unit.h"

/// Reads strides, dilations, pads, auto_pad and output_padding of a node over `spatial` axes (1:
/// pixels alone), and its kernel: `kernel`, from the weights, or NULL, from its attribute.
bool quernel_ep_window_read(quernel_ep_draft *d, uint32_t spatial, const int64_t *kernel,
                            quernel_ep_window *ret_window);

/// Padding of an axis of `size` elements.
void quernel_ep_window_pads(const quernel_ep_window *w, int axis, uint32_t size,
                            uint32_t *ret_begin, uint32_t *ret_end);

#endif
