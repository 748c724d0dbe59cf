// SPDX-License-Identifier: Apache-2.0
// x86-64: features from CPUID and the operating system's state from XCR0; caches from leaf 4 or
// AMD's 0x8000001D.
#if defined(__x86_64__)

#include <cpuid.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cpu/cpu.h"

// States that the system saves: SSE and AVX (bits 1, 2); masks, upper halves and registers of
// AVX-512 (5 … 7); tiles (17, 18).
enum { XCR0_YMM = 0x6, XCR0_ZMM = 0xe6, XCR0_TILE = 0x60000 };

static uint64_t xcr0(void) {
    uint32_t lo, hi;
    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return (uint64_t)hi << 32 | lo;
}

// Palette 1 as kernels are written for it: 8 tiles of 1024 bytes, 16 rows of 64 bytes. A virtual
// machine may report AMX and have no palette.
static bool palette(void) {
    uint32_t a, b, c, d;
    if (!__get_cpuid_count(0x1d, 0, &a, &b, &c, &d) || a < 1) return false;
    if (!__get_cpuid_count(0x1d, 1, &a, &b, &c, &d)) return false;
    return a >> 16 >= 1024 && (b & 0xffff) >= 64 && b >> 16 >= 8 && (c & 0xffff) >= 16;
}

static bool amx(quernel_cpu *cpu, uint32_t d7, uint64_t state) {
    cpu->amx_cpuid = (d7 >> 24 & 1) && (d7 >> 25 & 1); // TILE, INT8
    cpu->amx_xcr0 = (state & XCR0_TILE) == XCR0_TILE;
    cpu->amx_palette = palette();
    return cpu->amx_cpuid && cpu->amx_xcr0 && cpu->amx_palette;
}

static uint32_t features(quernel_cpu *cpu, quernel_i_cpu_traits *ret_traits) {
    uint32_t a, b, c, d, isa_mask = 0;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return 0;
    const int osxsave = c >> 27 & 1, fma = c >> 12 & 1;
    if (!osxsave) return 0;
    const uint64_t state = xcr0();
    uint32_t b7, c7, d7;
    if (!__get_cpuid_count(7, 0, &a, &b7, &c7, &d7)) return 0;
    const int avx2 = (b7 >> 5 & 1) && fma && (state & XCR0_YMM) == XCR0_YMM;
    if (avx2) isa_mask |= 1u << QUERNEL_ISA_AVX2;
    // F 16, DQ 17, BW 30, VL 31
    const uint32_t avx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;
    const int vnni512 = (b7 & avx512) == avx512 && (c7 >> 11 & 1);
    const bool avx512vnni = avx2 && vnni512 && (state & XCR0_ZMM) == XCR0_ZMM;
    if (avx512vnni) isa_mask |= 1u << QUERNEL_ISA_AVX512VNNI;
    ret_traits->vbmi = avx512vnni && (c7 >> 1 & 1);
    // the epilogue of its kernels is AVX-512's
    if (amx(cpu, d7, state) && avx512vnni) isa_mask |= 1u << QUERNEL_ISA_AMXINT8;
    if (avx2 && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 4 & 1))
        isa_mask |= 1u << QUERNEL_ISA_AVXVNNI;
    return isa_mask;
}

// Leaf 4 and 0x8000001D have the same form: type, level, and size = ways·partitions·line·sets.
static void caches(quernel_cpu *cpu, uint32_t leaf) {
    for (uint32_t i = 0; i < 16; i++) {
        uint32_t a, b, c, d;
        if (!__get_cpuid_count(leaf, i, &a, &b, &c, &d) || !(a & 31)) return;
        const uint32_t type = a & 31, level = a >> 5 & 7;
        const size_t bytes =
            (size_t)((b >> 22) + 1) * ((b >> 12 & 1023) + 1) * ((b & 4095) + 1) * ((size_t)c + 1);
        if (level == 1 && type == 1) cpu->l1d_bytes = bytes;
        if (level == 2) cpu->l2_bytes = bytes;
        if (level == 3) cpu->l3_bytes = bytes;
    }
}

