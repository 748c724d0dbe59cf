// SPDX-License-Identifier: Apache-2.0
// Samples of floats, a vector of elements at a time. A template for any instruction set; who
// includes it has defined vfloat, v_set, v_mul, v_fma (functions.h says what they are), and
//     SAMPLE_LANES          of a vfloat
//     sample_gather(x, at)  the elements of x that these SAMPLE_LANES indices say
//     sample_load(from), sample_store(to, v)   at any address
// The last elements are made again with those before them; fewer than a vector are filled up with
// the last one again, so that no other element is read.
#include "kernels/ukr.h"

#ifndef SAMPLE_LANES
#error "SAMPLE_LANES: floats of a vector"
#endif

static inline void sample_vector(const quernel_i_sample *s, size_t i) {
    vfloat sum = v_mul(sample_load(s->share + i), sample_gather(s->x, s->at + i));
    for (size_t j = i + s->step, left = s->taps - 1; left; left--, j += s->step)
        sum = v_fma(sample_load(s->share + j), sample_gather(s->x, s->at + j), sum);
    sample_store(s->y + i, sum);
}

static inline void sample_few(const quernel_i_sample *s) {
    int32_t at[SAMPLE_LANES];
    float share[SAMPLE_LANES], y[SAMPLE_LANES];
    vfloat sum = v_set(0);
    for (size_t tap = 0; tap < s->taps; tap++) {
        for (size_t i = 0, j = tap * s->step; i < SAMPLE_LANES; i++, j += i < s->count)
            at[i] = s->at[j], share[i] = s->share[j];
        const vfloat w = sample_load(share), x = sample_gather(s->x, at);
        sum = tap ? v_fma(w, x, sum) : v_mul(w, x);
    }
    sample_store(y, sum);
    memcpy(s->y, y, s->count * sizeof *y);
}

static inline void sample(const quernel_i_sample *s) {
    const size_t count = s->count;
    size_t i = 0;
    if (count < SAMPLE_LANES) {
        if (count) sample_few(s);
        return;
    }
    for (; i + SAMPLE_LANES <= count; i += SAMPLE_LANES) sample_vector(s, i);
    if (i < count) sample_vector(s, count - SAMPLE_LANES);
}
