// SPDX-License-Identifier: Apache-2.0
// A small JSON writer.
#include "tune/common/json.h"

#include <math.h>
#include <string.h>

// Quoted and escaped.
static void string(FILE *to, const char *text) {
    fputc('"', to);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') fprintf(to, "\\%c", *text);
        else if ((unsigned char)*text < 32) fprintf(to, "\\u%04x", *text);
        else fputc(*text, to);
    }
    fputc('"', to);
}

// What is in front of a value: a comma but for the first, and its name.
static void begin(json *j, const char *name) {
    if (!j->first) fputc(',', j->to);
    j->first = 0;
    if (!name) return;
    string(j->to, name);
    fputc(':', j->to);
}

void json_open(json *j, const char *name, char bracket) {
    begin(j, name);
    if (bracket == '{' && !name) fputc('\n', j->to);
    fputc(bracket, j->to);
    j->first = 1;
}

void json_close(json *j, char bracket) {
    fputc(bracket, j->to);
    j->first = 0;
}

void json_text(json *j, const char *name, const char *value) {
    begin(j, name);
    if (value) string(j->to, value);
    else fputs("null", j->to);
}

void json_number(json *j, const char *name, double value) {
    begin(j, name);
    if (isfinite(value)) fprintf(j->to, "%.6g", value);
    else fputs("null", j->to);
}

void json_integer(json *j, const char *name, int64_t value) {
    begin(j, name);
    fprintf(j->to, "%lld", (long long)value);
}

json json_document(FILE *to, const char *schema) {
    json j = {to, 1};
    json_open(&j, NULL, '{');
    json_text(&j, "schema", schema);
    return j;
}

void json_document_end(json *j) {
    json_close(j, '}');
    fputc('\n', j->to);
}

int json_file_open(json_file *f, const char *path) {
    *f = (json_file){{NULL, 1}, {0}};
    if (!path) return 1;
    if (!strcmp(path, "-")) f->json.to = stdout;
    else if (outfile_open(&f->file, path)) f->json.to = f->file.to;
    return f->json.to != NULL;
}

int json_file_close(json_file *f) { return !f->file.to || outfile_close(&f->file, 1); }
