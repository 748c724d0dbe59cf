// SPDX-License-Identifier: Apache-2.0
// CRC-32C (Castagnoli): polynomial 0x1EDC6F41, reflected, start and end complemented.
#ifndef QUERNEL_BASE_CRC32C_H
#define QUERNEL_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/// CRC of `bytes` bytes; `crc` is 0 or the CRC of what came before.
uint32_t quernel_i_crc32c(uint32_t crc, const void *data, size_t bytes);

#endif
