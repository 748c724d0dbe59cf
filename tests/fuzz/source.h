// SPDX-License-Identifier: Apache-2.0
// Descriptors out of a fuzzer's bytes. Bytes of 0, and those behind the last one, give plain
// values; a byte of 255 before a value replaces it by one that is out of reason.
#ifndef QUERNEL_TESTS_FUZZ_SOURCE_H
#define QUERNEL_TESTS_FUZZ_SOURCE_H

#include <stdbool.h>

#include "account.h"
#include "quernel/quernel.h"

enum { SOURCE_OWNED = 512, SOURCE_CHANNELS_MAX = 256 };

typedef struct source {
    const uint8_t *at, *end;
    account memory;
    quernel_allocator allocator; ///< keeps `memory`
    void *owned[SOURCE_OWNED];   ///< arrays that descriptors point to, each a block of its own
    uint32_t n_owned;
} source;

void source_open(source *s, const uint8_t *data, size_t bytes);
/// Frees the arrays. Aborts where the library kept memory.
void source_close(source *s);

/// Prints why, and aborts: how a fuzzer reports that a promise was broken.
void fuzz_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/// Aborts unless a refusal has its status, argument and text, and left `result` alone, which was
/// FUZZ_UNTOUCHED.
void fuzz_refused(int code, const quernel_error *error, const void *result);
/// How many refusals there were, and how many operators and networks ran.
extern uint32_t fuzz_refusals, fuzz_ran;
#define FUZZ_UNTOUCHED ((void *)(uintptr_t)0x5a5a)

uint32_t source_byte(source *s);
/// 0 … n − 1.
uint32_t source_below(source *s, uint32_t n);
static inline bool source_one_in(source *s, uint32_t n) { return source_below(s, n) == n - 1; }

/// `value`, or one out of reason.
uint32_t source_odd(source *s, uint32_t value);
/// 1 … max, or odd.
uint32_t source_size(source *s, uint32_t max);
/// One of `count` enumerators from 0 on, or odd.
int32_t source_choice(source *s, uint32_t count);
/// A scale of common size, or an odd number.
float source_scale(source *s);
/// A zero point of the type, or odd.
int32_t source_zero(source *s, int32_t type);

/// `bytes` of memory filled from a seed of the input; 0 bytes and too many give NULL.
void *source_array(source *s, uint64_t bytes);
/// `count` scales: NULL where there are too many.
const float *source_scales(source *s, uint32_t count);
/// `size` of a sized struct: mostly all of it, never more than is there.
uint32_t source_struct(source *s, uint32_t size);

/// Layout, strides and border of a tensor whose type is set and whose sizes are no larger than
/// those of `most`: n, c, h, w.
void source_tensor(source *s, quernel_tensor *t, const uint32_t most[4]);
/// Type, sizes up to `most` and all else.
void source_operand(source *s, quernel_operand *o, const uint32_t most[4]);
/// All of an epilogue of `channels` channels; types that go with one another, mostly.
void source_epilogue(source *s, quernel_epilogue *f, uint32_t channels, bool product);
void source_quant(source *s, quernel_quant *q, int32_t x_type);
/// Weights and what they were packed from; NULL where pack refused them.
quernel_weights *source_weights(source *s, int32_t kind, quernel_weights_desc *ret_desc);
/// A config string, or NULL.
const char *source_config(source *s);
/// −1, or any instruction set, or none.
int32_t source_isa(source *s);

#endif
