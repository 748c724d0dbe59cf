// SPDX-License-Identifier: Apache-2.0
// Flipped bits in a file of rows: a row with one is lost, every other one reads as it was written.
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../op/rng.h"
#include "../unit/check.h"
#include "table/table.h"
#include "tests.h"

enum { ROWS = 8, MOST_FLIPS = 3, DEFAULT_FLIPS = 20000 };

typedef struct file {
    char text[ROWS * QUERNEL_I_ROW_MAX];
    size_t begin[ROWS + 1]; // of each row, and behind the last
} file;

static bool make(file *f) {
    for (uint32_t i = 0; i < ROWS; i++) {
        quernel_i_row row = sample_row();
        row.m = 8 + i, row.best_ns = 1000 - i;
        const size_t length = quernel_i_row_print(&row, f->text + f->begin[i], QUERNEL_I_ROW_MAX);
        if (!CHECK(length > 0, "row %u does not print", i)) return false;
        f->begin[i + 1] = f->begin[i] + length;
    }
    return true;
}

// Whether what was read prints as the row i of the file.
static bool is_row(const file *f, uint32_t i, const quernel_i_row *read) {
    char text[QUERNEL_I_ROW_MAX];
    const size_t length = quernel_i_row_print(read, text, sizeof text);
    return length == f->begin[i + 1] - f->begin[i] && !memcmp(text, f->text + f->begin[i], length);
}

// Every row without a flipped bit was read, in order, and nothing else.
static bool only_whole_rows(const file *f, const quernel_i_table *t, const bool *flipped) {
    uint32_t at = 0;
    for (uint32_t i = 0; i < ROWS; i++)
        if (!flipped[i] && (at == t->good || !is_row(f, i, &t->rows[at++]))) return false;
    return at == t->good;
}

static bool survives(const file *f, rng *r) {
    static char text[sizeof f->text];
    bool flipped[ROWS] = {false};
    const size_t bytes = f->begin[ROWS];
    memcpy(text, f->text, bytes);
    for (int n = rng_int(r, 1, MOST_FLIPS); n > 0; n--) {
        const size_t bit = rng_next(r) % (8 * bytes);
        text[bit / 8] ^= (char)(1 << bit % 8);
    }
    for (uint32_t i = 0; i < ROWS; i++) // a bit may have been flipped twice
        flipped[i] =
            memcmp(text + f->begin[i], f->text + f->begin[i], f->begin[i + 1] - f->begin[i]);
    quernel_i_table *t = quernel_i_table_parse("flipped", text, bytes, NULL, NULL);
    const bool right = t && only_whole_rows(f, t, flipped);
    quernel_i_table_free(t);
    return right;
}

void test_table_flips(void) {
    static file f;
    const char *cases = getenv("QUERNEL_TEST_CASES");
    const uint64_t count = cases && *cases ? 4 * strtoull(cases, NULL, 10) : DEFAULT_FLIPS;
    if (!make(&f)) return;
    for (uint64_t i = 0; i < count; i++) {
        rng r = rng_make(1, i);
        if (!CHECK(survives(&f, &r), "flip %llu is read, or costs a row without one",
                   (unsigned long long)i))
            break;
    }
}
