// SPDX-License-Identifier: Apache-2.0
// What the files of `quernel tune` share.
#ifndef QUERNEL_TUNE_PROGRAM_TUNE_H
#define QUERNEL_TUNE_PROGRAM_TUNE_H

#include "tune/program/shape_options.h"
#include "tune/search/session.h"

typedef struct tune_options {
    double budget; // seconds
    double noise;  // the A/A floor as the caller knows it; below 0: looked for
    const char *json_path;
    const char *network; // a list of networks, which are tuned as such; NULL: layers alone
    session session;
    shape_options layers; // of a network: its rows
} tune_options;

typedef struct tally {
    int ends[SESSION_ENDS]; // layers that ended so
} tally;

/// Where a call of the tuner stands.
typedef struct progress {
    int index, count;     // of layers
    double start, budget; // clock_now(); seconds
    double total, passed; // work, in any unit
} progress;

/// Counts a layer that is done and prints its line.
void tune_print_progress(progress *p, tally *t, double work, const char *name, session_end end,
                         const char *text);

tally tune_layers(const tune_options *o);
/// Part by part of each network, then each as a whole.
tally tune_networks(const tune_options *o);
/// Reads the networks into `layers`, those whose model's name holds --filter. Returns GO_ON, or an
/// exit code with a line on stderr.
int tune_networks_read(tune_options *o);

/// By session_end.
extern const char *const tune_ends[SESSION_ENDS];

#endif
