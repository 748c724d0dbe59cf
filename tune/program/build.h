// SPDX-License-Identifier: Apache-2.0
// Which build this is.
#ifndef QUERNEL_TUNE_BUILD_H
#define QUERNEL_TUNE_BUILD_H

/// Commit and flags that the program was built from.
const char *build_commit(void);
const char *build_compiler(void);
const char *build_flags(void);

#endif
