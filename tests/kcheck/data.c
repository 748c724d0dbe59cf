// SPDX-License-Identifier: Apache-2.0
// Adversarial data.
#include "data.h"

#include <math.h>
#include <string.h>

static void fill_mixed(rng *r, uint8_t *to, size_t count, bool is_signed) {
    enum { LONGEST = 200 };
    for (size_t at = 0, some; at < count; at += some) {
        some = (size_t)rng_int(r, 1, LONGEST);
        if (some > count - at) some = count - at;
        data_bytes(r, (data_kind)(rng_next(r) % DATA_MIXED), to + at, some, is_signed);
    }
}

void data_bytes(rng *r, data_kind kind, uint8_t *to, size_t count, bool is_signed) {
    if (kind == DATA_MIXED) {
        fill_mixed(r, to, count, is_signed);
        return;
    }
    const uint8_t min = is_signed ? 0x80 : 0, max = is_signed ? 0x7f : 0xff,
                  one = (uint8_t)rng_next(r);
    for (size_t i = 0; i < count; i++) switch (kind) {
        case DATA_MIN: to[i] = min; break;
        case DATA_MAX: to[i] = max; break;
        case DATA_ALTERNATING: to[i] = i & 1 ? min : max; break;
        case DATA_ONE_HOT: to[i] = 0; break;
        case DATA_EQUAL: to[i] = one; break;
        case DATA_SMALL: to[i] = (uint8_t)rng_int(r, is_signed ? -2 : 0, 2); break;
        default: to[i] = (uint8_t)rng_next(r); break;
        }
    if (kind == DATA_ONE_HOT && count) to[rng_next(r) % count] = max;
}

void data_floats(rng *r, float *to, size_t count, float step) {
    static const float odd[] = {NAN,  INFINITY, -INFINITY,       0.0f,     -0.0f, 1e-40f, -1e-40f,
                                1e9f, -1e9f,    0x1.fffffep127f, 0x1p-126f};
    for (size_t i = 0; i < count; i++) {
        if (rng_one_in(r, 12)) to[i] = odd[rng_next(r) % (sizeof odd / sizeof *odd)];
        else if (rng_one_in(r, 4)) to[i] = ((float)rng_int(r, -300, 300) + 0.5f) * step;
        else to[i] = rng_float(r, -150.0f, 300.0f) * step;
    }
}

float data_factor(rng *r) {
    switch (rng_next(r) % 6) {
    case 0: return 1e9f;
    case 1: return 1e-40f;
    case 2: return 0.5f;
    case 3: return 0x1p-10f;
    default: return rng_float(r, 1e-5f, 1e-2f);
    }
}
