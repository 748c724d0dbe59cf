// SPDX-License-Identifier: Apache-2.0
// Small legal descriptors that tests spoil one member at a time.
#ifndef QUERNEL_TESTS_FIXTURE_H
#define QUERNEL_TESTS_FIXTURE_H

#include "../unit/check.h"
#include "quernel/quernel.h"

typedef enum fixture_kind {
    FIXTURE_LINEAR = 0,
    FIXTURE_CONV2D,
    FIXTURE_DECONV2D,
    FIXTURE_KINDS
} fixture_kind;
extern const char *const fixture_names[FIXTURE_KINDS];

enum { FIXTURE_IN = 6, FIXTURE_OUT = 4, FIXTURE_ROWS = 5, FIXTURE_MAX = 4096 };

/// linear: 6 → 4, 5 rows. conv2d: 6 → 4 channels, 3x3, two groups, 1x6x5x7 NHWC. deconv2d: 6 → 4,
/// 2x2, the same image. Float throughout, static u8 quantization, float output.
typedef struct fixture {
    fixture_kind kind;
    quernel_weights_desc w;
    quernel_linear_desc l;
    quernel_conv2d_desc d;
    quernel_quant *quant; ///< of the descriptor that `kind` uses
    quernel_epilogue *epilogue;
    const quernel_allocator *allocator; ///< for weights and operator
    size_t x_count, y_count;            ///< elements of the dense tensors
    float data[512];                    ///< the weights; as bytes: int8 weights
    float smooth[64], scale[FIXTURE_OUT], bias[FIXTURE_OUT], slopes[FIXTURE_OUT],
        row_scale[FIXTURE_ROWS];
    int32_t zero[FIXTURE_OUT], bias32[FIXTURE_OUT];
} fixture;

void fixture_init(fixture *f, fixture_kind kind);
/// int8 output instead of float.
void fixture_int8_output(fixture *f, int type);

/// Creates the operator with the weights of the descriptors.
int fixture_create_op(const fixture *f, quernel_operator **op, quernel_error *error);
/// Packs the weights, creates the operator, releases the weights. The first failure is returned,
/// *op then untouched.
int fixture_create(fixture *f, quernel_operator **op, quernel_error *error);

/// What a refusal must say.
typedef struct refusal {
    int status;
    const char *argument; ///< error.argument; error.text has its last member too
    const char *value;    ///< part of error.text; NULL: not looked at
    int index;            ///< error.index
} refusal;

/// Checks a refusal. `what` is what was done.
void expect_refusal(int code, const quernel_error *error, refusal wanted, const char *what);

/// What a run needs: 64-byte aligned input, output and workspace, filled with bytes of 0x5a, which
/// as floats are 1.5e16.
typedef struct buffers {
    void *x, *residual, *y, *workspace;
    size_t workspace_bytes;
} buffers;

buffers buffers_make(const quernel_operator *op);
void buffers_free(buffers *b);
/// True where y holds what buffers_make wrote.
int buffers_untouched(const buffers *b);

#endif
