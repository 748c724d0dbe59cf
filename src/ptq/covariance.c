// SPDX-License-Identifier: Apache-2.0
// Rows are multiplied in blocks, in float; the sums of blocks are double. A covariance is larger
// than caches are: lines of its factor are subtracted several at a time, each element in their
// order.
#include <assert.h>
#include <math.h>
#include <string.h>

#include "ptq/covariance.h"

#define DAMPING 0.01 // of the mean variance, added to each: a sample is not the world
enum {
    BLOCK = 8, // rows: their products stay in a register
    PIVOTS = 8 // lines of the factor
};

int quernel_i_covariance_take(quernel_i_covariance *c, quernel_i_arena *arena, size_t max,
                              quernel_error *error) {
    const bool taken = (c->gram = quernel_i_arena_take(arena, max * max, sizeof(double), error)) &&
                       (c->variance = quernel_i_arena_take(arena, max, sizeof(double), error)) &&
                       (c->rows = quernel_i_arena_take(arena, BLOCK * max, sizeof(float), error));
    return taken ? QUERNEL_OK : QUERNEL_E_MEMORY;
}

void quernel_i_covariance_begin(quernel_i_covariance *c, size_t size, const size_t *order) {
    assert(order);
    c->size = size, c->order = order, c->waiting = 0;
    memset(c->gram, 0, size * size * sizeof *c->gram);
}

// gram += rowsᵀ·rows, on and above the diagonal.
static void multiply_rows(quernel_i_covariance *c) {
    const float *restrict rows = c->rows;
    for (size_t i = 0; i < c->size; i++) {
        float left[BLOCK], any = 0.0f;
        for (uint32_t b = 0; b < BLOCK; b++) left[b] = rows[b * c->size + i], any += fabsf(left[b]);
        if (any == 0.0f) continue;
        double *restrict to = c->gram + i * c->size;
        for (size_t j = i; j < c->size; j++) {
            float sum = 0.0f;
            for (uint32_t b = 0; b < BLOCK; b++) sum += left[b] * rows[b * c->size + j];
            to[j] += (double)sum;
        }
    }
    c->waiting = 0;
}

void quernel_i_covariance_add(quernel_i_covariance *c, const float *row) {
    assert(c->waiting < BLOCK);
    for (size_t i = 0; i < c->size; i++) c->rows[c->waiting * c->size + i] = row[c->order[i]];
    if (++c->waiting == BLOCK) multiply_rows(c);
}

void quernel_i_covariance_end(quernel_i_covariance *c, double rows, const double *means) {
    const size_t size = c->size;
    memset(c->rows + c->waiting * size, 0, (BLOCK - c->waiting) * size * sizeof *c->rows);
    multiply_rows(c);
    for (size_t i = 0; i < size; i++) {
        for (size_t j = i; j < size; j++) {
            double *both = c->gram + i * size + j;
            *both = *both / rows - means[c->order[i]] * means[c->order[j]];
            c->gram[j * size + i] = *both;
        }
        c->variance[i] = c->gram[i * size + i];
    }
}

// Line k of the factor, from what the lines before it have left of it.
static void divide_line(quernel_i_covariance *c, size_t k, double damping) {
    double *line = c->gram + k * c->size;
    const double root = sqrt(fmax(line[k], damping)); // at least the damping but for rounding
    line[k] = root;
    for (size_t j = k + 1; j < c->size; j++) line[j] /= root;
}

// What `count` lines of the factor, PIVOTS at most, from k on take from line i. Inline for a
// constant count.
static inline __attribute__((always_inline)) void subtract_lines(quernel_i_covariance *c, size_t k,
                                                                 size_t count, size_t i) {
    const size_t size = c->size;
    const double *restrict lines = c->gram + k * size;
    double *restrict to = c->gram + i * size, factor[PIVOTS];
    for (size_t p = 0; p < count; p++) factor[p] = lines[p * size + i];
    for (size_t j = i; j < size; j++) {
        double left = to[j];
        for (size_t p = 0; p < count; p++) left -= factor[p] * lines[p * size + j];
        to[j] = left;
    }
}

void quernel_i_covariance_factorize(quernel_i_covariance *c) {
    const size_t size = c->size;
    double mean = 0.0;
    for (size_t i = 0; i < size; i++) mean += c->variance[i] / (double)size;
    const double damping = mean > 0.0 ? DAMPING * mean : 1.0;
    for (size_t i = 0; i < size; i++) c->gram[i * size + i] += damping;
    for (size_t k = 0, count; k < size; k += count) {
        count = size - k < PIVOTS ? size - k : PIVOTS;
        for (size_t i = k; i < k + count; i++) {
            subtract_lines(c, k, i - k, i);
            divide_line(c, i, damping);
        }
        for (size_t i = k + count; i < size; i++) subtract_lines(c, k, PIVOTS, i);
    }
}

void quernel_i_covariance_noise(const quernel_i_covariance *c, const double *vectors,
                                uint32_t count, double *sums, double *ret_noise) {
    memset(ret_noise, 0, count * sizeof *ret_noise);
    for (size_t i = 0; i < c->size; i++) {
        for (uint32_t n = 0; n < count; n++) sums[n] = c->variance[i] * vectors[i * count + n];
        for (size_t j = 0; j < i; j++)
            for (uint32_t n = 0; n < count; n++)
                sums[n] += 2.0 * c->gram[i * c->size + j] * vectors[j * count + n];
        for (uint32_t n = 0; n < count; n++) ret_noise[n] += sums[n] * vectors[i * count + n];
    }
}
