// SPDX-License-Identifier: Apache-2.0
// One random operator: what it is, how its values are spread, and how it is run. A seed and a
// number give it again.
#ifndef QUERNEL_TESTS_CASE_H
#define QUERNEL_TESTS_CASE_H

#include "quernel/quernel.h"
#include "rng.h"

typedef enum op_kind { OP_LINEAR = 0, OP_CONV2D, OP_DECONV2D, OP_KINDS } op_kind;
extern const char *const op_names[OP_KINDS];

/// How a run is spread over workers.
typedef enum op_spread {
    OP_SPREAD_NONE = 0,
    OP_SPREAD_POOL,    ///< the built-in pool
    OP_SPREAD_REVERSE, ///< all tasks on worker 0, the last one first
    OP_SPREAD_SHUFFLE, ///< in random order, each on a random worker, one after another
    OP_SPREADS
} op_spread;

/// Where a chain tensor lies in its memory; bytes 0: not a chain tensor.
typedef struct op_chain {
    size_t bytes, offset;
} op_chain;

typedef struct op_case {
    op_kind kind;
    rng r; ///< goes on to fill the data
    quernel_weights_desc weights;
    quernel_conv2d_desc conv; ///< a linear layer is an image of one column and M lines
    op_chain x_chain, y_chain;
    float x_amp, w_amp, t_amp; ///< magnitudes of x, w and of the sums in real numbers
    op_spread spread;
    uint32_t environment; ///< which odd float environment the caller has; 0: the default one
    bool alias;           ///< y is the residual itself
    bool reload;          ///< the weights go through a blob first
    bool replan;          ///< the plan is made again with other sizes
    void *owned[20];
    size_t owned_bytes[20];
    uint32_t n_owned;
} op_case;

/// Draws a case. `isas` has a bit for each instruction set that may be asked for as a ceiling.
void case_draw(op_case *c, op_kind kind, uint64_t seed, uint64_t number, uint32_t isas);
/// Frees what case_draw allocated.
void case_free(op_case *c);
/// Overwrites the arrays that pack and create have copied, so that a later look at them is noticed.
void case_scribble(op_case *c);
/// The same operator as a linear descriptor.
quernel_linear_desc case_linear(const op_case *c);
/// One line that says what the case is.
void case_describe(const op_case *c, char *text, size_t capacity);

/// Sizes of the operator's output, written to conv.y: they are what create finds by itself.
quernel_tensor case_output(const op_case *c);

/// Fills a tensor's elements with random data of its type, spread by amplitude (floats) or over the
/// type's whole range.
void case_fill(op_case *c, const quernel_tensor *t, int type, float amplitude, int32_t zero,
               void *data);

#endif
