// SPDX-License-Identifier: Apache-2.0
// Cases of the row and range kernels.
#include <math.h>
#include <string.h>

#include "data.h"
#include "kcheck.h"

typedef struct source {
    const float *x;
    ptrdiff_t pixel, channel;
    uint32_t pixels, channels;
    float *mult;
} source;

static void make_source(source *s, rng *r, guard *g, uint64_t number, bool nchw) {
    s->pixels = 1 + (uint32_t)(number % 40),
    s->channels = 1 + (uint32_t)((number * 7 + rng_next(r) % 3) % 80);
    const ptrdiff_t gap = rng_one_in(r, 2) ? 0 : rng_int(r, 1, 20);
    s->pixel = nchw ? 1 : (ptrdiff_t)s->channels + gap,
    s->channel = nchw ? (ptrdiff_t)s->pixels + gap : 1;
    // Pixels that overlap: im2col rows read from a line.
    if (!nchw && rng_one_in(r, 4)) s->pixel = rng_int(r, 1, (int32_t)s->channels);
    const size_t count =
        (s->pixels - 1) * (size_t)s->pixel + (s->channels - 1) * (size_t)s->channel + 1;
    float *x = guard_take(g, count * sizeof *x, 4, 0);
    s->mult = guard_take(g, s->channels * sizeof *s->mult, 4, 0);
    const float factor = rng_one_in(r, 4) ? 1e9f : rng_one_in(r, 4) ? 1e-38f : 1.0f;
    for (uint32_t c = 0; c < s->channels; c++)
        s->mult[c] = factor * (rng_one_in(r, 3) ? 1.0f : rng_float(r, 0.1f, 10.0f));
    data_floats(r, x, count, rng_one_in(r, 2) ? 1.0f : 1.0f / factor);
    s->x = x;
}

// Values whose product with its factors falls next to a tie: there the order of the
// multiplications shows.
static void add_near_ties(const source *s, rng *r, float g) {
    for (uint32_t p = 0; p < s->pixels; p++)
        for (uint32_t c = 0; c < s->channels; c++)
            if (rng_one_in(r, 3))
                ((float *)s->x)[p * s->pixel + c * s->channel] =
                    ((float)rng_int(r, -140, 270) + 0.5f) / (s->mult[c] * g);
}

const char *kcheck_quantize(const quernel_i_kernel *k, const quernel_i_kernel *oracle, guard *g,
                            uint64_t seed, uint64_t number) {
    rng r = rng_make(seed, number);
    source s;
    make_source(&s, &r, g, number, k->op == QUERNEL_I_OP_QUANTIZE_NCHW);
    const ptrdiff_t y_pixel = (ptrdiff_t)s.channels + (rng_one_in(&r, 2) ? 0 : rng_int(&r, 1, 70));
    const size_t bytes = (s.pixels - 1) * (size_t)y_pixel + s.channels;
    const bool u8 = rng_one_in(&r, 2);
    const int32_t lo = u8                  ? 0
                       : rng_one_in(&r, 2) ? -128
                                           : -127,
                  hi = u8 ? 255 : 127, z = rng_int(&r, lo, hi);
    const int32_t a_offset = rng_one_in(&r, 2) ? 0 : u8 ? -128 : 128;
    const float g_run = rng_one_in(&r, 2) ? 1.0f : rng_float(&r, 0.01f, 30.0f);
    if (rng_one_in(&r, 2)) add_near_ties(&s, &r, g_run);
    quernel_i_quantize_args call = {s.x,
                                    s.pixel,
                                    s.channel,
                                    s.pixels,
                                    s.channels,
                                    NULL,
                                    y_pixel,
                                    s.mult,
                                    g_run,
                                    (float)(lo - z),
                                    (float)(hi - z),
                                    z + a_offset,
                                    rng_one_in(&r, 2)};
    return kcheck_agree(k, oracle, g, &call, &call.y, (kcheck_elements){bytes, 1, false, NULL});
}

const char *kcheck_range(const quernel_i_kernel *k, const quernel_i_kernel *oracle, guard *g,
                         uint64_t seed, uint64_t number) {
    rng r = rng_make(seed, number);
    source s;
    make_source(&s, &r, g, number, k->op == QUERNEL_I_OP_RANGE_NCHW);
    float *found = guard_take(g, 2 * sizeof *found, 4, 0), expected[2];
    found[0] = expected[0] = rng_one_in(&r, 2) ? 0.0f : -rng_float(&r, 0.0f, 500.0f);
    found[1] = expected[1] = rng_one_in(&r, 2) ? 0.0f : rng_float(&r, 0.0f, 500.0f);
    quernel_i_range call = {s.x,        s.pixel, s.channel, s.pixels,
                            s.channels, s.mult,  &found[0], &found[1]};
    guard_seal(g);
    guard_open(g, found);
    const char *conduct = kcheck_conduct(guard_call(k->run.any, &call, 0, 0, 0, NULL));
    if (conduct) return conduct;
    call.min = &expected[0], call.max = &expected[1];
    oracle->run.range(&call);
    // A zero's sign is not promised: scales are made of magnitudes.
    if (found[0] != expected[0] || found[1] != expected[1]) return "the range differs from ref's";
    return kcheck_unchanged(g);
}
