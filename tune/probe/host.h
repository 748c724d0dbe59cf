// SPDX-License-Identifier: Apache-2.0
// This host: how quiet it is, and its rates.
#ifndef QUERNEL_TUNE_HOST_H
#define QUERNEL_TUNE_HOST_H

#include "quernel/quernel.h"

typedef struct host_health {
    char governor[32]; // of the clock's frequency; "" where there is none to read
    double load;       // runnable tasks, the mean of the last minute
    double steal;      // per cent of the time in which the hypervisor ran other machines
    double preempted;  // times per second of measuring that another process took the core
    // the A/A noise floor: the worst median of 24 paired rounds of the same burst, minus 1
    double noise;
    uint32_t cores, affinity; // online; those that this process may use
} host_health;

/// Measures for about `seconds`.
void host_measure(double seconds, host_health *ret_health);
/// One line of advice, or NULL where there is nothing to say; `index` from 0 on.
const char *host_advice(const host_health *h, int index);

/// "mac/l1=… mac/l2=… mac/far=…" of this machine (FORMAT.md); probed where the cached line is of
/// another boot or class, and then cached. "-" where no instruction set has a probe.
const char *host_rates(void);

#endif
