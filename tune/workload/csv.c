// SPDX-License-Identifier: Apache-2.0
// Comma-separated files.
#include "tune/workload/csv.h"

#include <string.h>

// How many fields a line has; 0 where it was refused.
static int split(csv *c, char *text, char **fields) {
    for (int count = 0; count < CSV_FIELDS_MAX;) {
        if (*text == '"') return lines_refuse(&c->lines, "quotes are not read", text);
        fields[count++] = text;
        text = strchr(text, ',');
        if (!text) return count;
        *text++ = 0;
    }
    return lines_refuse(&c->lines, "fields", "more than 40");
}

// Two columns of one name: which of them is meant is not known.
static bool are_different(csv *c) {
    for (int i = 0; i < c->count; i++)
        for (int other = 0; other < i; other++)
            if (*c->names[i] && !strcmp(c->names[i], c->names[other]))
                return lines_refuse(&c->lines, c->names[i], "names two columns");
    return true;
}

bool csv_open(csv *c, const char *path) {
    if (!lines_open(&c->lines, path)) return false;
    const char *head = lines_next(&c->lines);
    if (!head) return !c->lines.failed && lines_refuse(&c->lines, "header", "(missing)");
    strcpy(c->head, head);
    c->count = split(c, c->head, c->names);
    return c->count && are_different(c);
}

bool csv_next(csv *c) {
    char *line, said[48];
    do line = lines_next(&c->lines);
    while (line && !line[strspn(line, " \t")]);
    if (!line) return false;
    const int count = split(c, line, c->fields);
    snprintf(said, sizeof said, "%d, where the header names %d", count, c->count);
    return count && (count == c->count || lines_refuse(&c->lines, "fields", said));
}

const char *csv_field(const csv *c, const char *name) {
    for (int i = 0; i < c->count; i++)
        if (!strcmp(c->names[i], name)) return *c->fields[i] ? c->fields[i] : NULL;
    return NULL;
}
