// SPDX-License-Identifier: Apache-2.0
// Rows and files of rows: what is written reads back, and damage costs its own line.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../op/rng.h"
#include "../unit/check.h"
#include "base/crc32c.h"
#include "table/table.h"
#include "tests.h"

quernel_i_row sample_row(void) {
    return (quernel_i_row){.op = "linear k1x1",
                           .shape = "1x64x1x8:64x1x8:p0x0",
                           .env = "threads=1 warm",
                           .config = "kernel=a\tb\\c",
                           .version = "0.1.0",
                           .date = "2026-01-02T03:04:05Z",
                           .machine = "ref l1d=32K l2=512K",
                           .rates = "-",
                           .lost = "-",
                           .extra = "",
                           .m = 8,
                           .n = 64,
                           .k = 64,
                           .krev = 3,
                           .rounds = 30,
                           .base_ns = 1100,
                           .best_ns = 1000,
                           .ratio = 1.1,
                           .lo = 1.05,
                           .hi = 1.125,
                           .verdict = QUERNEL_VERDICT_WIN,
                           .effort = QUERNEL_EFFORT_MEASURE,
                           .seed = UINT64_MAX};
}

static size_t print(const quernel_i_row *row, char *text) {
    return quernel_i_row_print(row, text, QUERNEL_I_ROW_MAX);
}

// Parses the line between the two newlines of a printed row.
static const char *parse(const char *text, size_t length, char *copy, quernel_i_row *ret) {
    memcpy(copy, text + 1, length - 2);
    return quernel_i_row_parse(copy, length - 2, ret);
}

void test_row_round_trip(void) {
    char text[QUERNEL_I_ROW_MAX], copy[QUERNEL_I_ROW_MAX], again[QUERNEL_I_ROW_MAX];
    quernel_i_row row = sample_row(), read;
    const size_t length = print(&row, text);
    CHECK(length > 2 && text[0] == '\n' && text[length - 1] == '\n', "%zu bytes", length);
    const char *wrong = parse(text, length, copy, &read);
    if (!CHECK(!wrong, "%s", wrong)) return;
    CHECK(!strcmp(read.config, row.config), "config: %s", read.config);
    CHECK(read.seed == UINT64_MAX && read.m == 8 && read.ratio == 1.1 &&
              read.verdict == QUERNEL_VERDICT_WIN,
          "values");
    CHECK(print(&read, again) == length && !memcmp(text, again, length), "%s became %s", text,
          again);
    CHECK(quernel_i_row_print(&row, text, length - 1) == 0, "fits where it does not");
}

// Any single flipped bit is seen by the checksum.
void test_row_flipped_bits(void) {
    char text[QUERNEL_I_ROW_MAX], copy[QUERNEL_I_ROW_MAX];
    quernel_i_row row = sample_row(), read;
    const size_t length = print(&row, text);
    for (size_t bit = 8; bit < 8 * (length - 1); bit++) {
        text[bit / 8] ^= (char)(1 << bit % 8);
        CHECK(parse(text, length, copy, &read), "bit %zu flipped and not seen", bit);
        text[bit / 8] ^= (char)(1 << bit % 8);
    }
}

void test_row_torn(void) {
    char text[QUERNEL_I_ROW_MAX], copy[QUERNEL_I_ROW_MAX];
    quernel_i_row row = sample_row(), read;
    const size_t length = print(&row, text);
    for (size_t torn = 2; torn < length; torn++)
        CHECK(parse(text, torn, copy, &read), "torn after %zu bytes and not seen", torn);
}

// Replaces field `at` of a row and makes its checksum right.
static size_t spoil(const char *text, size_t length, int at, const char *value, char *to) {
    size_t used = 0;
    int field = 0;
    for (size_t i = 1; i + 10 < length; i++) {
        const bool first = i == 1 || text[i - 1] == '\t';
        if (i > 1 && first) field++;
        if (field == at && first) used += (size_t)sprintf(to + used, "%s", value);
        if (field != at || text[i] == '\t') to[used++] = text[i];
    }
    return used + (size_t)sprintf(to + used, "\t%08x", quernel_i_crc32c(0, to, used));
}

