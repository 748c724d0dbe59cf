// SPDX-License-Identifier: Apache-2.0
// What an operator is inside, and the steps of its creation that all kinds share. A kind is a
// struct that begins with a quernel_operator, and a table of functions.
#ifndef QUERNEL_OP_OPERATOR_H
#define QUERNEL_OP_OPERATOR_H

#include "base/alloc.h"
#include "base/tensor.h"
#include "kernels/ukr.h"
#include "quernel/operator.h"

/// The buffers of one run, which the caller has checked.
typedef struct quernel_i_operator_call {
    const void *x, *residual;
    void *y;
    uint8_t *workspace;
    const quernel_parallel *parallel;
    // in a network whose weights L2 does not keep: those that are read after the operator's own,
    // perhaps none; else NULL
    const quernel_i_ahead *ahead;
} quernel_i_operator_call;

/// What differs between kinds. Whoever runs an operator without checks calls
/// op->kind->run(op, &call).
typedef struct quernel_i_operator_kind {
    void (*run)(const quernel_operator *op, const quernel_i_operator_call *call);
    size_t (*explain)(const quernel_operator *op, char *text, size_t capacity);
    void (*release)(quernel_operator *op); // what it holds beside its block; NULL: nothing
    quernel_i_ahead (*weights)(const quernel_operator *op); // all that a run reads; NULL: none
} quernel_i_operator_kind;

struct quernel_operator {
    const quernel_i_operator_kind *kind;
    const char *where; // "conv2d", "eltwise" …: who speaks in messages
    quernel_allocator allocator;
    size_t bytes; // of the block that begins with it
    // as run is handed them, and the bytes around their elements (0, 0, 0, 0)
    quernel_tensor x, residual, y;
    quernel_i_extent x_extent, residual_extent, y_extent;
    bool has_residual;
    const char *residual_name; // in the messages of create
    bool x_in_place;           // y may be x, element for element
    uint32_t threads;
    size_t workspace; // bytes
};

/// The members of a descriptor that are the same in every kind.
typedef struct quernel_i_request {
    int32_t isa;
    const char *config;
    const quernel_allocator *allocator;
} quernel_i_request;

/// Checks the request, and the threads of an operator that is being made.
int quernel_i_operator_check_request(const quernel_i_request *request, const char *where,
                                     uint32_t threads, quernel_error *error);

/// Checks the tensors (x, y, and residual where there is one) of an operator that is being made,
/// and fills in what they leave open: strides, extents, and one thread.
int quernel_i_operator_complete(quernel_operator *op, quernel_error *error);

/// Instruction sets that may be used here under a ceiling: a bit for each quernel_isa.
uint32_t quernel_i_operator_usable(int32_t ceiling);

/// Sizes of a tensor: 0 are inferred, others must be those of `want`.
int quernel_i_operator_fill_sizes(quernel_tensor *tensor, const quernel_tensor *want,
                                  const char *where, const char *name, quernel_error *error);

/// Allocates a block as it was sized (base NULL), zeroed, and copies the kind's struct of `size`
/// bytes to its beginning, which was its first take. On success `block` has a base, and hands out
/// the same takes again, the first one done.
int quernel_i_operator_allocate(const quernel_operator *made, size_t size,
                                const quernel_i_request *request, quernel_i_layout *block,
                                quernel_operator **ret_op, quernel_error *error);

#endif
