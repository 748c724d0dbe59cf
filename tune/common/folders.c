// SPDX-License-Identifier: Apache-2.0
// Folders, made one by one from the root.
#include "tune/common/folders.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_BYTES = 1024 };

int folders_make(const char *path) {
    char part[PATH_BYTES];
    if ((size_t)snprintf(part, sizeof part, "%s", path) >= sizeof part) return 0;
    for (char *slash = part + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        if (mkdir(part, 0777) && errno != EEXIST) return 0;
        *slash = '/';
    }
    return 1;
}
