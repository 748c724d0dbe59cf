// SPDX-License-Identifier: Apache-2.0
// Functions of one number that several nodes compute: from values that all come of one root to one
// value that alone is seen outside.
#ifndef QUERNEL_EP_EXPR_H
#define QUERNEL_EP_EXPR_H

#include "unit.h"

enum { QUERNEL_EP_EXPR_MAX = 24 }; // nodes; GELU with its inner pairs of Q and DQ is 16

/// One node: a function of up to three operands, each an earlier term, the root or a constant.
typedef struct quernel_ep_term {
    uint32_t node;
    int32_t function; // index of function.c's table
    double parameters[2];
    int32_t operands[3]; // term, or QUERNEL_EP_OF_…
    quernel_ep_constant constants[3];
    quernel_ep_coding coding; // Q and DQ
} quernel_ep_term;
enum { QUERNEL_EP_OF_ROOT = -1, QUERNEL_EP_OF_CONSTANT = -2, QUERNEL_EP_OF_NOTHING = -3 };

typedef struct quernel_ep_expr {
    quernel_ep_term terms[QUERNEL_EP_EXPR_MAX]; // in an order in which they can be computed
    uint32_t n_terms;
    int32_t root; // value
    int32_t out;  // value
    bool per_channel;
} quernel_ep_expr;

/// Whether a node computes a function that is known, of numbers alone: fills `ret_term`, but its
/// operands. Q and DQ are functions, too.
bool quernel_ep_term_find(quernel_ep_search *c, uint32_t node, quernel_ep_term *ret_term);
/// Where the term's operands come from: the root, terms of the expression, or constants (whose
/// DequantizeLinears the draft takes) that are numbers or one per channel beside a tensor of
/// `rank`.
bool quernel_ep_term_bind(quernel_ep_draft *d, quernel_ep_expr *e, quernel_ep_term *term,
                          uint32_t rank, int32_t order, uint32_t channels);
/// The code of x, as QuantizeLinear makes it.
double quernel_ep_coding_round(const quernel_ep_coding *coding, double x);
/// The expression's value where its root is x.
double quernel_ep_expr_at(const quernel_ep_expr *e, double x, uint32_t channel);

/// The nearest expression that begins at value v (float), whose function is an activation of the
/// library: sets it in `step`, takes its nodes and returns its output. −1: none.
int32_t quernel_ep_activation_absorb(quernel_ep_draft *d, quernel_ep_step *step, int32_t v,
                                     uint32_t channels);

/// The same for `node` alone, which reads v among others.
int32_t quernel_ep_activation_take(quernel_ep_draft *d, quernel_ep_step *step, int32_t v,
                                   uint32_t node, uint32_t channels);

#endif
