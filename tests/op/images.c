// SPDX-License-Identifier: Apache-2.0
// What random pools, resizes and shuffles share.
#include "images.h"

#include "golden.h"
#include "runner.h"

void images_draw_sizes(rng *r, uint32_t s[4]) {
    s[0] = rng_one_in(r, 3) ? (uint32_t)rng_int(r, 1, 3) : 1;
    s[1] = rng_one_in(r, 3) ? 16 * (uint32_t)rng_int(r, 1, 5) : (uint32_t)rng_int(r, 1, 70);
    s[2] = (uint32_t)rng_int(r, 1, 12), s[3] = (uint32_t)rng_int(r, 1, 14);
    if (rng_one_in(r, 12)) s[1] = (uint32_t)rng_int(r, 100, VALUES_CHANNELS_MAX), s[2] = 3;
    if (rng_one_in(r, 12)) s[1] = (uint32_t)rng_int(r, 1, 8), s[3] = (uint32_t)rng_int(r, 30, 90);
}

int32_t images_draw_isa(rng *r) {
    const uint32_t isa = (uint32_t)rng_int(r, 0, 15);
    return runner_isas() >> isa & 1 ? (int32_t)isa : -1;
}

bool images_take(rng *r, const quernel_tensor *x, const quernel_tensor *y, values_buffer *ret_x,
                 values_buffer *ret_y) {
    if (!values_take(ret_x, r, x, 0) || !values_take(ret_y, r, y, 1)) return false;
    values_fill(ret_x, r);
    values_keep(ret_x);
    return true;
}

uint8_t *images_expected(const values_buffer *y, uint32_t n, uint32_t c, uint32_t h, uint32_t w) {
    return y->expected + (y->first - y->window) + values_at(&y->t, n, c, h, w);
}

const char *images_run(rng *r, quernel_operator *op, uint32_t threads, values_buffer *x,
                       values_buffer *y, char *text, size_t capacity) {
    const char *wrong = values_run(r, op, threads, x->first, NULL, y->first);
    quernel_operator_destroy(op);
    if (!wrong) wrong = values_compare(y, text, capacity);
    if (!wrong) golden_tensor(&y->t, y->t.type, y->first);
    return wrong ? wrong : values_compare(x, text, capacity);
}
