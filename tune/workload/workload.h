// SPDX-License-Identifier: Apache-2.0
// A workload: one shape made into an operator with seeded data, checked against ref, ready to be
// run.
#ifndef QUERNEL_TUNE_WORKLOAD_H
#define QUERNEL_TUNE_WORKLOAD_H

#include "tune/workload/shapes.h"

enum boundary { BOUNDARY_INT8, BOUNDARY_INT8_DENSE, BOUNDARY_F32 };
/// By boundary; NULL at the end.
extern const char *const boundary_names[];

typedef struct request {
    enum boundary boundary;
    int nchw;       // layout at the f32 boundary
    int32_t x_type; // U8 or S8
    int dynamic;
    int32_t smooth; // quernel_smooth_kind
    int s32;        // products: s32 out
    uint32_t threads;
    int32_t isa; // the ceiling; −1: that of the process
    const char *config;
    uint64_t seed;
    int extremes;        // insert what saturates where something can
    uint64_t full_check; // multiply-adds up to which every element is checked; 0: 4e9
} request;

/// For layers that are checked many times: larger ones are checked in part.
#define FULL_CHECK_OFTEN 100000000

typedef struct workload {
    const shape *shape;
    request request;
    quernel_weights *weights;
    quernel_operator *op;
    quernel_tensor x, y, residual;
    uint8_t *x_memory, *y_memory, *residual_memory, *workspace;
    size_t x_bytes, y_bytes, residual_bytes, workspace_bytes, weights_bytes;
    size_t x_offset, y_offset, residual_offset;
    char reason[200]; // why it cannot be run
} workload;

/// Makes it. False (with `reason`) where this version does not offer the row.
int workload_make(workload *w, const shape *p, const request *r);
/// Notes the reason and returns 0.
int workload_refuse(workload *w, const char *reason);
void workload_free(workload *w);
int workload_run(workload *w, const quernel_parallel *parallel);

/// Another operator over the same data and weights, with a config of its own. Returns a
/// quernel_status.
int workload_operator(workload *w, const char *config, quernel_operator **ret_op,
                      quernel_error *error);
/// Runs such an operator. `y` is as large as the workload's own, `workspace` as the operator wants
/// it.
int workload_run_as(const workload *w, const quernel_operator *op, uint8_t *y, void *workspace,
                    size_t bytes, const quernel_parallel *parallel);

/// Compares the last run's output with ref, bit for bit: in full up to the request's limit, else
/// whole lines that hold at least 64 rows and the first and last ones. Returns the number of wrong
/// elements, and how many were compared.
uint64_t workload_check(workload *w, uint64_t *ret_checked);

#endif
