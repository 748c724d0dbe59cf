// SPDX-License-Identifier: Apache-2.0
// Moves elements of 1, 2 or 4 bytes between places that strides give.
#ifndef QUERNEL_EXEC_MOVE_H
#define QUERNEL_EXEC_MOVE_H

#include <stdint.h>

/// Strides are in elements.
typedef struct quernel_i_move {
    uint32_t size, channels;
    int64_t from_channel, to_channel, from_pixel, to_pixel;
} quernel_i_move;

/// All channels of one pixel.
void quernel_i_move_pixel(const quernel_i_move *move, const void *from, void *to);

/// Pixels index[i] of `from` become pixels i < pixels of `to`.
void quernel_i_move_pixels(const quernel_i_move *move, const void *from, const uint32_t *index,
                           uint32_t pixels, void *to);

/// `count` elements, those of `from` `from_step` apart, those of `to` `to_step`.
void quernel_i_move_elements(uint32_t size, const void *from, int64_t from_step, void *to,
                             int64_t to_step, uint32_t count);

#endif
