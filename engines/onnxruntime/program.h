// SPDX-License-Identifier: Apache-2.0
// A program in memory: one image of records, steps and data, as it is saved, and packed weights.
#ifndef QUERNEL_EP_PROGRAM_H
#define QUERNEL_EP_PROGRAM_H

#include "island.h"

/// The image begins with this; records, steps and data follow, each aligned to 8 bytes.
enum { QUERNEL_EP_FORMAT = 3 };

typedef struct quernel_ep_image {
    char magic[8];
    uint32_t format; // of all structs in the image: raised when one of them changes
    uint32_t crc;    // CRC-32C of all behind this member
    uint64_t bytes;  // of the image
    uint32_t n_records, n_steps, n_inputs, n_outputs, n_weights;
    uint32_t data_bytes;
} quernel_ep_image;

struct quernel_ep_program {
    void *memory; // of the image, where the program owns it
    const quernel_ep_image *image;
    const quernel_ep_record *records;
    const quernel_ep_step *steps;
    const uint8_t *data;
    quernel_weights **weights;
    int32_t *types; // of the run's inputs, then outputs
    uint32_t threads;
    int32_t isa;
};

/// A program of an image, without weights yet; NULL without memory. With `owns` the image is freed
/// with it.
quernel_ep_program *quernel_ep_program_of_image(const quernel_ep_image *image, bool owns,
                                                const quernel_ep_options *options);
/// Whether nothing in the image leads outside of it; notes the types of inputs and outputs. False
/// with a reason.
bool quernel_ep_program_is_sound(const quernel_ep_program *p, const char **ret_reason);

static inline const void *quernel_ep_program_at(const quernel_ep_program *p, quernel_ep_span s) {
    return s.bytes ? p->data + s.offset : NULL;
}

/// The program of a group of units. Its inputs and outputs are those of `island`.
int quernel_ep_program_build(quernel_ep_search *c, const quernel_ep_groups *g, int32_t group,
                             const quernel_ep_island *island, quernel_ep_program **ret_program,
                             quernel_error *error);

/// Bytes of the image's parts, each rounded up to 8.
static inline size_t quernel_ep_image_bytes(uint64_t records, uint64_t steps, uint64_t data) {
    return (sizeof(quernel_ep_image) + 7) / 8 * 8 +
           (size_t)((records * sizeof(quernel_ep_record) + 7) / 8 * 8 +
                    (steps * sizeof(quernel_ep_step) + 7) / 8 * 8 + data);
}

/// Fills an error. Returns its code.
int quernel_ep_fail(quernel_error *error, int code, int32_t index, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
