// SPDX-License-Identifier: Apache-2.0
// Reading lines whole.
#include "tune/common/lines.h"

#include <string.h>

bool lines_open(lines *l, const char *path) {
    l->path = path, l->number = 0, l->failed = false;
    l->from = fopen(path, "re");
    return l->from || lines_refuse(l, "file", "cannot be read");
}

bool lines_refuse(lines *l, const char *what, const char *value) {
    fprintf(stderr, "quernel: %s:%d: %s: %s\n", l->path, l->number, what, value);
    l->failed = true;
    return false;
}

static char *refuse_bytes(lines *l, const char *why) {
    lines_refuse(l, "line", why);
    return NULL;
}

// Without what editors put before the first line and at the end of each.
static char *trim(lines *l, size_t length) {
    static const char mark[] = "\xef\xbb\xbf";
    if (length && l->text[length - 1] == '\r') length--;
    l->text[length] = 0;
    return l->text + (l->number == 1 && !strncmp(l->text, mark, strlen(mark)) ? strlen(mark) : 0);
}

char *lines_next(lines *l) {
    size_t length = 0;
    int c;
    l->number++;
    while ((c = getc(l->from)) != EOF && c != '\n') {
        if (!c) return refuse_bytes(l, "holds a byte of 0");
        if (length == LINES_MOST) return refuse_bytes(l, "is longer than 8191 bytes");
        l->text[length++] = (char)c;
    }
    if (ferror(l->from)) return refuse_bytes(l, "cannot be read");
    return c == EOF && !length ? NULL : trim(l, length);
}

bool lines_close(lines *l) {
    if (l->from) fclose(l->from);
    return !l->failed;
}
