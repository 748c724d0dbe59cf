// SPDX-License-Identifier: Apache-2.0
// What an observer is inside.
#ifndef QUERNEL_QUANT_OBSERVER_H
#define QUERNEL_QUANT_OBSERVER_H

#include "base/alloc.h"
#include "quant/exact_sum.h"
#include "quant/histogram.h"
#include "quernel/observe.h"

typedef struct quernel_i_group {
    uint64_t count, zeros, nans, infs;
    uint64_t samples, loud; // images with a value, with one that is not zero
    uint64_t sample_count;  // finite values of the image under way
    int64_t first_nonfinite;
    float min, max;
    float sample_min, sample_max;         // of the image under way, 0 included
    quernel_i_exact_sum sum_min, sum_max; // of −min(0, least) and max(0, greatest) over the images
} quernel_i_group;

struct quernel_observer {
    quernel_allocator allocator;
    size_t bytes;
    quernel_observer_desc desc;
    uint32_t groups;
    quernel_i_group *group;
    quernel_i_histogram *histogram; // [groups] or NULL
};

#endif
