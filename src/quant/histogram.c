// SPDX-License-Identifier: Apache-2.0
// The histogram's window, merging, and its bins as a list.
#include "quant/histogram.h"

static uint32_t first_key(uint32_t end) { return end > QUERNEL_I_BINS ? end - QUERNEL_I_BINS : 0; }

void quernel_i_histogram_raise(quernel_i_histogram *h, uint32_t end) {
    assert(end % QUERNEL_I_OCTAVE == 0);
    if (end <= h->end) return;
    const uint32_t last = first_key(end) < h->end ? first_key(end) : h->end;
    for (uint32_t sign = 0; sign < 2; sign++)
        for (uint32_t key = first_key(h->end); key < last; key++) {
            h->tiny[sign] += h->count[sign][key % QUERNEL_I_BINS];
            h->count[sign][key % QUERNEL_I_BINS] = 0;
        }
    h->end = end;
}

void quernel_i_histogram_merge(quernel_i_histogram *into, const quernel_i_histogram *from) {
    quernel_i_histogram_raise(into, from->end);
    const uint32_t min = first_key(into->end);
    for (uint32_t sign = 0; sign < 2; sign++) {
        into->tiny[sign] += from->tiny[sign];
        for (uint32_t key = first_key(from->end); key < from->end; key++) {
            const uint64_t count = from->count[sign][key % QUERNEL_I_BINS];
            if (key < min) into->tiny[sign] += count;
            else into->count[sign][key % QUERNEL_I_BINS] += count;
        }
    }
}

// The least magnitude of a key's bin.
static double edge(uint32_t key) {
    // The key behind the last finite one would read as infinity.
    if (key >= 255u << QUERNEL_I_OCTAVE_BITS) return 0x1p128;
    return (double)quernel_i_float(key << QUERNEL_I_KEY_SHIFT);
}

static quernel_i_bin bin_of(double lo, double hi, double sign, uint64_t count) {
    return (quernel_i_bin){sign * 0.5 * (lo + hi), hi - lo, (double)count};
}

uint32_t quernel_i_histogram_list(const quernel_i_histogram *h, quernel_i_bin *ret_bins) {
    const uint32_t min = first_key(h->end);
    uint32_t used = 0;
    for (uint32_t key = h->end; key-- > min;) {
        const uint64_t count = h->count[1][key % QUERNEL_I_BINS];
        if (count) ret_bins[used++] = bin_of(edge(key), edge(key + 1), -1.0, count);
    }
    if (h->tiny[1]) ret_bins[used++] = bin_of(0.0, edge(min), -1.0, h->tiny[1]);
    if (h->tiny[0]) ret_bins[used++] = bin_of(0.0, edge(min), 1.0, h->tiny[0]);
    for (uint32_t key = min; key < h->end; key++) {
        const uint64_t count = h->count[0][key % QUERNEL_I_BINS];
        if (count) ret_bins[used++] = bin_of(edge(key), edge(key + 1), 1.0, count);
    }
    return used;
}
