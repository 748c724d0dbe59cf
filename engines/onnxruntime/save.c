// SPDX-License-Identifier: Apache-2.0
// Saving a program and loading it: the image, then where each blob of weights lies, then these.
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "program.h"

enum { LINE = 64 }; // blobs are used where they lie

static size_t round_up(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

static size_t table_at(const quernel_ep_image *image) { return (size_t)image->bytes; }

static size_t blobs_at(const quernel_ep_image *image) {
    return round_up(table_at(image) + image->n_weights * sizeof(uint64_t), LINE);
}

size_t quernel_ep_program_save(const quernel_ep_program *p, void *data, size_t capacity) {
    size_t all = blobs_at(p->image);
    for (uint32_t i = 0; i < p->image->n_weights; i++)
        all += round_up(quernel_weights_blob_bytes(p->weights[i]), LINE);
    if (!data || capacity < all) return all;
    memset(data, 0, all);
    memcpy(data, p->image, (size_t)p->image->bytes);
    uint8_t *to = (uint8_t *)data + blobs_at(p->image),
            *table = (uint8_t *)data + table_at(p->image);
    for (uint32_t i = 0; i < p->image->n_weights; i++) {
        const uint64_t bytes = quernel_weights_blob_bytes(p->weights[i]);
        memcpy(table + i * sizeof bytes, &bytes, sizeof bytes);
        quernel_weights_save(p->weights[i], to, (size_t)bytes, NULL);
        to += round_up((size_t)bytes, LINE);
    }
    quernel_ep_image *image = data;
    const size_t skip = offsetof(quernel_ep_image, bytes);
    image->crc = quernel_i_crc32c(0, (uint8_t *)data + skip, blobs_at(p->image) - skip);
    return all;
}

static int refuse(quernel_error *error, const char *why) {
    return quernel_ep_fail(error, QUERNEL_E_BLOB, -1, "program: %s", why);
}

// 2^20 tensors and layers are the network's limit; so no sum of sizes overflows.
static const char *check_head(const quernel_ep_image *i, size_t bytes) {
    const uint32_t max = 1u << 20;
    if (bytes < sizeof *i || memcmp(i->magic, "QNEPPROG", sizeof i->magic))
        return "it is not a saved program";
    if (i->format != QUERNEL_EP_FORMAT) return "it was saved by another version";
    if (i->n_records > max || i->n_steps > max || i->n_inputs > max || i->n_outputs > max ||
        i->n_weights > max || i->data_bytes % 8 ||
        quernel_ep_image_bytes(i->n_records, i->n_steps, i->data_bytes) != i->bytes ||
        blobs_at(i) > bytes)
        return "its sizes do not fit it";
    const size_t skip = offsetof(quernel_ep_image, bytes);
    if (i->crc != quernel_i_crc32c(0, (const uint8_t *)i + skip, blobs_at(i) - skip))
        return "its checksum is wrong";
    return NULL;
}

static int load_weights(quernel_ep_program *p, size_t bytes, quernel_error *error) {
    const uint8_t *data = (const uint8_t *)p->image;
    size_t at = blobs_at(p->image);
    for (uint32_t i = 0; i < p->image->n_weights; i++) {
        uint64_t blob;
        memcpy(&blob, data + table_at(p->image) + i * sizeof blob, sizeof blob);
        if (blob > bytes - at) return refuse(error, "its weights are cut off");
        const int code = quernel_weights_map(data + at, (size_t)blob, NULL, &p->weights[i], error);
        if (code) return code;
        at += round_up((size_t)blob, LINE);
        if (at > bytes) return refuse(error, "its weights are cut off");
    }
    return QUERNEL_OK;
}

// Whether each convolution's weights are those that it was saved with.
static bool weights_fit(const quernel_ep_program *p) {
    for (uint32_t i = 0; i < p->image->n_steps; i++) {
        const quernel_ep_step *s = &p->steps[i];
        quernel_weights_info info = QUERNEL_WEIGHTS_INFO_INIT;
        if (s->weights < 0) continue;
        if (quernel_weights_get(p->weights[s->weights], &info)) return false;
        if (info.out != s->out || (info.kind == QUERNEL_WEIGHTS_DECONV2D) != (s->up != 0))
            return false;
    }
    return true;
}

int quernel_ep_program_load(const void *data, size_t bytes, const quernel_ep_options *options,
                            quernel_ep_program **ret_program, quernel_error *error) {
    const quernel_ep_image *image = data;
    const char *why = check_head(image, bytes);
    if (why) return refuse(error, why);
    quernel_ep_program *p = quernel_ep_program_of_image(image, false, options);
    if (!p) return quernel_ep_fail(error, QUERNEL_E_MEMORY, -1, "program: no memory");
    int code = quernel_ep_program_is_sound(p, &why) ? QUERNEL_OK : refuse(error, why);
    if (!code) code = load_weights(p, bytes, error);
    if (!code && !weights_fit(p)) code = refuse(error, "its weights are not those of its steps");
    if (code) quernel_ep_program_destroy(p);
    else *ret_program = p;
    return code;
}
