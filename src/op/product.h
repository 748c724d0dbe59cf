// SPDX-License-Identifier: Apache-2.0
// Products, the first kind of operator: conv2d, deconv2d and linear.
#ifndef QUERNEL_OP_PRODUCT_H
#define QUERNEL_OP_PRODUCT_H

#include "exec/params.h"
#include "op/operator.h"
#include "plan/plan.h"
#include "quernel/tune.h"

typedef struct quernel_i_product {
    quernel_operator base;
    quernel_i_problem problem;
    quernel_i_plan plan;
    quernel_i_params params;
    uint32_t usable;            // instruction sets that its plan might take
    quernel_plan_choice choice; // where the plan came from
} quernel_i_product;

/// The product that an operator is; NULL for other kinds.
const quernel_i_product *quernel_i_product_of(const quernel_operator *op);

/// Takes the tables of a problem under its plan from `block` and, where it has a base, fills them
/// and returns where they are.
quernel_i_params quernel_i_params_make(const quernel_i_problem *problem, const quernel_i_plan *plan,
                                       quernel_i_layout *block);

/// Makes an operator of a problem whose geometry, weights, quant and epilogue are set and whose
/// tensors carry type, layout and sizes: checks the rest, plans, allocates, fills the tables and
/// takes a reference of the weights.
int quernel_i_product_create(const quernel_i_problem *problem, const quernel_i_request *request,
                             quernel_operator **ret_op, quernel_error *error);

#endif
