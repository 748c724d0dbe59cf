// SPDX-License-Identifier: Apache-2.0
// A deterministic mutation fuzzer of the blob loader: 30 000 mutations of six kinds of blobs, most
// with a right checksum, so that they reach the loader behind it. QUERNEL_TEST_SEED changes the
// mutations, QUERNEL_TEST_CASES their number. Build: gcc -std=gnu11 -O2 -I../../include suite.c
// target.c account.c ../unit/check.c ../unit/main_plain.c -lquernel -lm -lpthread
#include <stdlib.h>
#include <string.h>

#include "../op/rng.h"
#include "../unit/check.h"
#include "quernel/quernel.h"
#include "target.h"

enum { DEFAULT_MUTATIONS = 30000, DEFAULT_FLIPS = 20000, SEEDS = 6, MAX_BYTES = 1 << 14 };

typedef struct blob {
    size_t bytes;
    uint8_t data[MAX_BYTES];
} blob;

static float values[4096];

/// Blobs of every kind: float, int8 with zero points, groups, both smoothings, depthwise,
/// deconvolution.
static bool make_seed(int which, blob *b) {
    static const int32_t zero[12] = {1, -2, 3};
    quernel_weights_desc d = QUERNEL_WEIGHTS_DESC_INIT;
    for (int i = 0; i < 4096; i++) values[i] = (float)(i * 37 % 101 + 1) / 64.0f;
    d.kind = which < 2   ? QUERNEL_WEIGHTS_LINEAR
             : which < 5 ? QUERNEL_WEIGHTS_CONV2D
                         : QUERNEL_WEIGHTS_DECONV2D;
    d.type = which == 1 ? QUERNEL_TYPE_S8 : QUERNEL_TYPE_F32;
    d.out = which == 4 ? 6 : 12, d.in = 6;
    d.groups = which == 2 ? 2 : which == 4 ? 6 : 1;
    if (which >= 2) d.kernel_h = 2, d.kernel_w = 3;
    d.data = values;
    if (which == 1) d.zero = zero;
    if (which == 2) d.smooth_kind = QUERNEL_SMOOTH_CHANNEL, d.smooth = values;
    if (which == 3) d.smooth_kind = QUERNEL_SMOOTH_COLUMN, d.smooth = values;
    quernel_weights *weights = NULL;
    quernel_error error = {0};
    if (!CHECK(quernel_weights_pack(&d, &weights, &error) == QUERNEL_OK, "seed %d: %s", which,
               error.text))
        return false;
    b->bytes = quernel_weights_blob_bytes(weights);
    const bool fits = CHECK(b->bytes <= MAX_BYTES / 2, "seed %d has %zu bytes", which, b->bytes) &&
                      CHECK(quernel_weights_save(weights, b->data, b->bytes, &error) == QUERNEL_OK,
                            "%s", error.text);
    quernel_weights_release(weights);
    return fits;
}

static void put_word(rng *r, blob *b) {
    static const uint32_t words[] = {0,          1,         2,          3,          15,
                                     16,         255,       65535,      1u << 26,   1u << 30,
                                     INT32_MAX,  1u << 31,  UINT32_MAX, 0x7fc00000, 0x7f800000,
                                     0x80000000, 0x00000001};
    // Mostly in the header, where each word is a size or a kind.
    const size_t max = rng_one_in(r, 3) || b->bytes < 64 ? b->bytes / 4 : 16;
    if (max == 0) return;
    const size_t at = 4 * (size_t)rng_int(r, 0, (int32_t)max - 1);
    uint32_t word;
    memcpy(&word, b->data + at, sizeof word);
    const int mode = rng_int(r, 0, 3);
    word = mode == 0   ? word + 1
           : mode == 1 ? word - 1
           : mode == 2 ? word * 2
                       : words[rng_int(r, 0, 16)];
    memcpy(b->data + at, &word, sizeof word);
}

static void splice(rng *r, blob *b, const blob *other) {
    const size_t from = (size_t)rng_int(r, 0, (int32_t)other->bytes - 1), max = other->bytes - from;
    if (b->bytes == 0) return;
    const size_t to =
        rng_one_in(r, 2) && from < b->bytes ? from : (size_t)rng_int(r, 0, (int32_t)b->bytes - 1);
    size_t count = (size_t)rng_int(r, 1, (int32_t)max);
    if (rng_one_in(r, 2) && count > 8) count = 8;
    if (to + count > MAX_BYTES) count = MAX_BYTES - to;
    memcpy(b->data + to, other->data + from, count);
    if (to + count > b->bytes) b->bytes = to + count;
}

static void mutate(rng *r, blob *b, const blob *seeds) {
    const size_t at = b->bytes ? (size_t)rng_int(r, 0, (int32_t)b->bytes - 1) : 0;
    switch (rng_int(r, 0, 6)) {
    case 0: b->data[at] ^= (uint8_t)(1u << rng_int(r, 0, 7)); break;
    case 1: b->data[at] = (uint8_t)rng_next(r); break;
    case 2: b->bytes = at; break;
    case 3: b->bytes += (size_t)rng_int(r, 1, 64) * (b->bytes + 64 < MAX_BYTES); break;
    case 4: splice(r, b, &seeds[rng_int(r, 0, SEEDS - 1)]); break;
    default: put_word(r, b);
    }
}

