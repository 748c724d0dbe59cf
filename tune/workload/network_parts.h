// SPDX-License-Identifier: Apache-2.0
// What the files of a network's workload share.
#ifndef QUERNEL_TUNE_WORKLOAD_NETWORK_PARTS_H
#define QUERNEL_TUNE_WORKLOAD_NETWORK_PARTS_H

#include "tune/workload/network.h"
#include "tune/workload/parts.h"

/// Rows with a slice write their channels of the output from there on.
static inline bool network_is_output(const shape *row) { return row->slice != UINT32_MAX; }

#endif
