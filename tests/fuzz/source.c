// SPDX-License-Identifier: Apache-2.0
// Values and arrays out of a fuzzer's bytes.
#include "source.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../op/rng.h"

uint32_t fuzz_refusals, fuzz_ran;

enum { ODD = 255, MOST_BYTES = 1 << 18 };

void fuzz_fail(const char *format, ...) {
    va_list list;
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    abort();
}

void fuzz_refused(int code, const quernel_error *error, const void *result) {
    if (code >= 0 || error->code != code) fuzz_fail("status %d, error %d", code, error->code);
    if (!*error->argument || !*error->text) fuzz_fail("status %d without argument or text", code);
    for (const char *c = error->text; *c; c++)
        if (*c < 32 || *c > 126) fuzz_fail("text is not one line of ASCII: %s", error->text);
    if (result != FUZZ_UNTOUCHED) fuzz_fail("a refusal wrote its result: %s", error->text);
    fuzz_refusals++;
}

void source_open(source *s, const uint8_t *data, size_t bytes) {
    *s = (source){.at = data, .end = data + bytes};
    s->allocator = account_allocator(&s->memory);
}

void source_close(source *s) {
    while (s->n_owned) free(s->owned[--s->n_owned]);
    if (s->memory.live) fuzz_fail("%zu bytes were not given back", s->memory.live);
}

uint32_t source_byte(source *s) { return s->at < s->end ? *s->at++ : 0; }

uint32_t source_below(source *s, uint32_t n) { return source_byte(s) % n; }

uint32_t source_odd(source *s, uint32_t value) {
    static const uint32_t odd[] = {0,        1,        2,         3,          7,       255,
                                   256,      4096,     4097,      65535,      65536,   1u << 20,
                                   1u << 26, 1u << 30, INT32_MAX, UINT32_MAX, 1u << 31};
    if (source_byte(s) != ODD) return value;
    return odd[source_below(s, sizeof odd / sizeof *odd)];
}

uint32_t source_size(source *s, uint32_t max) { return source_odd(s, 1 + source_below(s, max)); }

int32_t source_choice(source *s, uint32_t count) {
    return (int32_t)source_odd(s, source_below(s, count));
}

float source_scale(source *s) {
    static const float odd[] = {0.0f,     -1.0f,   NAN,       INFINITY, -INFINITY, 1e-45f,
                                0x1p-96f, 0x1p96f, 0x1p-126f, 3e38f,    -0.0f,     1e-3f};
    const uint32_t value = source_byte(s);
    if (value == ODD) return odd[source_below(s, sizeof odd / sizeof *odd)];
    return (float)(1 + value % 64) / 64.0f;
}

int32_t source_zero(source *s, int32_t type) {
    const uint32_t code = source_byte(s);
    return (int32_t)source_odd(s, type == QUERNEL_TYPE_U8   ? code
                                  : type == QUERNEL_TYPE_S8 ? (uint32_t)(int32_t)(int8_t)code
                                                            : 0);
}

static void *own(source *s, size_t bytes) {
    void *memory = malloc(bytes);
    if (!memory || s->n_owned == SOURCE_OWNED) fuzz_fail("too many arrays, or no memory");
    return s->owned[s->n_owned++] = memory;
}

void *source_array(source *s, uint64_t bytes) {
    if (!bytes || bytes > MOST_BYTES) return NULL;
    uint8_t *data = own(s, bytes);
    rng r = rng_make(3, source_byte(s));
    for (uint64_t i = 0; i < bytes; i++) data[i] = (uint8_t)rng_next(&r);
    return data;
}

const float *source_scales(source *s, uint32_t count) {
    if (!count || count > SOURCE_CHANNELS_MAX) return NULL;
    float *scales = own(s, count * sizeof *scales);
    rng r = rng_make(4, source_byte(s));
    for (uint32_t i = 0; i < count; i++) scales[i] = rng_float(&r, 0.01f, 1.0f);
    if (source_one_in(s, 16)) scales[source_below(s, count)] = source_scale(s);
    return scales;
}

uint32_t source_struct(source *s, uint32_t size) {
    return source_byte(s) == ODD ? source_byte(s) * 4 % (size + 4) : size;
}

int32_t source_isa(source *s) {
    return source_one_in(s, 4) ? source_choice(s, QUERNEL_ISA_I8MM + 1) : -1;
}

const char *source_config(source *s) {
    static const char *const words[] = {"path=inplace",
                                        "path=staged",
                                        "path=im2col",
                                        "strip_h=",
                                        "strip_w=",
                                        "chunk=",
                                        "dedup=",
                                        "n_block=",
                                        "n_split=",
                                        "threads=",
                                        "collapse=on",
                                        "collapse=off",
                                        "streamed=rows",
                                        "streamed=weights",
                                        "l1_resident=",
                                        "prefetch=",
                                        "quantize=ref",
                                        "range=ref",
                                        "epilogue=ref",
                                        "stores=past",
                                        "kernel=",
                                        "quantize=avx2",
                                        "quantize=neon",
                                        "streamed=none",
                                        "stores=cached",
                                        " ",
                                        "=",
                                        "chunk"};
    if (!source_one_in(s, 3)) return NULL;
    char text[256];
    size_t used = 0;
    for (uint32_t left = 1 + source_below(s, 4); left; left--) {
        const char *word = words[source_below(s, sizeof words / sizeof *words)];
        used += (size_t)snprintf(text + used, sizeof text - used, "%s", word);
        if (word[strlen(word) - 1] == '=')
            used += (size_t)snprintf(text + used, sizeof text - used, "%u", source_size(s, 64));
        used += (size_t)snprintf(text + used, sizeof text - used, left > 1 ? " " : "");
    }
    char *exact = own(s, used + 1);
    memcpy(exact, text, used + 1);
    return exact;
}
