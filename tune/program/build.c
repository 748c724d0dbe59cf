// SPDX-License-Identifier: Apache-2.0
// What the build passed on.
#include "tune/program/build.h"

#ifndef QUERNEL_COMMIT
#define QUERNEL_COMMIT "unknown"
#endif
#ifndef QUERNEL_FLAGS
#define QUERNEL_FLAGS "unknown"
#endif

const char *build_commit(void) { return QUERNEL_COMMIT; }
const char *build_flags(void) { return QUERNEL_FLAGS; }
const char *build_compiler(void) {
#if defined(__clang__)
    return "clang " __clang_version__;
#else
    return "gcc " __VERSION__;
#endif
}
