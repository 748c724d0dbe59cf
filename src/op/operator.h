// SPDX-License-Identifier: Apache-2.0
// What an operator is inside, and the steps of its creation that all kinds share.
#ifndef QUERNEL_OP_OPERATOR_H
#define QUERNEL_OP_OPERATOR_H

#include "base/tensor.h"
#include "exec/params.h"
#include "plan/plan.h"
#include "quernel/operator.h"
#include "quernel/tune.h"

struct quernel_operator {
    quernel_allocator allocator;
    size_t bytes;
    quernel_i_problem problem;
    quernel_i_plan plan;
    quernel_i_params params;
    quernel_i_extent x, y, residual;
    uint32_t usable;            // instruction sets that its plan might take
    quernel_plan_choice choice; // where the plan came from
};

/// What creation needs beside the problem: the descriptor's remaining members.
typedef struct quernel_i_request {
    int32_t isa;
    const char *config;
    const quernel_allocator *allocator;
} quernel_i_request;

/// Checks quant and epilogue of a problem whose geometry and weights are set.
int quernel_i_validate_quant(const quernel_i_problem *problem, quernel_error *error);

/// Checks the bound of every accumulator (docs/numerics.md, rule 4).
int quernel_i_validate_bounds(const quernel_i_problem *problem, quernel_error *error);

/// Takes the tables of a problem under its plan from `block` and, where it has a base, fills them
/// and returns where they are.
quernel_i_params quernel_i_params_make(const quernel_i_problem *problem, const quernel_i_plan *plan,
                                       quernel_i_layout *block);

/// Makes an operator of a problem whose geometry, weights, quant and epilogue are set and whose
/// tensors carry type, layout and sizes: checks the rest, plans, allocates, fills the tables and
/// takes a reference of the weights.
int quernel_i_operator_create(const quernel_i_problem *problem, const quernel_i_request *request,
                              quernel_operator **ret_op, quernel_error *error);

#endif
