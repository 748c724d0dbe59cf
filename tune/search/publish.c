// SPDX-License-Identifier: Apache-2.0
// Writing tables, so that no crash and no neighbour costs a row that was published.
#include "tune/search/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "table/table.h"
#include "tune/common/folders.h"
#include "tune/common/outfile.h"

enum { PATH_BYTES = 1024 }; // longer ones are refused

const char *publish_default_path(void) {
    static char path[PATH_BYTES];
    return folders_cache("tuned.qtn", path, sizeof path) ? path : NULL;
}

static int is_stream(const char *path) {
    struct stat s;
    return !stat(path, &s) && !S_ISREG(s.st_mode);
}

// Appenders share the lock, who replaces the file has it alone: a row appended to the old file
// would be lost.
static int lock(const char *path, int how) {
    char name[PATH_BYTES];
    // what is written through is not replaced, and gets no neighbour
    if (is_stream(path)) return open("/dev/null", O_RDWR | O_CLOEXEC);
    if ((size_t)snprintf(name, sizeof name, "%s.lock", path) >= sizeof name || !folders_make(path))
        return -1;
    const int file = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    while (file >= 0 && flock(file, how) && errno == EINTR) {
    }
    return file;
}

int publish_lock(const char *path) { return lock(path, LOCK_EX); }
void publish_unlock(int handle) { close(handle); }

const char *publish_row(const char *path, const quernel_i_row *row) {
    char text[QUERNEL_I_ROW_MAX + 2];
    const size_t bytes = quernel_i_row_print(row, text, sizeof text);
    if (!bytes) return "the row does not fit a line";
    const int held = lock(path, LOCK_SH);
    const int file = held < 0 ? -1 : open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    const char *wrong = NULL;
    errno = 0;
    if (file < 0) wrong = "cannot be opened for writing";
    else if (write(file, text, bytes) != (ssize_t)bytes)
        wrong = errno ? strerror(errno) : "the disk is full";
    if (file >= 0 && close(file) && !wrong) wrong = strerror(errno);
    if (held >= 0) close(held);
    return wrong;
}

// A rename is on the disk when the folder is.
static void sync_folder(const char *path) {
    char folder[PATH_BYTES];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash) slash[slash == folder] = 0;
    const int file = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) return;
    fsync(file);
    close(file);
}

// The first row has no newline in front.
static int write_rows(FILE *to, const quernel_i_row *const *rows, uint32_t count) {
    int fine = 1;
    for (uint32_t i = 0; i < count && fine; i++) {
        char text[QUERNEL_I_ROW_MAX + 2];
        const size_t bytes = quernel_i_row_print(rows[i], text, sizeof text);
        fine = bytes && fwrite(text + (i == 0), 1, bytes - (i == 0), to) == bytes - (i == 0);
    }
    return fine;
}

static const char *replace(const char *path, const quernel_i_row *const *rows, uint32_t count) {
    outfile out;
    if (!outfile_open(&out, path) || !outfile_close(&out, write_rows(out.to, rows, count)))
        return strerror(errno);
    sync_folder(path);
    return NULL;
}

// Through a link to what it leads to, which is replaced whole too.
const char *publish_table(const char *path, const quernel_i_row *const *rows, uint32_t count) {
    char *real = realpath(path, NULL);
    const char *wrong = replace(real ? real : path, rows, count);
    free(real);
    return wrong;
}
