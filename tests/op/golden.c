// SPDX-License-Identifier: Apache-2.0
// Reads and writes golden.txt: after an operator's name a CRC-32 for each of its cases.
#include "golden.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLYNOMIAL 0xedb88320u // CRC-32 of Ethernet, bits reversed
#define A_LINE 11              // of eight digits and a space: 100 columns

static uint32_t taken = UINT32_MAX;
static bool recording;

void golden_bytes(const void *bytes, size_t count) {
    for (const uint8_t *at = bytes, *end = at + count; at < end; at++) {
        taken ^= *at;
        for (int bit = 0; bit < 8; bit++) taken = taken >> 1 ^ (taken & 1 ? POLYNOMIAL : 0);
    }
}

void golden_tensor(const quernel_tensor *t, int type, const uint8_t *first) {
    const size_t size = quernel_type_size((quernel_type)type);
    for (int64_t n = 0; n < t->n; n++)
        for (int64_t c = 0; c < t->c; c++)
            for (int64_t h = 0; h < t->h; h++)
                for (int64_t w = 0; w < t->w; w++) {
                    uint8_t element[sizeof(float)];
                    float value;
                    memcpy(element,
                           first + (n * t->stride_n + c * t->stride_c + h * t->stride_h +
                                    w * t->stride_w) *
                                       (int64_t)size,
                           size);
                    memcpy(&value, element, sizeof value);
                    if (type == QUERNEL_TYPE_F32 && isnan(value)) memset(element, 0xff, size);
                    golden_bytes(element, size);
                }
}

uint32_t golden_crc(void) {
    const uint32_t crc = ~taken;
    taken = UINT32_MAX;
    return crc;
}

void golden_record(void) {
    recording = true;
    printf("# SPDX-License-Identifier: Apache-2.0\n"
           "# Results of kernels/ref on x86, a CRC-32 a case; written by test_op --record\n");
}

/// The CRCs of an operator, or NULL where there are fewer than GOLDEN_CASES.
static const uint32_t *recorded(const char *op) {
    static uint32_t crcs[GOLDEN_CASES];
    static char of[16];
    if (strcmp(of, op) == 0) return crcs;
    FILE *file = fopen(QUERNEL_GOLDEN, "r");
    char word[128];
    size_t found = 0;
    bool ours = false;
    while (file && found < GOLDEN_CASES && fscanf(file, "%127s", word) == 1) {
        if (strlen(word) != 8 || strspn(word, "0123456789abcdef") != 8)
            ours = strcmp(word, op) == 0;
        else if (ours) crcs[found++] = (uint32_t)strtoul(word, NULL, 16);
    }
    if (file) fclose(file);
    if (found < GOLDEN_CASES) return NULL;
    snprintf(of, sizeof of, "%s", op);
    return crcs;
}

bool golden_holds(const char *op, uint64_t number, uint32_t crc, char *text, size_t capacity) {
    if (recording) {
        if (number == 0) printf("%s\n", op);
        const bool ends = number % A_LINE == A_LINE - 1 || number == GOLDEN_CASES - 1;
        printf("%08x%c", (unsigned)crc, ends ? '\n' : ' ');
        return true;
    }
    const uint32_t *crcs = recorded(op);
    if (crcs && crcs[number] == crc) return true;
    if (crcs)
        snprintf(text, capacity, "the result's CRC-32 is %08x, recorded %08x", (unsigned)crc,
                 (unsigned)crcs[number]);
    else snprintf(text, capacity, "%s has no %d cases of it", QUERNEL_GOLDEN, GOLDEN_CASES);
    return false;
}
