// SPDX-License-Identifier: Apache-2.0
// Folders, made one by one from the root.
#include "tune/common/folders.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "table/table.h"

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

// The folder that HOME/CACHE/quernel/FILE is in the cache of.
static int has_home(const char *path) {
    char home[PATH_BYTES];
    struct stat s;
    if ((size_t)snprintf(home, sizeof home, "%s", path) >= sizeof home) return 0;
    for (int up = 0; up < 3; up++) {
        char *slash = strrchr(home, '/');
        if (!slash) return 0;
        *slash = 0;
    }
    return !stat(*home ? home : "/", &s) && S_ISDIR(s.st_mode);
}

int folders_cache(const char *file, char *path, size_t capacity) {
    return quernel_i_tables_cache(file, path, capacity) && has_home(path);
}
