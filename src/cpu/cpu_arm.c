// SPDX-License-Identifier: Apache-2.0
// AArch64 Linux: features from the kernel's hardware capabilities, which are those that all cores
// have, also where they are of two kinds; caches from sysconf.
#if defined(__aarch64__)

#include <errno.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "cpu/cpu.h"

// Bits of AT_HWCAP and AT_HWCAP2, from asm/hwcap.h.
enum { HAS_ASIMD = 1 << 1, HAS_DOTPROD = 1 << 20, HAS2_I8MM = 1 << 13 };

static size_t cache(int name) {
    const long bytes = sysconf(name);
    return bytes > 0 ? (size_t)bytes : 0;
}

void quernel_i_cpu_detect(quernel_cpu *cpu, quernel_i_cpu_traits *ret_traits) {
    const unsigned long capabilities = getauxval(AT_HWCAP), more = getauxval(AT_HWCAP2);
    if (capabilities & HAS_ASIMD) cpu->detected |= 1u << QUERNEL_ISA_NEON;
    if (capabilities & HAS_DOTPROD) cpu->detected |= 1u << QUERNEL_ISA_DOTPROD;
    // its kernels multiply by dot products, too
    if (capabilities & HAS_DOTPROD && more & HAS2_I8MM) cpu->detected |= 1u << QUERNEL_ISA_I8MM;
    cpu->l1d_bytes = cache(_SC_LEVEL1_DCACHE_SIZE);
    cpu->l2_bytes = cache(_SC_LEVEL2_CACHE_SIZE);
    cpu->l3_bytes = cache(_SC_LEVEL3_CACHE_SIZE);
    *ret_traits = (quernel_i_cpu_traits){0};
    snprintf(cpu->model, sizeof cpu->model, "aarch64");
}

int quernel_i_cpu_permit_tiles(void) { return ENOSYS; }

#endif
