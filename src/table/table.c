// SPDX-License-Identifier: Apache-2.0
// Reads tables. Nothing in a file can do more than cost its own line.
#include "table/table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 16 << 20 }; // bytes: some 30000 rows, far more than a tuner writes

// Lines that could be rows, so that a file of newlines takes no memory.
static size_t rows_of(const char *text, size_t bytes) {
    size_t rows = 0;
    for (size_t i = 0; i + 4 < bytes; i++)
        rows += (i == 0 || text[i - 1] == '\n') && !memcmp(text + i, "qtn1", 4);
    return rows;
}

static void parse_lines(quernel_i_table *t, size_t bytes, quernel_i_table_bad *bad, void *user) {
    char *line = t->text, *const end = t->text + bytes;
    for (uint32_t number = 1; line < end; number++) {
        char *newline = memchr(line, '\n', (size_t)(end - line));
        if (!newline) newline = end;
        *newline = 0;
        if (newline > line && *line != '#') {
            const char *wrong = "it does not begin with qtn1";
            if (!strncmp(line, "qtn1", 4))
                wrong = quernel_i_row_parse(line, (size_t)(newline - line), &t->rows[t->good]);
            if (!wrong) t->good++;
            else {
                t->bad++;
                if (bad) bad(user, number, wrong);
            }
        }
        line = newline + 1;
    }
}

static quernel_i_table *make(const char *path, size_t bytes) {
    const size_t name = strlen(path) + 1;
    quernel_i_table *t = calloc(1, sizeof *t + name);
    if (!t) return NULL;
    t->path = memcpy(t + 1, path, name);
    t->text = malloc(bytes + 1);
    if (t->text) return t;
    free(t);
    return NULL;
}

// Parses the rows of t, whose text is there. Frees t where no memory is left.
static quernel_i_table *fill(quernel_i_table *t, size_t bytes, quernel_i_table_bad *bad,
                             void *user) {
    t->rows = malloc((rows_of(t->text, bytes) + 1) * sizeof *t->rows);
    if (!t->rows) {
        quernel_i_table_free(t);
        return NULL;
    }
    parse_lines(t, bytes, bad, user);
    quernel_i_row *less = realloc(t->rows, (t->good ? t->good : 1) * sizeof *t->rows);
    if (less) t->rows = less;
    return t;
}

quernel_i_table *quernel_i_table_parse(const char *path, const char *text, size_t bytes,
                                       quernel_i_table_bad *bad, void *user) {
    quernel_i_table *t = make(path, bytes);
    if (!t) return NULL;
    memcpy(t->text, text, bytes);
    return fill(t, bytes, bad, user);
}

static size_t read_all(int file, char *to, size_t bytes) {
    size_t used = 0;
    while (used < bytes) {
        const ssize_t got = read(file, to + used, bytes - used);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        used += (size_t)got;
    }
    return used;
}

quernel_i_table *quernel_i_table_read(const char *path, quernel_i_table_bad *bad, void *user) {
    struct stat about;
    const char *wrong = NULL;
    size_t bytes = 0;
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) wrong = errno == ENOENT ? "no such file" : "cannot be opened";
    else if (fstat(file, &about) || !S_ISREG(about.st_mode)) wrong = "is no file";
    else if (about.st_size > FILE_MAX) wrong = "larger than 16 MiB";
    else bytes = (size_t)about.st_size;
    quernel_i_table *t = make(path, bytes);
    if (t && !wrong) t = fill(t, read_all(file, t->text, bytes), bad, user);
    else if (t) t->wrong = wrong;
    if (file >= 0) close(file);
    return t;
}

void quernel_i_table_free(quernel_i_table *t) {
    if (!t) return;
    free(t->rows), free(t->text), free(t);
}
