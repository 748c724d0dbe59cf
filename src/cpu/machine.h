// SPDX-License-Identifier: Apache-2.0
// What a plan may know of the machine, as a value: a plan for another machine takes another one.
#ifndef QUERNEL_CPU_MACHINE_H
#define QUERNEL_CPU_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct quernel_i_machine {
    uint32_t isas; // instruction sets that may be used: 1u << isa
    size_t l1d_bytes, l2_bytes;
    uint32_t one_multiplier, light; // of quernel_i_cpu_traits, like the next
    bool near;
} quernel_i_machine;

/// Whether an output of so many bytes goes past the caches where it can: L2 keeps less than half of
/// it for whoever reads it next.
static inline bool quernel_i_machine_past(size_t l2_bytes, uint64_t bytes) {
    return bytes > 2 * (uint64_t)l2_bytes;
}

/// This machine with the instruction sets `isas`, whether or not the process has asked for those
/// that need a permission.
quernel_i_machine quernel_i_machine_of(uint32_t isas);

/// The same, after asking for the permission: without the sets that the operating system refuses.
quernel_i_machine quernel_i_machine_asked(uint32_t isas);

#endif
