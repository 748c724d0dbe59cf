// SPDX-License-Identifier: Apache-2.0
// The border of a chain tensor, written by operators that take whole images.
#ifndef QUERNEL_EXEC_BORDER_H
#define QUERNEL_EXEC_BORDER_H

#include "quernel/tensor.h"

/// Writes the zero point into the whole border of one image. `data`: element (0, 0, 0, 0).
void quernel_i_border_fill_image(const quernel_tensor *y, void *data, uint32_t index, uint8_t zero);

#endif
