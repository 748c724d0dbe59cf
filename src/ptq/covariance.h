// SPDX-License-Identifier: Apache-2.0
// The covariance of im2col columns over many rows, and its Cholesky factor beside it.
#ifndef QUERNEL_PTQ_COVARIANCE_H
#define QUERNEL_PTQ_COVARIANCE_H

#include "ptq/arena.h"

typedef struct quernel_i_covariance {
    size_t size;
    const size_t *order; // [size]: the column of a row that each index means
    double *gram;        // [size][size]: below the diagonal the covariance, from it on its factor
    double *variance;    // [size]: the diagonal of the covariance
    float *rows;         // those that wait for their fellows
    uint32_t waiting;
} quernel_i_covariance;

/// Memory for up to `max` columns.
int quernel_i_covariance_take(quernel_i_covariance *c, quernel_i_arena *arena, size_t max,
                              quernel_error *error);

/// Starts a covariance of `size` columns, order[i] of a row being column i. `order` is kept.
void quernel_i_covariance_begin(quernel_i_covariance *c, size_t size, const size_t *order);
/// Adds a row, in the order of the layer.
void quernel_i_covariance_add(quernel_i_covariance *c, const float *row);

/// Makes a covariance of the sums over `rows` rows, with the means of the columns.
void quernel_i_covariance_end(quernel_i_covariance *c, double rows, const double *means);

/// The upper factor of the covariance with damping on its diagonal.
void quernel_i_covariance_factorize(quernel_i_covariance *c);

/// vᵀ·covariance·v of each of `count` vectors v, side by side: [size][count].
/// sums: [count], scratch.
void quernel_i_covariance_noise(const quernel_i_covariance *c, const double *vectors,
                                uint32_t count, double *sums, double *ret_noise);

#endif
