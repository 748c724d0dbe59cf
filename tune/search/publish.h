// SPDX-License-Identifier: Apache-2.0
// Writing tables: rows appended whole, files replaced whole.
#ifndef QUERNEL_TUNE_PUBLISH_H
#define QUERNEL_TUNE_PUBLISH_H

#include "table/row.h"

/// Appends a row in one write, under a shared lock; makes the folders above it. Returns NULL, or
/// why not.
const char *publish_row(const char *path, const quernel_i_row *row);

/// Locks the file for rewriting; nobody appends until it is unlocked. Whoever replaces a file by
/// what it held locks it before reading. Returns a handle, −1 where the folder cannot be written.
int publish_lock(const char *path);
void publish_unlock(int handle);

/// Replaces the file, which was locked, by these rows: temporary file, sync, rename, sync of the
/// folder.
const char *publish_table(const char *path, const quernel_i_row *const *rows, uint32_t count);

/// Where the tuner writes unless told otherwise, or NULL where there is no home.
const char *publish_default_path(void);

#endif
