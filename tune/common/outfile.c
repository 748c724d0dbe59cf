// SPDX-License-Identifier: Apache-2.0
// Writing files whole, or through.
#include "tune/common/outfile.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static int is_replaced(const char *path) {
    struct stat s;
    return lstat(path, &s) ? errno == ENOENT : S_ISREG(s.st_mode);
}

// The new file is as readable as the one in whose place it comes.
static void take_mode(FILE *to, const char *path) {
    struct stat s;
    if (!stat(path, &s)) (void)!fchmod(fileno(to), s.st_mode & 07777); // all of chmod's bits
}

int outfile_open(outfile *f, const char *path) {
    *f = (outfile){.path = path};
    if (!is_replaced(path)) return (f->to = fopen(path, "we")) != NULL;
    const int length =
        snprintf(f->temporary, sizeof f->temporary, "%s.%ld.tmp", path, (long)getpid());
    errno = ENAMETOOLONG;
    if ((size_t)length < sizeof f->temporary) f->to = fopen(f->temporary, "we");
    if (f->to) take_mode(f->to, path);
    return f->to != NULL;
}

// Whether all of it is on the disk, or where it is written through.
static int is_written(outfile *f) {
    errno = 0; // that of an error before this one is not known any more
    return !ferror(f->to) && !fflush(f->to) && (!*f->temporary || !fsync(fileno(f->to)));
}

int outfile_close(outfile *f, int fine) {
    int written = is_written(f), why = errno;
    if (fclose(f->to) && written) written = 0, why = errno;
    if (*f->temporary) {
        if (fine && written && rename(f->temporary, f->path)) written = 0, why = errno;
        if (!fine || !written) unlink(f->temporary);
    }
    errno = why;
    return fine && written;
}
