// SPDX-License-Identifier: Apache-2.0
// Folders.
#ifndef QUERNEL_TUNE_FOLDERS_H
#define QUERNEL_TUNE_FOLDERS_H

/// Makes the folders above a path; 0 where they cannot be made.
int folders_make(const char *path);

#endif
