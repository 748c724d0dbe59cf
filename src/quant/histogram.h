// SPDX-License-Identifier: Apache-2.0
// A histogram whose bins are parts of binary32: sign, exponent and the 8 upper bits of the
// fraction. It keeps the 20 powers of two below the largest magnitude seen, and one count for all
// that is smaller. The bins never move, so its state depends on what was seen alone, neither on the
// order nor on how the data were split.
#ifndef QUERNEL_QUANT_HISTOGRAM_H
#define QUERNEL_QUANT_HISTOGRAM_H

#include <assert.h>
#include <stdint.h>

#include "base/num.h"

enum {
    QUERNEL_I_OCTAVE_BITS = 8,
    QUERNEL_I_OCTAVE = 1 << QUERNEL_I_OCTAVE_BITS,
    QUERNEL_I_OCTAVES = 20, // a value below 2^-20 of the largest is 0 in any 8-bit code
    QUERNEL_I_BINS = QUERNEL_I_OCTAVES * QUERNEL_I_OCTAVE,
    QUERNEL_I_KEY_SHIFT = 23 - QUERNEL_I_OCTAVE_BITS
};

_Static_assert(QUERNEL_I_KEY_SHIFT > 0 && QUERNEL_I_BINS % QUERNEL_I_OCTAVE == 0,
               "a key is the upper part of a float, and windows are whole octaves");

/// Bin `key` of a sign is at key % QUERNEL_I_BINS: raising the window only clears what falls
/// out of it.
typedef struct quernel_i_histogram {
    uint64_t count[2][QUERNEL_I_BINS]; // of positive and of negative values
    uint64_t tiny[2];                  // below the window
    // one behind the last key of the window, a multiple of QUERNEL_I_OCTAVE
    uint32_t end;
} quernel_i_histogram;

/// A bin that is not empty: what is in it, taken at its middle.
typedef struct quernel_i_bin {
    double at, width, count;
} quernel_i_bin;

/// Lets the window end at `end`, if it ended before it.
void quernel_i_histogram_raise(quernel_i_histogram *h, uint32_t end);

/// Adds the counts of `from`; the result is as if both had seen all values.
void quernel_i_histogram_merge(quernel_i_histogram *into, const quernel_i_histogram *from);

/// Writes all bins that are not empty, least value first, at most 2·QUERNEL_I_BINS + 2. Returns
/// their number.
uint32_t quernel_i_histogram_list(const quernel_i_histogram *h, quernel_i_bin *ret_bins);

/// Adds a value by its bits; not zero, NaN or infinity.
static inline void quernel_i_histogram_add(quernel_i_histogram *h, uint32_t bits) {
    assert((bits & 0x7fffffffu) && (bits & 0x7fffffffu) < 0x7f800000u);
    const uint32_t key = (bits & 0x7fffffffu) >> QUERNEL_I_KEY_SHIFT, sign = bits >> 31;
    if (key >= h->end)
        quernel_i_histogram_raise(h, (key / QUERNEL_I_OCTAVE + 1) * QUERNEL_I_OCTAVE);
    if (key + QUERNEL_I_BINS < h->end) h->tiny[sign]++;
    else h->count[sign][key % QUERNEL_I_BINS]++;
}

#endif
