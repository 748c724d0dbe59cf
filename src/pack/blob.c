// SPDX-License-Identifier: Apache-2.0
// Weights as a blob: little-endian header, smoothing factors, scales, zero points, from the next
// multiple of 64 bytes on the packed bytes, so that they can be used where they are; CRC-32C at the
// end. Sums are not stored: they are computed from the packed bytes, and cannot contradict them.
#include <math.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/error.h"
#include "pack/weights.h"

static const uint8_t magic[8] = {'Q', 'R', 'N', 'L', 'W', 'T', 'S', 0};
enum { BLOB_VERSION = 3, HEADER_WORDS = 15, HEADER_BYTES = 8 + 4 * HEADER_WORDS, CRC_BYTES = 4 };

// The words of the header, in order.
enum {
    VERSION,
    KIND,
    FORMAT,
    OUT,
    IN,
    KERNEL_H,
    KERNEL_W,
    GROUPS,
    SMOOTH_KIND,
    SMOOTH_COUNT,
    HAS_ZERO,
    PACKED_LO,
    PACKED_HI,
    UP_H,
    UP_W
};
_Static_assert(UP_W + 1 == HEADER_WORDS, "each word of the header has a name");
_Static_assert(sizeof(float) == 4 && sizeof(int32_t) == 4, "tables are stored as 32-bit words");

