// SPDX-License-Identifier: Apache-2.0
// Checks of everything numeric that a descriptor says. `where` and `argument` are the names that
// messages use.
#ifndef QUERNEL_OP_VALIDATE_H
#define QUERNEL_OP_VALIDATE_H

#include <stdbool.h>

#include "plan/problem.h"

static inline bool quernel_i_validate_int8(int32_t type) {
    return type == QUERNEL_TYPE_S8 || type == QUERNEL_TYPE_U8;
}

int quernel_i_validate_refuse(quernel_error *error, const char *where, const char *argument,
                              const char *why);

/// A zero point that is a code of its type.
int quernel_i_validate_zero(quernel_error *error, const char *where, const char *argument,
                            int32_t zero, int32_t type, int32_t narrow);

/// A scale within 2^-96 … 2^96.
bool quernel_i_validate_scale_fits(float scale);
int quernel_i_validate_scale(quernel_error *error, const char *where, const char *argument,
                             float scale);

/// Of an epilogue: the activation of `channels` channels, and the output.
int quernel_i_validate_activation(const quernel_epilogue *f, const char *where, uint32_t channels,
                                  quernel_error *error);
int quernel_i_validate_output(const quernel_epilogue *f, const char *where, uint32_t channels,
                              quernel_error *error);

/// Checks quant and epilogue of a product whose geometry and weights are set.
int quernel_i_validate_quant(const quernel_i_problem *problem, quernel_error *error);

/// Checks the bound of every accumulator (docs/numerics.md, rule 4).
int quernel_i_validate_bounds(const quernel_i_problem *problem, quernel_error *error);

#endif
