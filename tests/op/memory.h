// SPDX-License-Identifier: Apache-2.0
// Guarded memory for what a run is handed: pages that trap lie on both sides of it.
#ifndef QUERNEL_TESTS_MEMORY_H
#define QUERNEL_TESTS_MEMORY_H

#include <stddef.h>
#include <stdint.h>

typedef struct guarded {
    /// first usable byte; one trapping page lies before it and one behind `capacity` bytes
    uint8_t *map;
    size_t capacity;
} guarded;

/// Where a buffer lies in its memory.
typedef enum guarded_place { GUARDED_END = 0, GUARDED_START, GUARDED_MIDDLE } guarded_place;

/// Gives `bytes` of memory aligned to `alignment` (a power of two, at most a page) within a window
/// that is filled with `poison`; *ret_window and *ret_window_bytes are that window: what lies
/// beside the buffer must stay poison. The memory is kept for the next call. NULL where the system
/// has none.
uint8_t *guarded_take(guarded *g, size_t bytes, size_t alignment, guarded_place place,
                      uint8_t poison, uint8_t **ret_window, size_t *ret_window_bytes);
/// Returns the memory.
void guarded_free(guarded *g);

#endif
