// SPDX-License-Identifier: Apache-2.0
#include "tests/simulated/tiles.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TILES = 8, ROWS = 16, ROW_BYTES = 64 }; // of palette 1

typedef struct config {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} config;
_Static_assert(sizeof(config) == 64, "as ldtilecfg reads it");

static _Thread_local config now;
static _Thread_local uint8_t data[TILES][ROWS][ROW_BYTES];

void simulated_fault(const char *why) {
    fprintf(stderr, "simulated: %s\n", why);
    raise(SIGSEGV);
    abort();
}

void simulated_tilerelease(void) {
    memset(&now, 0, sizeof now);
    memset(data, 0, sizeof data);
}

static bool is_valid(const config *c) {
    static const uint8_t zeros[14];
    if (c->palette > 1 || memcmp(c->reserved, zeros, sizeof zeros)) return false;
    for (int i = 0; i < 16; i++) {
        const bool exists = c->palette == 1 && i < TILES;
        if (c->rows[i] > (exists ? ROWS : 0) || c->row_bytes[i] > (exists ? ROW_BYTES : 0) ||
            !c->rows[i] != !c->row_bytes[i])
            return false;
    }
    return true;
}

void simulated_ldtilecfg(const void *from) {
    config c;
    memcpy(&c, from, sizeof c);
    if (!is_valid(&c)) simulated_fault("ldtilecfg: not a configuration");
    simulated_tilerelease();
    now = c;
}

void simulated_sttilecfg(void *to) { memcpy(to, &now, sizeof now); }

static void need(int tile, const char *instruction) {
    if ((unsigned)tile >= TILES || !now.rows[tile]) simulated_fault(instruction);
}

void simulated_tilezero(int tile) {
    need(tile, "tilezero: a tile that is not configured");
    memset(data[tile], 0, sizeof data[tile]);
}

void simulated_tileloadd(int tile, const void *from, ptrdiff_t stride) {
    need(tile, "tileloadd: a tile that is not configured");
    memset(data[tile], 0, sizeof data[tile]);
    for (int m = 0; m < now.rows[tile]; m++)
        memcpy(data[tile][m], (const uint8_t *)from + m * stride, now.row_bytes[tile]);
}

void simulated_tilestored(void *to, ptrdiff_t stride, int tile) {
    need(tile, "tilestored: a tile that is not configured");
    for (int m = 0; m < now.rows[tile]; m++)
        memcpy((uint8_t *)to + m * stride, data[tile][m], now.row_bytes[tile]);
}

// Whether the three fit each other: weights are [quad of k][column][4 k].
static void check_product(int sums, int rows, int weights) {
    need(sums, "tdp: sums in a tile that is not configured");
    need(rows, "tdp: rows in a tile that is not configured");
    need(weights, "tdp: weights in a tile that is not configured");
    if (sums == rows || sums == weights || rows == weights) simulated_fault("tdp: one tile twice");
    if (now.rows[sums] != now.rows[rows] || now.row_bytes[sums] != now.row_bytes[weights] ||
        now.row_bytes[rows] != 4 * now.rows[weights] || now.row_bytes[sums] % 4)
        simulated_fault("tdp: tiles that do not fit each other");
}

static void multiply(int sums, int rows, int weights, bool is_signed) {
    check_product(sums, rows, weights);
    for (int m = 0; m < now.rows[sums]; m++)
        for (int n = 0; n < now.row_bytes[sums] / 4; n++) {
            uint32_t sum;
            memcpy(&sum, data[sums][m] + 4 * n, sizeof sum);
            for (int k = 0; k < now.row_bytes[rows]; k++) {
                const uint8_t a = data[rows][m][k];
                const int b = (int8_t)data[weights][k / 4][4 * n + k % 4];
                sum += (uint32_t)((is_signed ? (int8_t)a : a) * b);
            }
            memcpy(data[sums][m] + 4 * n, &sum, sizeof sum);
        }
}

void simulated_tdpbusd(int sums, int rows, int weights) { multiply(sums, rows, weights, false); }
void simulated_tdpbssd(int sums, int rows, int weights) { multiply(sums, rows, weights, true); }
