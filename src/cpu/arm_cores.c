// SPDX-License-Identifier: Apache-2.0
// What kind of cores an AArch64 CPU has, by the identification registers that Linux shows: a folder
// a core, without the register where the core is off. Where cores are of two kinds, a thread may
// come to any of them.
#if defined(__aarch64__)

#include "cpu/arm_cores.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PATH_BYTES = 256 }; // four times what Linux's take

// Implementer and part of cores that issue in order.
static const uint16_t in_order[][2] = {
    {0x41, 0xd01}, {0x41, 0xd02}, {0x41, 0xd04}, // Cortex-A32, A34, A35
    {0x41, 0xd03}, {0x41, 0xd05},                // A53, A55
    {0x41, 0xd46}, {0x41, 0xd80},                // A510, A520
    {0x43, 0x0a1}, {0x43, 0x0a2}, {0x43, 0x0a3}, // ThunderX
    {0x51, 0x801}, {0x51, 0x803}, {0x51, 0x805}, // Kryo Silver: A53, A55
};

static bool issues_in_order(uint64_t midr) {
    const uint32_t implementer = quernel_i_arm_cores_implementer(midr),
                   part = quernel_i_arm_cores_part(midr);
    for (size_t i = 0; i < sizeof in_order / sizeof *in_order; i++)
        if (in_order[i][0] == implementer && in_order[i][1] == part) return true;
    return false;
}

static bool is_there(const char *root, uint32_t core) {
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/cpu%u", root, core);
    return !access(path, F_OK);
}

// MIDR_EL1, or 0.
static uint64_t midr_of(const char *root, uint32_t core) {
    char text[PATH_BYTES];
    snprintf(text, sizeof text, "%s/cpu%u/regs/identification/midr_el1", root, core);
    const int file = open(text, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    const ssize_t bytes = read(file, text, sizeof text - 1);
    close(file);
    text[bytes > 0 ? bytes : 0] = 0;
    return strtoull(text, NULL, 16); // its base
}

bool quernel_i_arm_cores_out_of_order(const char *root) {
    bool known = false;
    for (uint32_t core = 0; is_there(root, core); core++) {
        const uint64_t midr = midr_of(root, core);
        if (issues_in_order(midr)) return false;
        known |= midr != 0;
    }
    return known;
}

#endif
