// SPDX-License-Identifier: Apache-2.0
// A float layer with its samples and with the choice of how it is quantized.
#ifndef QUERNEL_PTQ_CHOSEN_H
#define QUERNEL_PTQ_CHOSEN_H

#include "ptq/setting.h"

typedef struct quernel_i_chosen {
    quernel_i_ptq_layer f;
    quernel_choice choice;
    quernel_i_setting setting;
    float *y;                    // the largest output
    float *multiplier;           // [groups][k]
    float *smoothed, *quantized; // matrices: w·s, and the values of its int8 weights
} quernel_i_chosen;

/// Checks and loads everything but the setting, which stays closed. Gives all back where it fails.
int quernel_i_chosen_open(const quernel_float_layer *layer, const quernel_choice *choice,
                          const float *smooth, const quernel_sample *samples, uint32_t count,
                          quernel_i_chosen *ret, quernel_error *error);
/// Gives back everything but the setting, which is closed before.
void quernel_i_chosen_close(quernel_i_chosen *a);

/// Multipliers and both matrices, by docs/numerics.md, rules 1 to 3, once the setting is open. The
/// scales of the weights go to `ret_scale`.
int quernel_i_chosen_fill(quernel_i_chosen *a, const float **ret_scale, quernel_error *error);

#endif
