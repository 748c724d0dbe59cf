// SPDX-License-Identifier: Apache-2.0
// Sums of packed weights, and checks of their padding, at the speed of memory: plain loops over the
// lines of a sub-panel, which compilers make vectors of.
#include <string.h>

#include "pack/weights.h"

// A line's weights as 16-bit lanes of two neighbours, which belong to one output channel.
enum { LANES = QUERNEL_I_LINE / 2, LANES_OF_OC = LANES / 16 };
// |w − z| is at most 255: two of them per lane and line stay below 2^15
enum { MAX_LINES = 32767 / (2 * 255) };

typedef struct sums {
    int32_t sum[16];
    uint64_t abs_sum[16];
} sums;

static int16_t magnitude(int16_t x) { return (int16_t)(x < 0 ? -x : x); }

static void add_lines(const int8_t *lines, size_t count, const int16_t *z, sums *ret) {
    int16_t sum[LANES] = {0}, abs_sum[LANES] = {0};
    for (size_t i = 0; i < count; i++) {
        uint16_t line[LANES];
        memcpy(line, lines + i * QUERNEL_I_LINE, sizeof line);
        for (size_t j = 0; j < LANES; j++) {
            const int16_t even = (int16_t)((int16_t)(line[j] << 8) >> 8),
                          odd = (int16_t)((int16_t)line[j] >> 8);
            sum[j] = (int16_t)(sum[j] + even + odd);
            abs_sum[j] = (int16_t)(abs_sum[j] + magnitude((int16_t)(even - z[j])) +
                                   magnitude((int16_t)(odd - z[j])));
        }
    }
    for (size_t j = 0; j < LANES; j++) {
        ret->sum[j / LANES_OF_OC] += sum[j];
        ret->abs_sum[j / LANES_OF_OC] += (uint64_t)abs_sum[j];
    }
}

// Weights of an output channel in a sub-panel of this phase, padding left out. Where there are zero
// points no groups share a sub-panel.
static uint64_t real_k(const quernel_i_weights_shape *s, const quernel_i_phase *p) {
    return p->empty ? 0 : (uint64_t)p->rows * p->row_taps * s->group_in;
}

void quernel_i_weights_sum_panel(quernel_weights *w, uint32_t subproblem, const quernel_i_phase *p,
                                 uint32_t oc) {
    const quernel_i_weights_shape *s = &w->shape;
    const int8_t *panel = quernel_i_weights_panel(w, subproblem, p, oc);
    const uint64_t padded = (uint64_t)p->k_quads * 4 - (w->has_zero ? real_k(s, p) : 0);
    int16_t z[LANES] = {0};
    for (uint32_t j = 0; w->has_zero && j < LANES; j++)
        if (oc + j / LANES_OF_OC < s->oc)
            z[j] = (int16_t)w->zero[quernel_i_weights_subproblem_channel(s, subproblem,
                                                                         oc + j / LANES_OF_OC)];
    sums all = {{0}, {0}};
    for (size_t q = 0; q < p->k_quads; q += MAX_LINES) {
        const size_t left = p->k_quads - q;
        add_lines(panel + q * QUERNEL_I_LINE, left < MAX_LINES ? left : MAX_LINES, z, &all);
    }
    const size_t first = (size_t)subproblem * s->oc16 + oc;
    for (uint32_t i = 0; i < 16; i++) {
        w->sum[first + i] = all.sum[i];
        w->abs_sum[first + i] = all.abs_sum[i] - padded * (uint64_t)magnitude(z[i * LANES_OF_OC]);
    }
}

static void sum_taps(quernel_weights *w) {
    const quernel_i_weights_shape *s = &w->shape;
    memset(w->sum, 0, s->oc16 * sizeof *w->sum);
    memset(w->abs_sum, 0, s->oc16 * sizeof *w->abs_sum);
    for (uint32_t t = 0; t < s->taps; t++)
        for (uint32_t n = 0; n < s->out; n++) {
            const int32_t q = (int32_t)w->packed[(size_t)t * s->oc16 + n];
            w->sum[n] += q;
            w->abs_sum[n] += (uint64_t)(q < 0 ? -q : q);
        }
}

