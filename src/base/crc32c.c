// SPDX-License-Identifier: Apache-2.0
// CRC-32C by the CPU's instruction, eight bytes at a time, which is near memory speed; where it has
// none, by half bytes from a table of 16 entries that the reader can check by hand.
#include "base/crc32c.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

static uint64_t step8(uint64_t crc, uint64_t data) {
    __asm__("crc32q %1, %0" : "+r"(crc) : "r"(data));
    return crc;
}

static bool detect(void) {
    uint32_t a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c >> 20 & 1); // SSE4.2
}
#elif defined(__aarch64__)
#include <sys/auxv.h>

static uint64_t step8(uint64_t crc, uint64_t data) {
    uint32_t sum = (uint32_t)crc;
    __asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" : "+r"(sum) : "r"(data));
    return sum;
}

static bool detect(void) { return getauxval(AT_HWCAP) >> 7 & 1; } // HWCAP_CRC32
#else
static uint64_t step8(uint64_t crc, uint64_t data) { return crc ^ data; }
static bool detect(void) { return false; }
#endif

// Asked once: CPUID takes microseconds under a hypervisor.
static bool has_instruction(void) {
    enum { UNKNOWN, ABSENT, PRESENT };
    static atomic_int known = UNKNOWN;
    int now = atomic_load_explicit(&known, memory_order_relaxed);
    if (now == UNKNOWN) {
        now = detect() ? PRESENT : ABSENT;
        atomic_store_explicit(&known, now, memory_order_relaxed);
    }
    return now == PRESENT;
}

// table[i]: the reflected polynomial 0x82F63B78 divided into i, four bits at a time.
static const uint32_t table[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};

_Static_assert(sizeof table / sizeof table[0] == 16, "an entry for each half byte");

uint32_t quernel_i_crc32c(uint32_t crc, const void *data, size_t bytes) {
    const uint8_t *p = data;
    uint64_t sum = (uint32_t)~crc;
    if (has_instruction())
        for (; bytes >= sizeof sum; bytes -= sizeof sum, p += sizeof sum) {
            uint64_t word;
            memcpy(&word, p, sizeof word);
            sum = step8(sum, word);
        }
    crc = (uint32_t)sum;
    for (size_t i = 0; i < bytes; i++) {
        crc ^= p[i];
        crc = table[crc & 15] ^ (crc >> 4);
        crc = table[crc & 15] ^ (crc >> 4);
    }
    return ~crc;
}
