// SPDX-License-Identifier: Apache-2.0
// Packs codes that come in the run, as they are, into a sub-panel of w16x4.
#ifndef QUERNEL_PACK_PANEL_H
#define QUERNEL_PACK_PANEL_H

#include <stddef.h>
#include <stdint.h>

/// Codes of `oc` (16 at most) output channels of `k` values; `flip` 0x80 makes s8 of u8.
typedef struct quernel_i_panel_source {
    const uint8_t *at;
    ptrdiff_t row; // bytes
    uint32_t oc, k;
    uint8_t flip;
} quernel_i_panel_source;

/// Rows are output channels; they are k. Everything of the panel is written, its padding with 0.
void quernel_i_panel_of_channels(const quernel_i_panel_source *from, uint8_t *ret_panel);
void quernel_i_panel_of_k(const quernel_i_panel_source *from, uint8_t *ret_panel);

#endif