void quernel_i_weights_sum(quernel_weights *w) {
    const quernel_i_weights_shape *s = &w->shape;
    if (s->format == QUERNEL_I_FORMAT_TAPS) {
        sum_taps(w);
        return;
    }
    for (uint32_t subproblem = 0; subproblem < s->subproblems; subproblem++) {
        const quernel_i_phase p = quernel_i_weights_phase(s, subproblem % s->phases);
        for (uint32_t oc = 0; oc < s->oc16; oc += 16)
            quernel_i_weights_sum_panel(w, subproblem, &p, oc);
    }
}

// ---- padding ----

// Lines `first`, first + step … of a panel have 0 where the mask is set.
static bool zero_under(const int8_t *panel, size_t first, size_t step, size_t lines,
                       const uint8_t *mask) {
    uint8_t found[QUERNEL_I_LINE] = {0}, any = 0;
    for (size_t q = first; q < lines; q += step)
        for (size_t i = 0; i < QUERNEL_I_LINE; i++)
            found[i] |= (uint8_t)panel[q * QUERNEL_I_LINE + i] & mask[i];
    for (size_t i = 0; i < QUERNEL_I_LINE; i++) any |= found[i];
    return !any;
}

// Behind the last output channel; behind the end of each k run; all of a phase without taps.
static bool good_panel(const quernel_weights *w, uint32_t subproblem, const quernel_i_phase *p,
                       uint32_t oc) {
    const int8_t *panel = quernel_i_weights_panel(w, subproblem, p, oc);
    const uint32_t last = w->shape.oc - oc, k = p->k_run_length % 4;
    uint8_t behind_oc[QUERNEL_I_LINE], behind_k[QUERNEL_I_LINE];
    for (uint32_t i = 0; i < QUERNEL_I_LINE; i++) {
        behind_oc[i] = i / 4 >= last || p->empty ? 0xff : 0;
        behind_k[i] = k && i % 4 >= k ? 0xff : 0;
    }
    if ((last < 16 || p->empty) && !zero_under(panel, 0, 1, p->k_quads, behind_oc)) return false;
    return !k || zero_under(panel, p->run_k_quads - 1, p->run_k_quads, p->k_quads, behind_k);
}

static bool good_panels(const quernel_weights *w) {
    const quernel_i_weights_shape *s = &w->shape;
    for (uint32_t subproblem = 0; subproblem < s->subproblems; subproblem++) {
        const quernel_i_phase p = quernel_i_weights_phase(s, subproblem % s->phases);
        for (uint32_t oc = 0; oc < s->oc16; oc += 16)
            if (!good_panel(w, subproblem, &p, oc)) return false;
    }
    return true;
}

// Where padding lies between weights: beside a block diagonal, at taps that an interleaved phase
// does not have, behind the channels of a tap.
static bool good_count(const quernel_weights *w) {
    const quernel_i_weights_shape *s = &w->shape;
    uint64_t all = 0, real = 0;
    for (size_t i = 0; i < s->packed_bytes; i++) all += w->packed[i] != 0;
    for (uint32_t n = 0; n < s->out; n++)
        for (uint32_t t = 0; t < s->taps; t++) {
            const quernel_i_weight_position at = quernel_i_weight_find(s, n, t);
            for (uint32_t c = 0; c < s->group_in; c++)
                real += w->packed[quernel_i_weight_byte(&at, c)] != 0;
        }
    return all == real;
}

bool quernel_i_weights_good_padding(const quernel_weights *w) {
    const quernel_i_weights_shape *s = &w->shape;
    const bool between = s->format == QUERNEL_I_FORMAT_TAPS || s->group_pack > 1 || s->interleaved;
    return between ? good_count(w) : good_panels(w);
}
