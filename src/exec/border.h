// SPDX-License-Identifier: Apache-2.0
// The border of a chain tensor: the next layer reads its padding there.
#ifndef QUERNEL_EXEC_BORDER_H
#define QUERNEL_EXEC_BORDER_H

#include "quernel/tensor.h"

/// Lines [y0, y1) and pixels [x0, x1) of an image.
typedef struct quernel_i_border_part {
    uint32_t image;
    int64_t y0, y1, x0, x1;
} quernel_i_border_part;

/// Writes `zero` into those border pixels of y, whose element (0, 0, 0, 0) is at `data`,
/// that lie beside this part of it.
void quernel_i_border_write(const quernel_tensor *y, void *data, int32_t zero,
                            const quernel_i_border_part *part);

#endif
