// SPDX-License-Identifier: Apache-2.0
// Counts the checks of the running test.
#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MAX_PRINTED = 20 };

static test_result result;

const test_result *test_run(size_t index) {
    memset(&result, 0, sizeof result);
    test_entries[index].run();
    if (result.failures > MAX_PRINTED) {
        fprintf(stderr, "%s: and %zu more failures\n", test_suite, result.failures - MAX_PRINTED);
    }
    if (result.checks == 0 && !result.skip[0]) {
        test_check(false, __FILE__, __LINE__, "%s checked nothing", test_entries[index].name);
    }
    return &result;
}

bool test_check(bool ok, const char *file, int line, const char *format, ...) {
    result.checks++;
    if (ok) return true;
    const char *slash = strrchr(file, '/');
    char text[400];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    char whole[512];
    snprintf(whole, sizeof whole, "%s:%d: %s", slash ? slash + 1 : file, line, text);
    if (result.failures++ == 0) memcpy(result.first, whole, sizeof whole);
    if (result.failures <= MAX_PRINTED) fprintf(stderr, "%s\n", whole);
    return false;
}

void test_skip(const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(result.skip, sizeof result.skip, format, list);
    va_end(list);
}
