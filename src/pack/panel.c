// SPDX-License-Identifier: Apache-2.0
// Packs codes that come in the run: plain loops of fixed length, which compilers make vectors of.
#include "pack/panel.h"

#include <string.h>

#include "base/alloc.h"

enum { OC = 16, QUAD = 4 };

static uint32_t min(uint32_t a, uint32_t b) { return a < b ? a : b; }

static void flip_line(uint8_t *line, uint8_t flip) {
    for (int i = 0; i < QUERNEL_I_LINE; i++) line[i] ^= flip;
}

// One quad of all rows, `bytes` of each.
static void gather_quad(const quernel_i_panel_source *from, uint32_t k, uint32_t bytes,
                        uint8_t *line) {
    memset(line, from->flip, QUERNEL_I_LINE);
    for (uint32_t i = 0; i < from->oc; i++)
        memcpy(line + i * QUAD, from->at + i * from->row + k, bytes);
    flip_line(line, from->flip);
}

static void gather_whole_quad(const quernel_i_panel_source *from, uint32_t k, uint8_t *line) {
    for (uint32_t i = 0; i < OC; i++) memcpy(line + i * QUAD, from->at + i * from->row + k, QUAD);
    flip_line(line, from->flip);
}

void quernel_i_panel_of_channels(const quernel_i_panel_source *from, uint8_t *panel) {
    for (uint32_t k = 0; k < from->k; k += QUAD, panel += QUERNEL_I_LINE)
        if (from->oc == OC && from->k - k >= QUAD) gather_whole_quad(from, k, panel);
        else gather_quad(from, k, min(QUAD, from->k - k), panel);
}

// Bytes side by side as halves, halves as words: vectors are made of it, of four single bytes not.
static void interleave(const uint8_t *const rows[QUAD], uint8_t *line) {
    uint32_t words[OC];
    for (int i = 0; i < OC; i++) {
        const uint16_t first = (uint16_t)(rows[0][i] | rows[1][i] << 8),
                       second = (uint16_t)(rows[2][i] | rows[3][i] << 8);
        words[i] = first | (uint32_t)second << 16;
    }
    memcpy(line, words, sizeof words);
}

void quernel_i_panel_of_k(const quernel_i_panel_source *from, uint8_t *panel) {
    uint8_t padded[QUAD][OC];
    for (uint32_t k = 0; k < from->k; k += QUAD, panel += QUERNEL_I_LINE) {
        const uint8_t *rows[QUAD];
        const uint32_t count = min(QUAD, from->k - k);
        for (uint32_t i = 0; i < QUAD; i++) {
            rows[i] = from->at + (ptrdiff_t)(k + i) * from->row;
            if (from->oc == OC && i < count) continue;
            memset(padded[i], from->flip, OC);
            if (i < count) memcpy(padded[i], rows[i], from->oc);
            rows[i] = padded[i];
        }
        interleave(rows, panel);
        flip_line(panel, from->flip);
    }
}
