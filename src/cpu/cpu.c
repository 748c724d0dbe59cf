// SPDX-License-Identifier: Apache-2.0
// Builds the table: detected ∧ compiled ∧ ceiling. Published once; a racing first call computes the
// same bytes.
#include "cpu/cpu.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/desc.h"
#include "base/log.h"

const quernel_i_isa quernel_i_isas[QUERNEL_I_ISA_COUNT] = {
#define ISA(isa, word, compiled, ...) [QUERNEL_ISA_##isa] = {.name = #word, __VA_ARGS__},
#include "cpu/isas.def"
};

static const uint32_t compiled = 0
#define ISA(isa, word, compiled, ...) | (uint32_t)(compiled) << QUERNEL_ISA_##isa
#include "cpu/isas.def"
    ;

const char *quernel_isa_name(quernel_isa isa) {
    return (unsigned)isa < QUERNEL_I_ISA_COUNT ? quernel_i_isas[isa].name : NULL;
}

// Of ASCII alone: a locale may have other pairs of letters.
static bool is_same_word(const char *a, const char *b) {
    for (; *a && *b; a++, b++) {
        const char x = *a >= 'A' && *a <= 'Z' ? (char)(*a + 'a' - 'A') : *a;
        if (x != *b) return false;
    }
    return *a == *b;
}

int quernel_isa_parse(const char *name, quernel_isa *ret_isa) {
    if (!name || !ret_isa) return QUERNEL_E_NULL;
    for (int i = 0; i < QUERNEL_I_ISA_COUNT; i++)
        if (quernel_i_isas[i].name && is_same_word(name, quernel_i_isas[i].name)) {
            *ret_isa = (quernel_isa)i;
            return QUERNEL_OK;
        }
    return QUERNEL_E_VALUE;
}

uint32_t quernel_i_isa_below(quernel_isa isa) {
    assert((unsigned)isa < QUERNEL_I_ISA_COUNT);
    const uint32_t ref = 1u << QUERNEL_ISA_REF;
    if (isa < QUERNEL_ISA_NEON) return (2u << isa) - 1;
    return ref | (((2u << isa) - 1) & ~((1u << QUERNEL_ISA_NEON) - 1));
}

_Static_assert(QUERNEL_I_ISA_COUNT <= 31,
               "instruction sets are bits of a uint32_t, and 2u << isa is one too");

static int highest_of(uint32_t mask) { return 31 - __builtin_clz(mask | 1); }

// A virtual machine may report no cache at all, or one of 480 MiB: block sizes must stay in reason.
static size_t clamp_cache(size_t bytes, size_t lo, size_t hi, size_t otherwise, uint32_t *clamped) {
    if (bytes >= lo && bytes <= hi) return bytes;
    *clamped = 1;
    return bytes > hi ? hi : otherwise;
}

static void clamp_caches(quernel_cpu *cpu) {
    const size_t KiB = 1024, MiB = 1024 * KiB;
    // From the smallest to the largest caches of the CPUs the plan was measured on, with room; a
    // shared L3 is divided among many cores, so that more than 64 MiB are not one thread's.
    cpu->l1d_bytes =
        clamp_cache(cpu->l1d_bytes, 16 * KiB, 256 * KiB, 32 * KiB, &cpu->caches_clamped);
    cpu->l2_bytes = clamp_cache(cpu->l2_bytes, 128 * KiB, 8 * MiB, 512 * KiB, &cpu->caches_clamped);
    cpu->l3_bytes = clamp_cache(cpu->l3_bytes, 512 * KiB, 64 * MiB, 4 * MiB, &cpu->caches_clamped);
}

static void apply_ceiling(quernel_cpu *cpu, const char *asked) {
    const uint32_t runnable = cpu->detected & cpu->compiled;
    const quernel_isa highest = (quernel_isa)highest_of(runnable);
    quernel_isa isa = highest;
    if (asked && *asked) {
        if (quernel_isa_parse(asked, &isa) != QUERNEL_OK) {
            isa = highest;
            cpu->ceiling_clamped = 2;
        } else if (!(runnable & 1u << isa)) {
            cpu->ceiling_clamped = 1;
        }
    }
    cpu->usable = runnable & quernel_i_isa_below(isa);
    cpu->ceiling = highest_of(cpu->usable);
}

static quernel_cpu table;
static quernel_i_cpu_traits traits;

static void build(void) {
    table.size = sizeof table;
    table.compiled = compiled;
    table.detected = 1u << QUERNEL_ISA_REF;
    quernel_i_cpu_detect(&table, &traits);
    clamp_caches(&table);
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    table.cores = cores > 0 ? (uint32_t)cores : 1;
    const char *asked = getauxval(AT_SECURE) ? NULL : getenv("QUERNEL_ISA");
    apply_ceiling(&table, asked);
    if (table.ceiling_clamped)
        quernel_i_log("QUERNEL_ISA=%s %s: %s is used", asked,
                      table.ceiling_clamped == 1 ? "cannot run here" : "is no instruction set",
                      quernel_i_isas[table.ceiling].name);
}

const quernel_cpu *quernel_i_cpu(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, build);
    return &table;
}

const quernel_i_cpu_traits *quernel_i_cpu_traits_of(void) {
    quernel_i_cpu();
    return &traits;
}

int quernel_cpu_get(quernel_cpu *ret_cpu) {
    if (!ret_cpu) return QUERNEL_E_NULL;
    const quernel_i_desc *desc = QUERNEL_I_DESC(quernel_cpu, QUERNEL_CPU_MIN, "cpu", "size");
    if (quernel_i_desc_check(desc, ret_cpu, NULL)) return QUERNEL_E_VALUE;
    quernel_i_desc_write(desc, ret_cpu, quernel_i_cpu());
    return QUERNEL_OK;
}
