// SPDX-License-Identifier: Apache-2.0
// A setting of the smoothing: its factors, the weights packed with them, and what the smoothed
// input looks like.
#ifndef QUERNEL_PTQ_SETTING_H
#define QUERNEL_PTQ_SETTING_H

#include "ptq/layer.h"

typedef struct quernel_i_setting {
    int32_t kind; // quernel_smooth_kind
    double alpha;
    const float *smooth;
    quernel_weights *weights;
    quernel_observer *observer; // of x / s, with a histogram
} quernel_i_setting;

/// Largest |x| of each channel or im2col column over the images that are wanted (NULL: all).
int quernel_i_setting_absmax(quernel_i_ptq_layer *f, int32_t kind, const bool *wanted,
                             float *ret_max, quernel_error *error);

/// Packs the weights with setting->kind and setting->smooth, and observes x / s. Gives all back
/// where it fails.
int quernel_i_setting_open(quernel_i_ptq_layer *f, const bool *wanted, quernel_i_setting *setting,
                           quernel_error *error);
/// Gives back the weights and the observer; a closed setting may be closed again.
void quernel_i_setting_close(quernel_i_setting *setting);

/// Factors that a kind has.
size_t quernel_i_setting_factors(const quernel_i_ptq_layer *f, int32_t kind);

#endif
