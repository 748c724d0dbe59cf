// SPDX-License-Identifier: Apache-2.0
// Files that commands write.
#ifndef QUERNEL_TUNE_OUTFILE_H
#define QUERNEL_TUNE_OUTFILE_H

#include <stdio.h>

/// A regular file, or nothing, is replaced whole by rename: no crash leaves half of one. All else
/// (a device, a FIFO, a link) stays what it is and is written through.
typedef struct outfile {
    FILE *to;
    const char *path;
    char temporary[1100]; // "" where it is written through
} outfile;

/// 0 where it cannot be opened; errno says why.
int outfile_open(outfile *f, const char *path);
/// Publishes what was written where `fine`. 0 where it is not there; errno says why.
int outfile_close(outfile *f, int fine);

#endif
