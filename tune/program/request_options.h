// SPDX-License-Identifier: Apache-2.0
// The options that say how a layer is run.
#ifndef QUERNEL_TUNE_REQUEST_OPTIONS_H
#define QUERNEL_TUNE_REQUEST_OPTIONS_H

#include "tune/program/options.h"
#include "tune/workload/workload.h"

/// By quernel_smooth_kind; NULL at the end.
extern const char *const smooth_names[];

/// --boundary, --layout, --x, --scale, --threads, --config. False where the name is another, or its
/// value unknown.
bool request_take(request *r, option o);

#endif
