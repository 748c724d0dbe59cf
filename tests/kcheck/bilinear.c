// SPDX-License-Identifier: Apache-2.0
// Product kernels proved shape by shape. What a product kernel adds up is, as long as no narrow
// stage overflows, bilinear modulo 2^32 in rows and weights; so it is right for all of them where
// it is right for every pair of a basis, and where the extremes of every narrow stage pass.
//
// at once   all rows, weights and starts drawn, AT_ONCE times. A bilinear form that is not 0 is,
//           after its powers of 2, odd at one draw in four or more, whatever its factors are: so
//           many draws miss an output that is wrong with a probability of 1e-8, and a leak from
//           another row or oc like anything else.
// basis     one byte of the rows and one weight, all others 0: every pair, of the whole tile. The
//           values are odd, so that a factor can be told modulo 2^32, and the extreme codes. The
//           weights of all oc (and the bytes of all rows of a GEMM, of all channels of a depthwise
//           one) are set together, each drawn by itself.
// dense     every byte of the rows, alone, with weights drawn whole: kernels that choose their
//           steps by the weights are linear in the rows for each choice of them.
// pairs     every pair of weights beside each other, with the four corners of the codes: a stage
//           that adds terms of such pairs is extreme at one of them.
// patterns  a separable transform's values are extreme where codes (weights) follow its signs:
//           every sign of lines times every sign of pixels.
// bound     the largest sums that the kernel's bound lets through.
#include <stdio.h>
#include <string.h>

#include "../op/rng.h"
#include "cpu/cpu.h"
#include "kcheck.h"
#include "registry/registry.h"
#include "scene.h"
#include "shapes.h"

enum { EVERY_W = 256, CORNERS = 4, DRAWS = 2, AT_ONCE = 64 }; // (3/4)^64 = 1e-8

static bool is_signed(const scene *s) { return s->kernel->a_type == QUERNEL_TYPE_S8; }
static uint8_t low(const scene *s) { return is_signed(s) ? 0x80 : 0; }
static uint8_t high(const scene *s) { return is_signed(s) ? 0x7f : 0xff; }

// A code that is not 0: odd, or an extreme one.
static uint8_t draw_code(const scene *s, rng *r, bool extreme) {
    const uint8_t odd = (uint8_t)(rng_next(r) | 1);
    return extreme ? (rng_one_in(r, 2) && low(s) ? low(s) : high(s)) : odd;
}

static int8_t draw_weight(rng *r, bool extreme) {
    const int8_t odd = (int8_t)((rng_next(r) & 0xff) | 1);
    return extreme ? (rng_one_in(r, 2) ? -128 : 127) : odd;
}

static void prepare_all(scene *s) {
    for (uint32_t n = 0; n < s->shape.oc; n += 16) scene_prepare(s, n);
}

// Bytes of the rows that are set at once: `count` of them, `step` apart; the next such set begins
// `apart` behind.
typedef struct bases {
    size_t sets, apart, count, step;
} bases;

static bases bases_of(const scene *s) {
    if (s->kernel->call == QUERNEL_I_CALL_GEMM)
        return (bases){s->a_width, 1, s->shape.pixels, s->a_width};
    if (s->kernel->call == QUERNEL_I_CALL_DEPTHWISE)
        return (bases){s->a_bytes / s->shape.oc, s->shape.oc, s->shape.oc, 1};
    return (bases){s->a_bytes, 1, 1, 0};
}

// Every byte of the rows in turn, with the weights as they are: none but those of taps from … to.
static bool every_base(scene *s, rng *r, bool extreme, uint32_t from, uint32_t to) {
    const bases b = bases_of(s);
    bool right = scene_right(s, from, to);
    for (size_t i = 0; i < b.sets && right; i++) {
        uint8_t *a = s->a + i * b.apart;
        for (size_t j = 0; j < b.count; j++) a[j * b.step] = draw_code(s, r, extreme);
        right = scene_right(s, from, to);
        for (size_t j = 0; j < b.count; j++) a[j * b.step] = 0;
    }
    return right;
}

// The weights of one tap: draws them, or clears them.
static void put_tap(scene *s, rng *r, uint32_t tap, bool extreme) {
    for (uint32_t n = 0; n < s->shape.oc; n++)
        if (scene_has(s, n, tap)) scene_put(s, n, tap, r ? draw_weight(r, extreme) : 0);
    prepare_all(s);
}

static void draw_starts(scene *s, rng *r) {
    for (uint32_t n = 0; n < s->shape.oc; n++) s->init[n] = (int32_t)rng_next(r);
}

