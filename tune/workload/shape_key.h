// SPDX-License-Identifier: Apache-2.0
// A layer from the key of a table's row, so that it can be timed again.
#ifndef QUERNEL_TUNE_SHAPE_KEY_H
#define QUERNEL_TUNE_SHAPE_KEY_H

#include "tune/workload/workload.h"

/// The layer of a row's op, shape and env (tune/FORMAT.md). False where no workload can be made of
/// it.
bool shape_of_key(const char *op, const char *sizes, const char *env, shape *ret_shape,
                  request *ret_request);

#endif
