// SPDX-License-Identifier: Apache-2.0
// What all operators share: how one is run, explained and destroyed.
#ifndef QUERNEL_OPERATOR_H
#define QUERNEL_OPERATOR_H

#include "common.h"
#include "threads.h"

#ifdef __cplusplus
extern "C" {
#endif

/// An operator that can be run: immutable, shared by any number of threads at once, each with its
/// own workspace.
typedef struct quernel_operator quernel_operator;

/// Bytes of workspace a run needs, 64-byte aligned. For all of its threads together.
QUERNEL_API size_t quernel_operator_workspace(const quernel_operator *op);

/// Runs. `x`, `residual` (NULL where the descriptor has none) and `y` are as described at create; y
/// may be the residual itself, element for element, but overlaps nothing else. Allocates nothing
/// and prints nothing. `parallel` NULL: on the calling thread. The result is the same for every
/// number of threads. Returns QUERNEL_E_NULL, _ALIGN (workspace 64 bytes; tensors their element),
/// _WORKSPACE, _OVERLAP.
QUERNEL_API int quernel_operator_run(const quernel_operator *op, const void *x,
                                     const void *residual, void *y, void *workspace,
                                     size_t workspace_bytes, const quernel_parallel *parallel,
                                     quernel_error *error);

/// What was chosen and why, as one line of "key=value" words that `config` accepts back ("dedup=8"
/// is a word that only a caller says: inputs that are mostly one constant pixel; blocks of so many
/// equal rows are computed once), written to `text` (always terminated where capacity > 0). Returns
/// the length that the whole line has.
QUERNEL_API size_t quernel_operator_explain(const quernel_operator *op, char *text,
                                            size_t capacity);

/// Frees it. NULL is allowed. No run may be under way.
QUERNEL_API void quernel_operator_destroy(quernel_operator *op);

#ifdef __cplusplus
}
#endif

#endif
