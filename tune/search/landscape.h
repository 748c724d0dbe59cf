// SPDX-License-Identifier: Apache-2.0
// A landscape: plans of one layer with paired times, as quernel record wrote them (FORMAT.md).
#ifndef QUERNEL_TUNE_LANDSCAPE_H
#define QUERNEL_TUNE_LANDSCAPE_H

#include <stdint.h>

typedef struct landscape {
    char op[128], shape[96], env[32], machine[128]; // as in a row of a table
    uint32_t count, rounds;                         // plans; the first is the default
    char (*configs)[320];
    double *ns; // [count][rounds]; what is in one round was measured in turn
} landscape;

/// Reads a file. Returns 1, or 0 with a line on stderr.
int landscape_read(const char *path, landscape *ret_landscape);
/// Writes the first `rounds` rounds. Returns 0 where the file cannot be written.
int landscape_write(const char *path, const landscape *l, uint32_t rounds);
void landscape_free(landscape *l);

static inline double landscape_ns(const landscape *l, uint32_t plan, uint32_t round) {
    return l->ns[plan * l->rounds + round];
}
/// Median over the rounds of time(plan)/time(other).
double landscape_ratio(const landscape *l, uint32_t plan, uint32_t other);
/// Median of a plan's times.
double landscape_median(const landscape *l, uint32_t plan);
/// The plan that no other is faster than, by those medians.
uint32_t landscape_best(const landscape *l);

#endif
