// SPDX-License-Identifier: Apache-2.0
// The options that name layers, the same for every command that works on some: lists, one by its
// sizes, or by a key.
#ifndef QUERNEL_TUNE_SHAPE_OPTIONS_H
#define QUERNEL_TUNE_SHAPE_OPTIONS_H

#include "tune/program/options.h"
#include "tune/workload/shape_key.h"

typedef struct shape_options {
    const char *layers, *gemm, *filter; // files and what a name must hold
    request request;                    // shared by all of them
    shape *shapes;
    request *requests; // of each shape; no threads: it is the shared one
    int count;
} shape_options;
#define SHAPE_OPTIONS_INIT                                                                     \
    {                                                                                          \
        .request = {.nchw = 1, .x_type = QUERNEL_TYPE_U8, .threads = 1, .isa = -1, .seed = 1 } \
    }

extern const char shape_options_help[];

/// Takes one option; false where its name or value is unknown, or no memory is left.
bool shape_options_take(shape_options *s, option o);
/// Reads the files that were named; returns GO_ON, or an exit code with a line on stderr.
int shape_options_read(shape_options *s, const char *command);
void shape_options_free(shape_options *s);

/// The request of shape `index`.
const request *shape_options_request(const shape_options *s, int index);

#endif
