// SPDX-License-Identifier: Apache-2.0
// Times two plans of a layer on request, so that a win does not depend on where the tuner's own
// buffers lie in memory: of a layer alone in a process of its own, of one within its network, whose
// plans no command line holds, on new networks and memory.
#ifndef QUERNEL_TUNE_CONFIRM_H
#define QUERNEL_TUNE_CONFIRM_H

#include <signal.h>
#include <stdio.h>
#include <sys/types.h>

#include "op/product.h"
#include "tune/search/contest.h"

typedef struct confirmer {
    pid_t child;
    FILE *to, *from;
    const quernel_operator *op; // the layer
    const char *const *configs; // by candidate
    char isa[16];
    double deadline; // clock_now()
} confirmer;

/// A race_sample: starts the process at the first call, which names the winner.
double confirm_sample(void *user, uint32_t index, uint32_t round);
void confirm_end(confirmer *c);

typedef struct confirmer_within {
    const network_plans *plans;
    uint32_t part;
    contest contest; // default and winner; made at the first call
    const char *const *configs;
    double deadline;
    volatile sig_atomic_t *interrupted; // a network's rounds take a while
} confirmer_within;

/// A race_sample, likewise.
double confirm_within_sample(void *user, uint32_t index, uint32_t round);
void confirm_within_end(confirmer_within *c);

#endif
