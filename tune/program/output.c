// SPDX-License-Identifier: Apache-2.0
// What several commands say.
#include "tune/program/output.h"

#include <stdio.h>
#include <string.h>

#include "tune/program/build.h"

enum { TABLES = 32 }; // that are listed

void output_build(json *j) {
    json_text(j, "version", quernel_version());
    json_text(j, "commit", build_commit());
    json_text(j, "compiler", build_compiler());
    json_text(j, "flags", build_flags());
}

void output_tables(json *j) {
    quernel_table_info tables[TABLES];
    const size_t count = quernel_tables_get(tables, TABLES);
    json_open(j, "tables", '[');
    for (size_t i = 0; i < count && i < TABLES; i++) {
        json_open(j, NULL, '{');
        json_text(j, "path", tables[i].path);
        json_integer(j, "good", tables[i].good), json_integer(j, "bad", tables[i].bad);
        json_text(j, "wrong", *tables[i].wrong ? tables[i].wrong : NULL);
        json_close(j, '}');
    }
    json_close(j, ']');
}

const char *output_plan_source(int32_t from) {
    static const char *const names[] = {"model", "override", "table"};
    return names[from];
}

const char *config_word(const char *config, const char *key, char *to, size_t capacity) {
    const size_t length = strlen(key);
    for (const char *at = config; *at; at += strcspn(at, " "), at += *at == ' ') {
        if (strncmp(at, key, length) || at[length] != '=') continue;
        at += length + 1;
        snprintf(to, capacity, "%.*s", (int)strcspn(at, " "), at);
        return to;
    }
    return NULL;
}
