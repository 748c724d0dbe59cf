// SPDX-License-Identifier: Apache-2.0
// A process of its own that times two plans of a layer on request, so that a win does not depend on
// where the tuner's own buffers lie in memory.
#ifndef QUERNEL_TUNE_CONFIRM_H
#define QUERNEL_TUNE_CONFIRM_H

#include <stdio.h>
#include <sys/types.h>

#include "op/product.h"

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

#endif
