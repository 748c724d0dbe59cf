// SPDX-License-Identifier: Apache-2.0
// A landscape as one self-contained SVG: a heat map of the search space over two knobs, and the
// model's prediction against what was measured.
#ifndef QUERNEL_TUNE_PLOT_H
#define QUERNEL_TUNE_PLOT_H

#include <stdio.h>

#include "tune/search/landscape.h"

enum {
    AXIS_VALUES = 24, // that an axis shows; more are left out
    AXIS_WORD = 40    // bytes of a value
};

typedef struct axis {
    const char *key; // of a config
    char value[AXIS_VALUES][AXIS_WORD];
    int count;
} axis;

typedef struct plot {
    const landscape *land;
    double *over_best, *predicted; // of each plan; predicted ns, NaN where it cannot be made
    double best_ns;
    axis x, y;
    FILE *to;
} plot;

/// Writes the whole SVG.
void plot_draw(const plot *p);

#endif
