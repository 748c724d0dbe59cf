// SPDX-License-Identifier: Apache-2.0
// What all operators share: how one is run, explained and destroyed.
#ifndef QUERNEL_OPERATOR_H
#define QUERNEL_OPERATOR_H

#include "common.h"
#include "threads.h"

#ifdef __cplusplus
extern "C" {
#endif

/// A layer that can be run: immutable, shared by any number of threads at once, each with its own
/// workspace.
typedef struct quernel_operator quernel_operator;

/// Workspace that a run needs, 64-byte aligned, for all of its threads together.
/// Returns bytes; 0 for NULL.
/// Threads: any.
QUERNEL_API size_t quernel_operator_workspace(const quernel_operator *op);

/// Runs the operator once. Allocates nothing and prints nothing.
/// Shapes: `x`, `residual` (NULL where the descriptor has none) and `y` as described at create; y
/// may be the residual itself, element for element (of quernel_eltwise also x), but overlaps
/// nothing else. `workspace`:
/// quernel_operator_workspace bytes, whose contents mean nothing before and after.
/// Numbers: the same bits for every number of threads, kernel and plan (docs/numerics.md).
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_ALIGN (workspace: 64 bytes; tensors: their
/// element); QUERNEL_E_WORKSPACE; QUERNEL_E_OVERLAP; QUERNEL_E_VALUE (parallel: its reserved
/// members; more threads than the operator's).
/// Threads: any, each with a workspace of its own. `parallel` NULL: on the calling thread. Example:
/// examples/conv2d.c.
QUERNEL_API int quernel_operator_run(const quernel_operator *op, const void *x,
                                     const void *residual, void *y, void *workspace,
                                     size_t workspace_bytes, const quernel_parallel *parallel,
                                     quernel_error *error);

/// Writes what was chosen as one line of "key=value" words, which `config` accepts back, to `text`
/// (always terminated where capacity > 0). One word only a caller gives: "dedup=8", for inputs that
/// are mostly one constant pixel: blocks of so many equal im2col rows are computed once.
/// Returns the length of the whole line without its terminator; 0 for NULL.
/// Threads: any. Example: examples/explain.c.
QUERNEL_API size_t quernel_operator_explain(const quernel_operator *op, char *text,
                                            size_t capacity);

/// Frees the operator and its reference to the weights. NULL is allowed.
/// Threads: any, while no run of it is under way.
QUERNEL_API void quernel_operator_destroy(quernel_operator *op);

#ifdef __cplusplus
}
#endif

#endif