static uint64_t from_environment(const char *name, uint64_t otherwise) {
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static blob seeds[SEEDS];

static bool make_seeds(void) {
    for (int i = 0; i < SEEDS; i++) {
        if (!make_seed(i, &seeds[i])) return false;
    }
    return true;
}

/// The seeds themselves run, and their checksum is where the fuzzer expects it.
static void test_seeds(void) {
    if (!make_seeds()) return;
    for (int i = 0; i < SEEDS; i++) {
        const blob *b = &seeds[i];
        const char *why = "";
        CHECK(fuzz_blob(b->data, b->bytes, &why) == FUZZ_RAN, "seed %d: %s", i, why);
        const uint32_t crc = fuzz_crc32c(b->data, b->bytes - 4);
        const uint8_t *last = b->data + b->bytes - 4;
        CHECK((last[0] | (uint32_t)last[1] << 8 | (uint32_t)last[2] << 16 |
               (uint32_t)last[3] << 24) == crc,
              "seed %d: its last word is not the CRC-32C of what is before it", i);
    }
}

/// Without a right checksum nothing but the blob itself is taken.
static void test_every_bit(void) {
    if (!make_seeds()) return;
    for (int i = 0; i < SEEDS; i++) {
        blob *b = &seeds[i];
        for (size_t bit = 0; bit < 8 * b->bytes; bit++) {
            const char *why = "";
            b->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            const fuzz_outcome outcome = fuzz_blob(b->data, b->bytes, &why);
            b->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (!CHECK(outcome == FUZZ_REFUSED, "seed %d with bit %zu flipped: outcome %d %s", i,
                       bit, (int)outcome, why)) {
                break;
            }
        }
    }
}

/// One to three bits, which a CRC-32C always sees, of blobs of every kind.
static void test_flips(void) {
    if (!make_seeds()) return;
    const uint64_t count = 4 * from_environment("QUERNEL_TEST_CASES", DEFAULT_FLIPS / 4);
    for (uint64_t i = 0; i < count; i++) {
        rng r = rng_make(2, i);
        const blob *from = &seeds[i % SEEDS];
        static blob b;
        memcpy(&b, from, sizeof b);
        for (int n = rng_int(&r, 1, 3); n > 0; n--) {
            const size_t bit = rng_next(&r) % (8 * b.bytes);
            b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        const char *why = "";
        const bool same = !memcmp(b.data, from->data, b.bytes); // a bit was flipped twice
        const fuzz_outcome outcome = fuzz_blob(b.data, b.bytes, &why);
        if (!CHECK(outcome == (same ? FUZZ_RAN : FUZZ_REFUSED), "flip %llu: outcome %d %s",
                   (unsigned long long)i, (int)outcome, why))
            break;
    }
}

static void test_mutations(void) {
    if (!make_seeds()) return;
    const uint64_t seed = from_environment("QUERNEL_TEST_SEED", 1);
    const uint64_t count = from_environment("QUERNEL_TEST_CASES", DEFAULT_MUTATIONS);
    size_t outcomes[FUZZ_WRONG + 1] = {0};
    static blob b;
    for (uint64_t i = 0; i < count; i++) {
        rng r = rng_make(seed, i);
        const blob *from = &seeds[rng_int(&r, 0, SEEDS - 1)];
        memset(b.data, 0, sizeof b.data);
        memcpy(b.data, from->data, b.bytes = from->bytes);
        for (int n = rng_int(&r, 1, rng_one_in(&r, 4) ? 8 : 2); n > 0; n--) mutate(&r, &b, seeds);
        if (!rng_one_in(&r, 8)) fuzz_seal(b.data, b.bytes);
        // At the end of a block of its own, so that a sanitizer sees each byte that is read behind
        // it.
        uint8_t *exact = malloc(b.bytes ? b.bytes : 1);
        memcpy(exact, b.data, b.bytes);
        const char *why = "";
        const fuzz_outcome outcome = fuzz_blob(exact, b.bytes, &why);
        free(exact);
        outcomes[outcome]++;
        CHECK(outcome != FUZZ_WRONG, "mutation %llu of seed %llu: %s", (unsigned long long)i,
              (unsigned long long)seed, why);
    }
    CHECK(count < 1000 || (outcomes[FUZZ_RAN] > count / 20 && outcomes[FUZZ_REFUSED] > count / 20),
          "the mutations are one-sided: %zu refused, %zu ran, %zu loaded", outcomes[FUZZ_REFUSED],
          outcomes[FUZZ_RAN], outcomes[FUZZ_LOADED]);
}

const char test_suite[] = "fuzz";
const test_entry test_entries[] = {{"seeds", test_seeds},
                                   {"every_bit", test_every_bit},
                                   {"flips", test_flips},
                                   {"mutations", test_mutations},
                                   {NULL, NULL}};