static bool basis(scene *s, rng *r) {
    bool right = true;
    for (int draw = 0; draw < DRAWS; draw++) {
        draw_starts(s, r);
        s->outside = draw_code(s, r, draw);
        right = right && every_base(s, r, draw, 0, 0);
        for (uint32_t tap = 0; tap < s->taps && right; tap++) {
            put_tap(s, r, tap, draw);
            right = every_base(s, r, draw, tap, tap + 1);
            put_tap(s, NULL, tap, false);
        }
    }
    return right;
}

static void put_drawn(scene *s, rng *r, bool extreme) {
    for (uint32_t n = 0; n < s->shape.oc; n++)
        for (uint32_t tap = 0; tap < s->taps; tap++)
            if (scene_has(s, n, tap)) scene_put(s, n, tap, draw_weight(r, extreme));
    prepare_all(s);
}

static bool dense(scene *s, rng *r) {
    bool right = true;
    for (int draw = 0; draw < DRAWS && right; draw++) {
        put_drawn(s, r, draw);
        right = every_base(s, r, true, 0, s->taps);
    }
    return right;
}

// Weights of 8, 6, 4 and 2 bits in turn: a kernel may take other steps for small ones.
static void put_at_once(scene *s, rng *r, int draw) {
    for (size_t i = 0; i < s->a_bytes; i++) s->a[i] = (uint8_t)rng_next(r);
    s->outside = (uint8_t)rng_next(r);
    draw_starts(s, r);
    for (uint32_t n = 0; n < s->shape.oc; n++)
        for (uint32_t tap = 0; tap < s->taps; tap++)
            if (scene_has(s, n, tap))
                scene_put(s, n, tap, (int8_t)((int8_t)rng_next(r) >> draw % 4 * 2));
    prepare_all(s);
}

static bool at_once(scene *s, rng *r) {
    bool right = true;
    for (int draw = 0; draw < AT_ONCE && right; draw++) {
        put_at_once(s, r, draw);
        right = scene_right(s, 0, s->taps);
    }
    return right;
}

// Neighbours in the order of the taps: of a depthwise kernel pixels, else bytes.
static void fill_corner(scene *s, uint32_t corner) {
    const size_t unit = s->kernel->call == QUERNEL_I_CALL_DEPTHWISE ? s->shape.oc : 1;
    for (size_t i = 0; i < s->a_bytes; i++)
        s->a[i] = corner >> (i / unit & 1) & 1 ? high(s) : low(s);
}

static bool four_corners(scene *s) {
    bool right = true;
    for (uint32_t corner = 0; corner < CORNERS && right; corner++) {
        fill_corner(s, corner);
        right = scene_right(s, 0, s->taps);
    }
    return right;
}

// Weights v in the even taps and w in the odd ones; each oc has a w of its own.
static void put_pairs(scene *s, int32_t v, uint32_t first_w) {
    for (uint32_t n = 0; n < s->shape.oc; n++)
        for (uint32_t tap = 0; tap < s->taps; tap++) {
            const int32_t w = (int32_t)((first_w + n) % EVERY_W) - 128;
            if (scene_has(s, n, tap)) scene_put(s, n, tap, (int8_t)(tap & 1 ? w : v));
        }
    prepare_all(s);
}

static bool pairs(scene *s) {
    bool right = true;
    for (int32_t v = -128; v < 128 && right; v++)
        for (uint32_t w = 0; w < EVERY_W && right; w += s->shape.oc) {
            put_pairs(s, v, w);
            right = four_corners(s);
        }
    return right;
}

// Transforms of pixels lie 8 strides apart: 6 of them (a tile of stride 1) hold a sign each.
static uint32_t sign_of_pixel(const scene *s, uint32_t byte) {
    const quernel_i_window *w = &s->shape.window;
    const uint32_t at = byte / w->channels / w->stride_w;
    return at / 8 >> at % 8 & 1;
}

static void fill_pattern(scene *s, uint32_t lines) {
    const quernel_i_window *w = &s->shape.window;
    for (size_t i = 0; i < s->a_bytes; i++) {
        const uint32_t line = (uint32_t)(i / s->a_width) / w->stride_h,
                       byte = (uint32_t)(i % s->a_width);
        // transforms of lines alone: each byte of a line has its own signs
        const uint32_t sign =
            s->kernel->fits.whole_lines ? byte >> line : lines >> line ^ sign_of_pixel(s, byte);
        s->a[i] = sign & 1 ? high(s) : low(s);
    }
}

static void put_pattern(scene *s) {
    const quernel_i_window *w = &s->shape.window;
    const uint32_t line = w->kernel_w * w->channels;
    for (uint32_t n = 0; n < s->shape.oc; n++)
        for (uint32_t tap = 0; tap < s->taps; tap++) {
            const uint32_t i = tap / line, j = tap % line / w->channels,
                           sign = s->kernel->fits.whole_lines ? n >> i : n >> i ^ n >> (3 + j);
            scene_put(s, n, tap, sign & 1 ? 127 : -128);
        }
    prepare_all(s);
}

