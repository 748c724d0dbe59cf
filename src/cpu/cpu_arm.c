// SPDX-License-Identifier: Apache-2.0
// AArch64 Linux: the features that all cores have; caches from sysconf.
#if defined(__aarch64__)

#include <errno.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "cpu/arm_cores.h"
#include "cpu/arm_features.h"
#include "cpu/cpu.h"

static size_t cache(int name) {
    const long bytes = sysconf(name);
    return bytes > 0 ? (size_t)bytes : 0;
}

// The core that asks: where there are two kinds, either.
static void name_core(char *text, size_t capacity) {
    enum { HAS_CPUID = 1 << 11 }; // of asm/hwcap.h: the kernel reads the register for a process
    if (!(getauxval(AT_HWCAP) & HAS_CPUID)) return;
    uint64_t midr;
    __asm__("mrs %0, midr_el1" : "=r"(midr));
    snprintf(text, capacity, "arm-0x%02x-0x%03x", quernel_i_arm_cores_implementer(midr),
             quernel_i_arm_cores_part(midr));
}

void quernel_i_cpu_detect(quernel_cpu *cpu, quernel_i_cpu_traits *ret_traits) {
    const quernel_i_arm_features has = quernel_i_arm_features_get();
    if (has.neon) cpu->detected |= 1u << QUERNEL_ISA_NEON;
    if (has.dotprod) cpu->detected |= 1u << QUERNEL_ISA_DOTPROD;
    // its kernels multiply by dot products, too
    if (has.dotprod && has.i8mm) cpu->detected |= 1u << QUERNEL_ISA_I8MM;
    cpu->l1d_bytes = cache(_SC_LEVEL1_DCACHE_SIZE);
    cpu->l2_bytes = cache(_SC_LEVEL2_CACHE_SIZE);
    cpu->l3_bytes = cache(_SC_LEVEL3_CACHE_SIZE);
    const bool light = quernel_i_arm_cores_out_of_order("/sys/devices/system/cpu");
    *ret_traits = (quernel_i_cpu_traits){.light = (uint32_t)light << QUERNEL_ISA_NEON};
    name_core(ret_traits->core, sizeof ret_traits->core);
    snprintf(cpu->model, sizeof cpu->model, "aarch64");
}

int quernel_i_cpu_permit_tiles(void) { return ENOSYS; }

#endif
