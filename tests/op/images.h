// SPDX-License-Identifier: Apache-2.0
// Random cases of pools, resizes, shuffles and normalizations.
#ifndef QUERNEL_TESTS_IMAGES_H
#define QUERNEL_TESTS_IMAGES_H

#include "values.h"

/// True where the library did what the law says and touched nothing else; otherwise `text` says
/// what was wrong.
bool pool2d_check(uint64_t seed, uint64_t number, char *text, size_t capacity);
bool resize2d_check(uint64_t seed, uint64_t number, char *text, size_t capacity);
bool shuffle2d_check(uint64_t seed, uint64_t number, char *text, size_t capacity);
bool matmul_check(uint64_t seed, uint64_t number, char *text, size_t capacity);
bool normalize_check(uint64_t seed, uint64_t number, char *text, size_t capacity);

/// s: n, c, h and w of an image; mostly small.
void images_draw_sizes(rng *r, uint32_t s[4]);
/// An instruction set that can run here, or −1.
int32_t images_draw_isa(rng *r);
/// Memory of x and y, filled. False where there is none.
bool images_take(rng *r, const quernel_tensor *x, const quernel_tensor *y, values_buffer *ret_x,
                 values_buffer *ret_y);
/// Where the expected element of y lies.
uint8_t *images_expected(const values_buffer *y, uint32_t n, uint32_t c, uint32_t h, uint32_t w);
/// Runs `op`, destroys it, compares y and x. NULL, or what was wrong.
const char *images_run(rng *r, quernel_operator *op, uint32_t threads, values_buffer *x,
                       values_buffer *y, char *text, size_t capacity);

/// Runs over the elements of a tensor.
#define IMAGES_EACH(t, n_, c_, h_, w_)               \
    for (uint32_t n_ = 0; n_ < (t)->n; n_++)         \
        for (uint32_t c_ = 0; c_ < (t)->c; c_++)     \
            for (uint32_t h_ = 0; h_ < (t)->h; h_++) \
                for (uint32_t w_ = 0; w_ < (t)->w; w_++)

#endif
