// SPDX-License-Identifier: Apache-2.0
// Memory of tensors: where their elements lie, and what must not change beside them.
#include "buffer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../op/memory.h"
#include "../op/rng.h"

static size_t type_size(const quernel_tensor *t) {
    return quernel_type_size((quernel_type)t->type);
}

// Elements from the first one, borders among them, to the one behind the last.
static int64_t before_of(const quernel_tensor *t) {
    return t->border_h * t->stride_h + t->border_w * t->stride_w;
}

static int64_t behind_of(const quernel_tensor *t) {
    return (t->n - 1) * t->stride_n + (t->c - 1) * t->stride_c +
           ((int64_t)t->h - 1 + t->border_h) * t->stride_h +
           ((int64_t)t->w - 1 + t->border_w) * t->stride_w + 1;
}

size_t buffer_bytes(const quernel_tensor *t) {
    const double pixels = (double)t->n * t->c * ((double)t->h + 2.0 * t->border_h) *
                          ((double)t->w + 2.0 * t->border_w);
    if (pixels > BUFFER_MOST) return (size_t)BUFFER_MOST + 1;
    return (size_t)(before_of(t) + behind_of(t)) * type_size(t);
}

void buffer_take(source *s, buffer *b, const quernel_tensor *t, int slot, uint8_t poison) {
    static guarded memory[BUFFER_SLOTS];
    *b = (buffer){.t = *t};
    const size_t size = type_size(t);
    const guarded_place place = (guarded_place)source_below(s, GUARDED_MIDDLE + 1);
    uint8_t *at = guarded_take(&memory[slot], buffer_bytes(t), size, place, poison, &b->window,
                               &b->window_bytes);
    if (!at) fuzz_fail("no memory for a tensor");
    b->first = at + (size_t)before_of(t) * size;
}

typedef struct position {
    int64_t n, c, h, w;
} position;

// Steps through elements and border; false at the end.
static bool advance(const quernel_tensor *t, position *p) {
    if (++p->c < t->c) return true;
    p->c = 0;
    if (++p->w < (int64_t)t->w + t->border_w) return true;
    p->w = -(int64_t)t->border_w;
    if (++p->h < (int64_t)t->h + t->border_h) return true;
    p->h = -(int64_t)t->border_h;
    return ++p->n < t->n;
}

static position start(const quernel_tensor *t) {
    return (position){0, 0, -(int64_t)t->border_h, -(int64_t)t->border_w};
}

static uint8_t *place_of(const buffer *b, const position *p) {
    const quernel_tensor *t = &b->t;
    const int64_t at =
        p->n * t->stride_n + p->c * t->stride_c + p->h * t->stride_h + p->w * t->stride_w;
    return b->first + at * (int64_t)type_size(t);
}

static bool is_inside(const quernel_tensor *t, const position *p) {
    return p->h >= 0 && p->h < t->h && p->w >= 0 && p->w < t->w;
}

static void draw_element(rng *r, const quernel_tensor *t, uint8_t *at) {
    static const float odd[] = {NAN, INFINITY, -INFINITY, 0.0f, -0.0f, 1e-40f, 3e38f, 0.5f};
    const float value = rng_one_in(r, 40) ? odd[rng_next(r) % 8] : rng_float(r, -4.0f, 4.0f);
    const uint32_t code = (uint32_t)rng_next(r);
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint16_t half = (uint16_t)(bits >> 16);
    if (t->type == QUERNEL_TYPE_F32) memcpy(at, &value, sizeof value);
    else if (t->type == QUERNEL_TYPE_BF16) memcpy(at, &half, sizeof half);
    else memcpy(at, &code, type_size(t));
}

void buffer_fill(buffer *b, uint64_t seed, uint8_t zero) {
    rng r = rng_make(5, seed);
    position p = start(&b->t);
    do {
        if (is_inside(&b->t, &p)) draw_element(&r, &b->t, place_of(b, &p));
        else *place_of(b, &p) = zero;
    } while (advance(&b->t, &p));
}

void buffer_keep(buffer *b) {
    free(b->before);
    b->before = malloc(b->window_bytes);
    if (!b->before) fuzz_fail("no memory for a copy");
    memcpy(b->before, b->window, b->window_bytes);
}

void buffer_check(const buffer *b, bool read, const char *name) {
    position p = start(&b->t);
    if (!read) // what may be written is taken for unwritten
        do {
            const uint8_t *at = place_of(b, &p);
            memcpy(b->before + (at - b->window), at, type_size(&b->t));
        } while (advance(&b->t, &p));
    if (!memcmp(b->before, b->window, b->window_bytes)) return;
    size_t i = 0;
    while (b->before[i] == b->window[i]) i++;
    fuzz_fail("%s: byte %td from element 0 was written", name, b->window + i - b->first);
}

// One NaN for all.
static void make_plain(const quernel_tensor *t, uint8_t *at) {
    static const uint8_t nan[2][4] = {{0, 0, 0xc0, 0x7f}, {0xc0, 0x7f}};
    uint32_t bits = 0;
    if (t->type > QUERNEL_TYPE_BF16) return;
    memcpy(&bits, at, type_size(t));
    if (t->type == QUERNEL_TYPE_BF16) bits <<= 16;
    if ((bits & 0x7fffffffu) > 0x7f800000u) memcpy(at, nan[t->type], type_size(t));
}

uint8_t *buffer_append(const buffer *b, uint8_t *all, size_t *bytes) {
    const size_t size = type_size(&b->t);
    all = realloc(all, *bytes + buffer_bytes(&b->t));
    if (!all) fuzz_fail("no memory for a copy");
    position p = start(&b->t);
    do {
        memcpy(all + *bytes, place_of(b, &p), size);
        make_plain(&b->t, all + *bytes);
        *bytes += size;
    } while (advance(&b->t, &p));
    return all;
}

void buffer_free(buffer *b) { free(b->before); }
