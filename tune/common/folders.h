// SPDX-License-Identifier: Apache-2.0
// Folders.
#ifndef QUERNEL_TUNE_FOLDERS_H
#define QUERNEL_TUNE_FOLDERS_H

#include <stddef.h>

/// Makes the folders above a path; 0 where they cannot be made.
int folders_make(const char *path);

/// The path of a file in Quernel's folder of the user's cache; 0 where there is no home for one: a
/// cache may be made in a home, a home is not made for a cache.
int folders_cache(const char *file, char *path, size_t capacity);

#endif
