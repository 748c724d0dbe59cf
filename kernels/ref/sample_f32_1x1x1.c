// SPDX-License-Identifier: Apache-2.0
// Samples in plain C.
#include "base/num.h"
#include "kernels/ukr.h"

void quernel_uk_sample_f32_1x1x1_ref(const quernel_i_sample *s) {
    for (uint32_t i = 0; i < s->count; i++) {
        float t = s->share[i] * s->x[s->at[i]];
        for (size_t j = i + s->step, left = s->taps - 1; left; left--, j += s->step)
            t = fmaf(s->share[j], s->x[s->at[j]], t);
        s->y[i] = t;
    }
}
