// SPDX-License-Identifier: Apache-2.0
// Structs of older and newer programs: smaller ones, larger ones, and sizes that are none.
#include <stdio.h>
#include <string.h>

#include "fixture.h"
#include "sized.h"
#include "tests.h"

enum { MORE = 64, MAX = 1024, POISON = 0xa5 };

typedef struct memory {
    _Alignas(64) uint8_t bytes[MAX + MORE];
} memory;

static memory of(const sized *s, uint32_t size, uint8_t behind) {
    memory m;
    memset(m.bytes, behind, sizeof m.bytes);
    memcpy(m.bytes, s->init, s->bytes < size ? s->bytes : size);
    memcpy(m.bytes, &size, sizeof size);
    return m;
}

static void accept(const sized *s, uint32_t size, uint8_t behind, const char *what) {
    memory m = of(s, size, behind);
    quernel_error error = {0};
    CHECK(s->call(m.bytes, &error) == QUERNEL_OK, "%s, %s: %s", s->name, what, error.text);
}

// The text names the size that was refused.
static void refuse(const sized *s, memory *m, const char *what) {
    uint32_t size;
    memcpy(&size, m->bytes, sizeof size);
    char value[16], text[80];
    snprintf(value, sizeof value, "%u", size);
    snprintf(text, sizeof text, "%s, %s", s->name, what);
    quernel_error error = {0};
    const int code = s->call(m->bytes, &error);
    if (s->has_error)
        expect_refusal(code, &error, (refusal){QUERNEL_E_VALUE, "size", value, -1}, text);
    else CHECK(code == QUERNEL_E_VALUE, "%s: %s", text, quernel_status_string(code));
}

static void refuse_size(const sized *s, uint32_t size, const char *what) {
    memory m = of(s, s->bytes, 0);
    memcpy(m.bytes, &size, sizeof size);
    refuse(s, &m, what);
}

static void refuse_sizes(const sized *s) {
    refuse_size(s, 0, "no size");
    refuse_size(s, s->min - 1, "smaller than its first layout");
    refuse_size(s, UINT32_MAX, "a size that cannot be");
}

void test_sizes_read(void) {
    for (int i = 0; i < sized_read_count; i++) {
        const sized *s = &sized_read[i];
        refuse_sizes(s);
        accept(s, s->bytes, 0, "as it is");
        accept(s, s->min, POISON, "an older program's, garbage behind it");
        accept(s, s->bytes + MORE, 0, "a newer program's, nothing new set");
        memory m = of(s, s->bytes + MORE, 0);
        m.bytes[s->bytes + MORE - 1] = 1;
        refuse(s, &m, "a newer program's, its last byte set");
        m.bytes[s->bytes + MORE - 1] = 0, m.bytes[s->bytes] = 1;
        refuse(s, &m, "a newer program's, its first new byte set");
    }
}

static void expect_behind(const sized *s, uint32_t size) {
    memory m = of(s, size, POISON);
    quernel_error error = {0};
    CHECK(s->call(m.bytes, &error) == QUERNEL_OK, "%s of %u bytes: %s", s->name, size, error.text);
    uint32_t left;
    memcpy(&left, m.bytes, sizeof left);
    CHECK(left == size, "%s of %u bytes: its size is %u", s->name, size, left);
    const uint32_t end = size < s->bytes ? size : s->bytes;
    for (uint32_t b = end; b < MAX; b++)
        if (!CHECK(m.bytes[b] == POISON, "%s of %u bytes: byte %u was written", s->name, size, b))
            return;
}

void test_sizes_written(void) {
    for (int i = 0; i < sized_written_count; i++) {
        const sized *s = &sized_written[i];
        refuse_sizes(s);
        expect_behind(s, s->min);
        expect_behind(s, s->bytes);
        expect_behind(s, s->bytes + MORE);
        memory m = of(s, s->bytes, 0);
        quernel_error error = {0};
        s->call(m.bytes, &error);
        CHECK(memcmp(m.bytes, s->init, s->bytes) != 0 || !strcmp(s->name, "table_counters"),
              "%s: nothing was written", s->name);
    }
}
