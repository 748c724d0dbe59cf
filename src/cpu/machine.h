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
} quernel_i_machine;

/// This machine under `isas`. AMX tiles stand in it without having been asked for.
quernel_i_machine quernel_i_machine_of(uint32_t isas);

/// The same, where AMX tiles have been asked for and only stand in it if the kernel grants them.
quernel_i_machine quernel_i_machine_asked(uint32_t isas);

#endif
