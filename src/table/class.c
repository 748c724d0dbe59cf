// SPDX-License-Identifier: Apache-2.0
// The machine's class.
#include "table/class.h"

#include <stdio.h>

#include "cpu/cpu.h"

void quernel_i_class_print(uint32_t usable, char *text, size_t capacity) {
    const quernel_cpu *cpu = quernel_i_cpu();
    size_t used = 0;
    for (int isa = 0; isa < QUERNEL_I_ISA_COUNT; isa++)
        if (usable >> isa & 1 && used < capacity)
            used += (size_t)snprintf(text + used, capacity - used, "%s%s", used ? "+" : "",
                                     quernel_isa_name((quernel_isa)isa));
    const char *core = quernel_i_cpu_traits_of()->core;
    if (used < capacity)
        snprintf(text + used, capacity - used, " l1d=%zuK l2=%zuK%s%s", cpu->l1d_bytes / 1024,
                 cpu->l2_bytes / 1024, *core ? " core=" : "", core);
}