static void put32(uint8_t *to, uint32_t value) {
    for (int i = 0; i < 4; i++) to[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t get32(const uint8_t *from) {
    return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static uint8_t *put_words(uint8_t *to, const void *words, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint32_t word;
        memcpy(&word, (const uint8_t *)words + 4 * i, sizeof word);
        put32(to + 4 * i, word);
    }
    return to + 4 * count;
}

static const uint8_t *get_words(const uint8_t *from, void *words, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const uint32_t word = get32(from + 4 * i);
        memcpy((uint8_t *)words + 4 * i, &word, sizeof word);
    }
    return from + 4 * count;
}

static size_t tables_end(size_t smooth_count, size_t out) {
    return HEADER_BYTES + 4 * smooth_count + 8 * out;
}

static size_t packed_at(size_t smooth_count, size_t out) {
    return quernel_i_round_up(tables_end(smooth_count, out), QUERNEL_I_LINE);
}

size_t quernel_weights_blob_bytes(const quernel_weights *w) {
    if (!w) return 0;
    return packed_at(w->smooth_count, w->shape.out) + w->shape.packed_bytes + CRC_BYTES;
}

int quernel_weights_save(const quernel_weights *w, void *ret_blob, size_t bytes,
                         quernel_error *error) {
    if (!w) return quernel_i_error_null(error, "save", "weights");
    if (!ret_blob) return quernel_i_error_null(error, "save", "ret_blob");
    const size_t need = quernel_weights_blob_bytes(w);
    if (bytes < need)
        return quernel_i_error_set(error, QUERNEL_E_SHAPE, "bytes", -1,
                                   "save: bytes: %zu: must be %zu or more", bytes, need);
    const quernel_i_weights_shape *s = &w->shape;
    uint32_t header[HEADER_WORDS] = {0};
    header[VERSION] = BLOB_VERSION, header[KIND] = s->kind, header[FORMAT] = s->format;
    header[OUT] = s->out, header[IN] = s->in, header[GROUPS] = s->groups;
    header[KERNEL_H] = s->kernel_h, header[KERNEL_W] = s->kernel_w;
    header[SMOOTH_KIND] = (uint32_t)w->smooth_kind,
    header[SMOOTH_COUNT] = (uint32_t)w->smooth_count;
    header[HAS_ZERO] = w->has_zero;
    header[UP_H] = s->up_h, header[UP_W] = s->up_w;
    header[PACKED_LO] = (uint32_t)s->packed_bytes,
    header[PACKED_HI] = (uint32_t)((uint64_t)s->packed_bytes >> 32);
    uint8_t *to = ret_blob;
    memcpy(to, magic, sizeof magic);
    to = put_words(to + sizeof magic, header, HEADER_WORDS);
    if (w->smooth_count) to = put_words(to, w->smooth, w->smooth_count);
    to = put_words(to, w->scale, s->out);
    to = put_words(to, w->zero, s->out);
    uint8_t *packed = (uint8_t *)ret_blob + packed_at(w->smooth_count, s->out);
    memset(to, 0, (size_t)(packed - to));
    memcpy(packed, w->packed, s->packed_bytes);
    put32(packed + s->packed_bytes, quernel_i_crc32c(0, ret_blob, need - CRC_BYTES));
    return QUERNEL_OK;
}

static int refuse(quernel_error *error, const char *why) {
    return quernel_i_error_set(error, QUERNEL_E_BLOB, "blob", -1, "load: blob: %s", why);
}

// The sizes of a header, checked against one another as quernel_weights_pack would.
static bool shape_of(const uint32_t *h, quernel_i_weights_shape *s) {
    *s = (quernel_i_weights_shape){.kind = h[KIND],
                                   .out = h[OUT],
                                   .in = h[IN],
                                   .kernel_h = h[KERNEL_H],
                                   .kernel_w = h[KERNEL_W],
                                   .groups = h[GROUPS],
                                   .up_h = h[UP_H],
                                   .up_w = h[UP_W]};
    if (s->kind > QUERNEL_WEIGHTS_DECONV2D || h[SMOOTH_KIND] > QUERNEL_SMOOTH_COLUMN ||
        h[HAS_ZERO] > 1)
        return false;
    if (!s->out || !s->in || !s->kernel_h || !s->kernel_w || !s->groups) return false;
    if (s->in % s->groups || s->out % s->groups) return false;
    if (!s->up_h || !s->up_w) return false;
    if (s->kind != QUERNEL_WEIGHTS_DECONV2D && (s->up_h != 1 || s->up_w != 1)) return false;
    if (s->kind == QUERNEL_WEIGHTS_LINEAR &&
        (s->kernel_h != 1 || s->kernel_w != 1 || s->groups != 1))
        return false;
    if (h[SMOOTH_KIND] == QUERNEL_SMOOTH_COLUMN && s->kind != QUERNEL_WEIGHTS_CONV2D) return false;
    if (!quernel_i_weights_shape_fill(s, h[HAS_ZERO], h[SMOOTH_KIND] == QUERNEL_SMOOTH_COLUMN))
        return false;
    const uint64_t smooth = h[SMOOTH_KIND] == QUERNEL_SMOOTH_NONE      ? 0
                            : h[SMOOTH_KIND] == QUERNEL_SMOOTH_CHANNEL ? s->in
                                                                       : (uint64_t)s->in * s->taps;
    return h[FORMAT] == s->format && h[SMOOTH_COUNT] == smooth &&
           (h[PACKED_LO] | (uint64_t)h[PACKED_HI] << 32) == s->packed_bytes;
}

static bool good_values(const quernel_weights *w) {
    for (size_t i = 0; i < w->smooth_count; i++)
        if (!isfinite(w->smooth[i]) || !(w->smooth[i] > 0.0f)) return false;
    for (uint32_t n = 0; n < w->shape.out; n++) {
        if (!isfinite(w->scale[n]) || !(w->scale[n] > 0.0f)) return false;
        if (w->zero[n] < -128 || w->zero[n] > 127 || (w->zero[n] && !w->has_zero)) return false;
    }
    return true;
}

// Header, sizes and checksum, before anything is allocated by them.
static int check_blob(const uint8_t *blob, size_t bytes, uint32_t *ret_header,
                      quernel_i_weights_shape *ret_shape, quernel_error *error) {
    if (bytes < HEADER_BYTES + CRC_BYTES)
        return refuse(error, "is truncated: shorter than its header");
    if (memcmp(blob, magic, sizeof magic) != 0) return refuse(error, "is no blob of weights");
    get_words(blob + sizeof magic, ret_header, HEADER_WORDS);
    if (ret_header[VERSION] != BLOB_VERSION)
        return refuse(error, "has a version that this library does not read");
    if (!shape_of(ret_header, ret_shape))
        return refuse(error, "has sizes that do not fit one another");
    const size_t packed = packed_at(ret_header[SMOOTH_COUNT], ret_shape->out);
    if (bytes != packed + ret_shape->packed_bytes + CRC_BYTES)
        return refuse(error, "is truncated, or longer than its header says");
    if (get32(blob + bytes - CRC_BYTES) != quernel_i_crc32c(0, blob, bytes - CRC_BYTES))
        return refuse(error, "is corrupted: its checksum is wrong");
    for (size_t i = tables_end(ret_header[SMOOTH_COUNT], ret_shape->out); i < packed; i++)
        if (blob[i]) return refuse(error, "has something between its tables and its weights");
    return QUERNEL_OK;
}

static void read_tables(const uint8_t *from, quernel_weights *w) {
    from = get_words(from, w->smooth, w->smooth_count);
    from = get_words(from, w->scale, w->shape.out);
    get_words(from, w->zero, w->shape.out);
}

// `in_place`: the packed bytes stay where they are.
static int open_blob(const uint8_t *blob, size_t bytes, bool in_place,
                     const quernel_allocator *allocator, quernel_weights **ret_weights,
                     quernel_error *error) {
    uint32_t header[HEADER_WORDS];
    quernel_i_weights_shape shape;
    quernel_weights *w;
    int code = quernel_i_allocator_check(allocator, "load", error);
    if (!code) code = check_blob(blob, bytes, header, &shape, error);
    if (code) return code;
    const uint8_t *packed = blob + packed_at(header[SMOOTH_COUNT], shape.out);
    code =
        quernel_i_weights_allocate(&shape, header[SMOOTH_COUNT],
                                   in_place ? (const int8_t *)packed : NULL, allocator, &w, error);
    if (code) return code;
    w->smooth_kind = (int32_t)header[SMOOTH_KIND];
    w->has_zero = header[HAS_ZERO] != 0;
    read_tables(blob + HEADER_BYTES, w);
    if (!in_place) memcpy(w->packed, packed, shape.packed_bytes);
    if (!good_values(w) || !quernel_i_weights_good_padding(w)) {
        quernel_weights_release(w);
        return refuse(error,
                      "has scales, factors, zero points or padding that no packed weights have");
    }
    quernel_i_weights_sum(w);
    *ret_weights = w;
    return QUERNEL_OK;
}

int quernel_weights_load(const void *blob, size_t bytes, const quernel_allocator *allocator,
                         quernel_weights **ret_weights, quernel_error *error) {
    if (!blob) return quernel_i_error_null(error, "load", "blob");
    if (!ret_weights) return quernel_i_error_null(error, "load", "ret_weights");
    return open_blob(blob, bytes, false, allocator, ret_weights, error);
}

int quernel_weights_map(const void *blob, size_t bytes, const quernel_allocator *allocator,
                        quernel_weights **ret_weights, quernel_error *error) {
    if (!blob) return quernel_i_error_null(error, "load", "blob");
    if (!ret_weights) return quernel_i_error_null(error, "load", "ret_weights");
    if ((uintptr_t)blob % QUERNEL_I_LINE)
        return quernel_i_error_set(error, QUERNEL_E_ALIGN, "blob", -1,
                                   "load: blob: %p: must be aligned to %d bytes", blob,
                                   QUERNEL_I_LINE);
    return open_blob(blob, bytes, true, allocator, ret_weights, error);
}
