// SPDX-License-Identifier: Apache-2.0
// Stands where the library has cpu_x86.c or cpu_arm.c: a CPU that runs whatever is compiled, with
// caches of usual size.
#include <string.h>

#include "cpu/cpu.h"

void quernel_i_cpu_detect(quernel_cpu *cpu, quernel_i_cpu_traits *ret_traits) {
    cpu->detected = cpu->compiled;
    cpu->amx_cpuid = cpu->amx_xcr0 = cpu->amx_palette = 1;
    cpu->l1d_bytes = 48 << 10, cpu->l2_bytes = 2 << 20, cpu->l3_bytes = 32 << 20;
    *ret_traits = (quernel_i_cpu_traits){.vbmi = true};
    strcpy(cpu->model, "simulated");
}

int quernel_i_cpu_permit_tiles(void) { return 0; }
