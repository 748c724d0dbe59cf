// SPDX-License-Identifier: Apache-2.0
// A program in memory: one image of records, steps and data, as it is saved, and packed weights.
#ifndef QUERNEL_EP_PROGRAM_H
#define QUERNEL_EP_PROGRAM_H

#include "island.h"

/// The image begins with this; records, steps and data follow, each aligned to 8 bytes.
enum { QUERNEL_EP_FORMAT = 1 };

typedef struct quernel_ep_image {
    char magic[8];
    uint32_t format; // of all structs in the image: raised when one of them changes
    uint32_t crc;    // CRC-32C of all behind this member
    uint64_t bytes;  // of the image
    uint32_t n_records, n_steps, n_inputs, n_outputs, n_weights;
    uint32_t data_bytes;
} quernel_ep_image;

struct quernel_ep_program {
    uint8_t *memory; // of the image, where the program owns it
    const quernel_ep_image *image;
    const quernel_ep_record *records;
    const quernel_ep_step *steps;
    const uint8_t *data;
    quernel_weights **weights;
    uint32_t threads;
    int32_t isa;
};

/// Sets the pointers into the image.
void quernel_ep_program_lay_out(quernel_ep_program *p, const quernel_ep_image *image);
/// Whether nothing in the image leads outside of it. False with a reason.
bool quernel_ep_program_is_sound(const quernel_ep_program *p, const char **ret_reason);

static inline const void *quernel_ep_program_at(const quernel_ep_program *p, quernel_ep_span s) {
    return s.bytes ? p->data + s.offset : NULL;
}

/// The program of a group of units. Its inputs and outputs are those of `island`.
int quernel_ep_program_build(quernel_ep_context *c, const quernel_ep_groups *g, int32_t group,
                             const quernel_ep_island *island, quernel_ep_program **ret_program,
                             quernel_error *error);

/// Fills an error. Returns its code.
int quernel_ep_fail(quernel_error *error, int code, int32_t index, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