typedef struct core {
    uint32_t base, family, model; // the base family is the vendor's
} core;

enum {
    AMD_FIRST = 0x0f /* the base family of all since 2003 */,
    INTEL = 6 /* of all Core, Xeon */
};

static core core_of(void) {
    uint32_t a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return (core){0};
    const uint32_t base = a >> 8 & 15, family = base == AMD_FIRST ? base + (a >> 20 & 255) : base;
    return (core){base, family, (a >> 4 & 15) | (a >> 12 & 0xf0)};
}

static void name_core(const core *c, char *text, size_t capacity) {
    static const char *const vendors[][2] = {
        {"GenuineIntel", "intel"}, {"AuthenticAMD", "amd"}, {"HygonGenuine", "hygon"}};
    uint32_t a, word[3];
    if (!__get_cpuid(0, &a, &word[0], &word[2], &word[1])) return;
    for (size_t i = 0; i < sizeof vendors / sizeof *vendors; i++)
        if (!memcmp(vendors[i][0], word, sizeof word))
            snprintf(text, capacity, "%s-%u-%u", vendors[i][1], c->family, c->model);
}

static bool is_intel(const core *c, const uint8_t *models, size_t count) {
    for (size_t i = 0; c->base == INTEL && i < count; i++)
        if (models[i] == c->model) return true;
    return false;
}

// Cores of 128 bits, or with one unit of 256 that multiplies integers.
static bool has_one_of_256(const core *c) {
    enum {
        ZEN = 0x17,   // the family; of its models, Zen 2 from ZEN_2 on
        HYGON = 0x18, // Zen, too
        ZEN_2 = 0x30
    };
    static const uint8_t haswell_broadwell[] = {0x3c, 0x3d, 0x3f, 0x45, 0x46, 0x47, 0x4f, 0x56};
    if (c->base == AMD_FIRST)
        return c->family < ZEN || c->family == HYGON || (c->family == ZEN && c->model < ZEN_2);
    return is_intel(c, haswell_broadwell, sizeof haswell_broadwell);
}

// Cores that join their units of 256 bits, and have no other of 512.
static bool has_one_of_512(const core *c) {
    enum { ZEN_4 = 0x19 /* the family, with Zen 3, which has no AVX-512 */ };
    static const uint8_t ice_tiger_rocket_lake[] = {0x7d, 0x7e, 0x8c, 0x8d, 0xa7};
    return c->family == ZEN_4 || is_intel(c, ice_tiger_rocket_lake, sizeof ice_tiger_rocket_lake);
}

// Two multipliers of any width among four units.
static bool has_four_units(const core *c) {
    enum { ZEN_5 = 0x1a /* the family */ };
    return c->family == ZEN_5;
}

// By the families: there are no flags for it.
static void units(quernel_i_cpu_traits *ret_traits) {
    const core c = core_of();
    const uint32_t narrow = 1u << QUERNEL_ISA_AVX2 | 1u << QUERNEL_ISA_AVXVNNI,
                   wide = 1u << QUERNEL_ISA_AVX512VNNI;
    ret_traits->one_multiplier = has_one_of_256(&c) ? narrow : 0;
    ret_traits->near = has_four_units(&c);
    ret_traits->light = ret_traits->near ? narrow | wide : has_one_of_512(&c) ? wide : 0;
    name_core(&c, ret_traits->core, sizeof ret_traits->core);
}

void quernel_i_cpu_detect(quernel_cpu *cpu, quernel_i_cpu_traits *ret_traits) {
    units(ret_traits);
    cpu->detected |= features(cpu, ret_traits);
    caches(cpu, 4);
    if (!cpu->l1d_bytes) caches(cpu, 0x8000001Du);
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t word[4];
        if (!__get_cpuid(0x80000002u + i, &word[0], &word[1], &word[2], &word[3])) return;
        memcpy(cpu->model + 16 * i, word, sizeof word);
    }
    cpu->model[sizeof cpu->model - 1] = 0;
}

int quernel_i_cpu_permit_tiles(void) {
    // From asm/prctl.h of Linux 5.16, and the index of the tiles' state in XCR0.
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) ? errno : 0;
}

#endif
