// SPDX-License-Identifier: Apache-2.0
// Elements change places.
#include "exec/move.h"

#include <stdbool.h>
#include <string.h>

#define MOVE(type)                       \
    for (uint32_t i = 0; i < count; i++) \
    ((type *)to)[i * to_step] = ((const type *)from)[i * from_step]

void quernel_i_move_elements(uint32_t size, const void *from, int64_t from_step, void *to,
                             int64_t to_step, uint32_t count) {
    if (from_step == 1 && to_step == 1) memcpy(to, from, (size_t)count * size);
    else if (size == 1) MOVE(uint8_t);
    else if (size == 2) MOVE(uint16_t);
    else MOVE(uint32_t);
}

void quernel_i_move_pixel(const quernel_i_move *m, const void *from, void *to) {
    quernel_i_move_elements(m->size, from, m->from_channel, to, m->to_channel, m->channels);
}

// How many pixels from the first one on are neighbours in both.
static uint32_t run_of(const uint32_t *index, uint32_t pixels) {
    uint32_t count = 1;
    while (count < pixels && index[count] == index[count - 1] + 1) count++;
    return count;
}

// Channels are side by side: pixels are, too, or each is moved alone.
static void move_nhwc(const quernel_i_move *m, const uint8_t *from, const uint32_t *index,
                      uint32_t pixels, uint8_t *to) {
    const bool dense = m->from_pixel == m->channels && m->to_pixel == m->channels;
    const size_t pixel = (size_t)m->channels * m->size;
    for (uint32_t i = 0, run; i < pixels; i += run) {
        run = dense ? run_of(index + i, pixels - i) : 1;
        memcpy(to + i * m->to_pixel * m->size, from + index[i] * m->from_pixel * m->size,
               run * pixel);
    }
}

void quernel_i_move_pixels(const quernel_i_move *m, const void *from, const uint32_t *index,
                           uint32_t pixels, void *to) {
    if (m->from_channel == 1 && m->to_channel == 1) {
        move_nhwc(m, from, index, pixels, to);
        return;
    }
    for (uint32_t i = 0, run; i < pixels; i += run) {
        run = run_of(index + i, pixels - i);
        for (uint32_t c = 0; c < m->channels; c++)
            quernel_i_move_elements(
                m->size,
                (const uint8_t *)from + (index[i] * m->from_pixel + c * m->from_channel) * m->size,
                m->from_pixel, (uint8_t *)to + (i * m->to_pixel + c * m->to_channel) * m->size,
                m->to_pixel, run);
    }
}
