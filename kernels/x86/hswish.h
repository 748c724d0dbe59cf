// SPDX-License-Identifier: Apache-2.0
// Hard-swish to codes: the one function that is short enough to be some of an epilogue's many
// operations. Behind it may stand a constant of each output channel and a factor, which networks
// for text learn.
#ifndef QUERNEL_X86_HSWISH_H
#define QUERNEL_X86_HSWISH_H

#include <stdbool.h>

#include "kernels/ukr.h"

/// Whether values become codes by hard-swish, at most a constant, and a factor.
static inline bool hswish_fits(const quernel_i_epilogue *f) {
    const bool shifts = f->residual_last && f->r_type == QUERNEL_TYPE_F32 && !f->r_scale &&
                        f->r_row == 0 && f->r_col == sizeof(float);
    return f->act == QUERNEL_I_ACT_HSWISH && f->out_scale && (!f->residual || shifts);
}

/// The constants from output channel n on, or NULL.
static inline const float *hswish_shift(const quernel_i_epilogue *f, uint32_t n) {
    return f->residual ? (const float *)f->residual + n : NULL;
}

#endif