// Fields that are no numbers, or out of range, and what the refusal says of them.
static const struct {
    int field;
    const char *value, *says;
} refusals[] = {{0, "qtn2", "begin"},      {3, "8x64", "product"},
                {3, "0x1x1", "product"},   {3, "99999999999999999999x1x1", "product"},
                {6, "-1", "krev"},         {6, "", "krev"},
                {6, "4294967296", "krev"}, {7, "1e3", "base_ns"},
                {8, "nan", "best_ns"},     {9, "9", "ratio"},
                {10, "1.2", "ratio"},      {10, ",5", "ratio"},
                {12, "x", "rounds"},       {13, "won", "verdict"},
                {14, "wisdom", "effort"},  {15, "18446744073709551616", "seed"},
                {5, "a\\xb", "escaped"},   {5, "a\\", "escaped"}};

void test_row_refusals(void) {
    char text[QUERNEL_I_ROW_MAX], line[QUERNEL_I_ROW_MAX];
    quernel_i_row row = sample_row(), read;
    const size_t length = print(&row, text);
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const size_t bytes = spoil(text, length, refusals[i].field, refusals[i].value, line);
        const char *wrong = quernel_i_row_parse(line, bytes, &read);
        CHECK(wrong && strstr(wrong, refusals[i].says), "field %d as \"%s\": %s", refusals[i].field,
              refusals[i].value, wrong ? wrong : "taken");
    }
}

// What a later version adds is kept: an older merge loses nothing.
void test_row_later_columns(void) {
    char text[QUERNEL_I_ROW_MAX], copy[QUERNEL_I_ROW_MAX], again[QUERNEL_I_ROW_MAX];
    quernel_i_row row = sample_row(), read;
    row.extra = "watts=9\tcolour\\tblue";
    const size_t length = print(&row, text);
    const char *wrong = parse(text, length, copy, &read);
    if (!CHECK(!wrong, "%s", wrong)) return;
    CHECK(print(&read, again) == length && !memcmp(text, again, length),
          "fields of a later version are not kept: %s", again);
}

// A MiB of random bytes with the beginnings of rows in it: no crash, and none is good.
void test_table_garbage(void) {
    enum { BYTES = 1 << 20 };
    static const char begin[] = {'\n', 'q', 't', 'n', '1', '\t'}; // of a row, without an end
    char *garbage = malloc(BYTES);
    rng r = {7};
    for (size_t i = 0; garbage && i < BYTES; i++) garbage[i] = (char)rng_int(&r, 0, 255);
    for (size_t i = 0; garbage && i < BYTES - 8; i += 997) memcpy(garbage + i, begin, sizeof begin);
    quernel_i_table *t = quernel_i_table_parse("garbage", garbage, BYTES, NULL, NULL);
    if (CHECK(t != NULL, "no memory"))
        CHECK(t->good == 0 && t->bad > 1000, "%u good, %u bad", t->good, t->bad);
    quernel_i_table_free(t);
    free(garbage);
}

// Each row is written with a newline in front: what a killed writer left costs nothing but itself.
void test_table_torn_last_line(void) {
    char text[3 * QUERNEL_I_ROW_MAX];
    quernel_i_row row = sample_row();
    for (int tail = 1; tail < 200; tail += 13) {
        size_t used = print(&row, text);
        const size_t whole = print(&row, text + used);
        used += whole - (size_t)tail;
        used += print(&row, text + used);
        quernel_i_table *t = quernel_i_table_parse("torn", text, used, NULL, NULL);
        if (CHECK(t != NULL, "no memory"))
            CHECK(t->good == 2 + (tail == 1) && t->bad == (tail != 1),
                  "%d bytes torn off: %u good, %u bad", tail, t->good, t->bad);
        quernel_i_table_free(t);
    }
}

// Larger than any table, and no file at all.
void test_table_too_large(void) {
    char path[] = "/tmp/quernel-table-XXXXXX";
    const int file = mkstemp(path);
    if (!CHECK(file >= 0 && !ftruncate(file, 64 << 20), "no file of 64 MiB")) return;
    quernel_i_table *t = quernel_i_table_read(path, NULL, NULL);
    CHECK(t && t->wrong && !t->good && strstr(t->wrong, "16 MiB"), "%s",
          t && t->wrong ? t->wrong : "read");
    quernel_i_table_free(t);
    t = quernel_i_table_read("/", NULL, NULL);
    CHECK(t && t->wrong, "a folder was read");
    quernel_i_table_free(t);
    close(file);
    unlink(path);
}
