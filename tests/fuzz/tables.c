// SPDX-License-Identifier: Apache-2.0
// The table reader under libFuzzer, from the inputs in tables/. Each input is read as it is and
// with every line's checksum made right, so that the parser behind it is reached; a row that is
// read must print to a line that reads the same.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "table/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void check_row(const quernel_i_row *row) {
    char text[QUERNEL_I_ROW_MAX], line[QUERNEL_I_ROW_MAX], again[QUERNEL_I_ROW_MAX];
    const size_t length = quernel_i_row_print(row, text, sizeof text);
    if (!length) return; // a number that prints longer than it was read may not fit a line
    quernel_i_row read;
    memcpy(line, text + 1, length - 2);
    if (quernel_i_row_parse(line, length - 2, &read)) abort();
    if (quernel_i_row_print(&read, again, sizeof again) != length || memcmp(text, again, length))
        abort();
}

static void check_table(const char *text, size_t bytes) {
    quernel_i_table *t = quernel_i_table_parse("fuzz", text, bytes, NULL, NULL);
    for (uint32_t i = 0; t && i < t->good; i++) check_row(&t->rows[i]);
    quernel_i_table_free(t);
}

// Puts a right checksum at the end of each line that is long enough.
static void seal(char *text, size_t bytes) {
    static const char version[] = {'q', 't', 'n', '1', '\t'};
    for (size_t at = 0; at < bytes;) {
        const char *newline = memchr(text + at, '\n', bytes - at);
        const size_t length = (newline ? (size_t)(newline - text) : bytes) - at;
        if (length > 14) {
            char crc[10];
            memcpy(text + at, version, sizeof version);
            snprintf(crc, sizeof crc, "\t%08x", quernel_i_crc32c(0, text + at, length - 9));
            memcpy(text + at + length - 9, crc, 9);
        }
        at += length + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    check_table((const char *)data, bytes);
    char *text = malloc(bytes + 1);
    if (!text) return 0;
    memcpy(text, data, bytes);
    seal(text, bytes);
    check_table(text, bytes);
    free(text);
    return 0;
}
