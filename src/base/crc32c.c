// SPDX-License-Identifier: Apache-2.0
// CRC-32C by half bytes: a table of 16 entries that the reader can check by hand is fast enough for
// loading.
#include "base/crc32c.h"

// table[i]: the reflected polynomial 0x82F63B78 divided into i, four bits at a time.
static const uint32_t table[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};

_Static_assert(sizeof table / sizeof table[0] == 16, "an entry for each half byte");

uint32_t quernel_i_crc32c(uint32_t crc, const void *data, size_t bytes) {
    const uint8_t *p = data;
    crc = ~crc;
    for (size_t i = 0; i < bytes; i++) {
        crc ^= p[i];
        crc = table[crc & 15] ^ (crc >> 4);
        crc = table[crc & 15] ^ (crc >> 4);
    }
    return ~crc;
}