// One tile of lines. Of 3x3: 64 patterns of pixels, 8 strides each. Of whole lines: as many bytes
// as 11 lines have patterns.
static bool signs_of_rows(const quernel_i_kernel *k, shape f, rng *r) {
    scene s;
    const bool lines_alone = k->fits.whole_lines;
    f.lines = 4, f.oc = 16;
    f.pixels = lines_alone ? 2048 / f.window.channels / f.window.stride_w : 512;
    scene_make(&s, k, &f);
    bool right = true;
    for (int draw = 0; draw < DRAWS && right; draw++) {
        put_drawn(&s, r, false);
        for (uint32_t lines = 0; lines < (lines_alone ? 1 : 64) && right; lines++) {
            fill_pattern(&s, lines);
            right = scene_right(&s, 0, s.taps);
        }
    }
    scene_free(&s);
    return right;
}

static bool signs_of_weights(const quernel_i_kernel *k, shape f, rng *r) {
    scene s;
    f.lines = f.pixels = 4;
    scene_make(&s, k, &f);
    put_pattern(&s);
    bool right = true;
    for (int draw = 0; draw < DRAWS && right; draw++) {
        for (size_t i = 0; i < s.a_bytes; i++) s.a[i] = draw_code(&s, r, draw);
        right = scene_right(&s, 0, s.taps);
    }
    scene_free(&s);
    return right;
}

static bool at_bound(const quernel_i_kernel *k, const shape *f) {
    scene s;
    scene_make(&s, k, f);
    for (uint32_t tap = 0; tap < s.taps; tap++)
        scene_put(&s, 0, tap, -128), scene_put(&s, 1, tap, 127);
    prepare_all(&s);
    const bool right = four_corners(&s);
    scene_free(&s);
    return right;
}

typedef struct proof {
    const quernel_i_kernel *kernel;
    rng r;
    const char *wrong; // what was found
    shape shape;       // where
} proof;

static bool check(proof *p, const shape *f, bool right, const char *what) {
    if (!right) p->wrong = what, p->shape = *f;
    return right;
}

static bool prove_shape(proof *p, const shape *f, bool by_basis) {
    scene s;
    scene_make(&s, p->kernel, f);
    const bool right = (!by_basis || check(p, f, basis(&s, &p->r), "a pair of a basis")) &&
                       check(p, f, dense(&s, &p->r), "a byte with all weights") &&
                       check(p, f, at_once(&s, &p->r), "all bytes with all weights");
    scene_free(&s);
    return right;
}

static bool prove_pairs(proof *p) {
    const shape f = shapes_long(p->kernel);
    scene s;
    scene_make(&s, p->kernel, &f);
    const bool right = check(p, &f, pairs(&s), "a pair of weights at the extreme codes");
    scene_free(&s);
    return right;
}

static bool prove_signs(proof *p, const shape *f) {
    return check(p, f, signs_of_rows(p->kernel, *f, &p->r), "the signs of a transform of rows") &&
           check(p, f, signs_of_weights(p->kernel, *f, &p->r), "those of one of weights");
}

static bool prove_transforms(proof *p) {
    const quernel_i_kernel *k = p->kernel;
    bool right = true;
    shape f;
    for (uint32_t parts = 1; parts <= (k->in_parts ? 2 : 1); parts++) {
        f = shapes_at_bound(k, parts);
        right = right && check(p, &f, at_bound(k, &f), "the largest sums");
    }
    f = shapes_long(k);
    if (!k->fits.whole_lines) return right && prove_signs(p, &f);
    for (f.window.kernel_h = 3; f.window.kernel_h <= 8; f.window.kernel_h++)
        for (f.window.stride_h = 1; f.window.stride_h <= 2; f.window.stride_h++)
            right = right && prove_signs(p, &f);
    return right;
}

const char *kcheck_prove(const quernel_i_kernel *k, bool longer, uint64_t seed, char *text,
                         size_t size) {
    static shapes all;
    proof p = {.kernel = k, .r = rng_make(seed, 0)};
    shapes_make(&all, k, longer);
    // kernels with a bound are those that transform
    bool right = prove_pairs(&p) && (!k->bound || prove_transforms(&p));
    for (uint32_t i = 0; i < all.count && right; i++) // the first one is the whole tile
        right = prove_shape(&p, &all.of[i], i == 0);
    if (right) return NULL;
    const shape *f = &p.shape;
    snprintf(text, size, "%s: %u x %u outputs of %u oc, window %u x %u of %u, stride %u, %u parts",
             p.wrong, f->lines, f->pixels, f->oc, f->window.kernel_h, f->window.kernel_w,
             f->window.channels, f->window.stride_h, f->ic_split);
    return text;
}
