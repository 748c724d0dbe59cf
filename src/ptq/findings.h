// SPDX-License-Identifier: Apache-2.0
// What an audit finds without running anything in int8.
#ifndef QUERNEL_PTQ_FINDINGS_H
#define QUERNEL_PTQ_FINDINGS_H

#include "ptq/setting.h"

/// Where a NaN or infinity first appears, in the order of quernel_place.
void quernel_i_findings_nonfinite(const quernel_i_ptq_layer *f, quernel_report *report);

/// Silent input channels and dead output channels.
int quernel_i_findings_dead(quernel_i_ptq_layer *f, quernel_report *report, quernel_error *error);

/// How a static range fits the data that `setting` has observed.
int quernel_i_findings_range(quernel_i_ptq_layer *f, const quernel_i_setting *setting,
                             const quernel_quant *quant, quernel_report *report,
                             quernel_error *error);

/// Channels where `expected` differs from the float layer by a constant or a factor.
void quernel_i_findings_mismatch(const quernel_i_ptq_layer *f, const quernel_sample *samples,
                                 quernel_report *report);

#endif
