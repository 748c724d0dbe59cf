// SPDX-License-Identifier: Apache-2.0
// What kind of cores an AArch64 CPU has.
#ifndef QUERNEL_CPU_ARM_CORES_H
#define QUERNEL_CPU_ARM_CORES_H

#include <stdbool.h>
#include <stdint.h>

/// A core's design, of its main identification register.
static inline uint32_t quernel_i_arm_cores_implementer(uint64_t midr) {
    return (uint32_t)(midr >> 24) & 0xff;
}
static inline uint32_t quernel_i_arm_cores_part(uint64_t midr) {
    return (uint32_t)(midr >> 4) & 0xfff;
}

/// Whether the system says what its cores are, and none of them issues in order. `root` is Linux's
/// /sys/devices/system/cpu.
bool quernel_i_arm_cores_out_of_order(const char *root);

#endif
