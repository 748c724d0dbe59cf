// SPDX-License-Identifier: Apache-2.0
// The front without a framework: runs all tests in this process, or those whose names are given,
// and counts them.
#include <stdio.h>
#include <string.h>

#include "check.h"

static bool wanted(const char *name, int argc, char **argv) {
    if (argc < 2) return true;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], name) == 0) return true;
    }
    return false;
}

int main(int argc, char **argv) {
    size_t passed = 0, failed = 0, skipped = 0;
    for (size_t i = 0; test_entries[i].name; i++) {
        const char *name = test_entries[i].name;
        if (!wanted(name, argc, argv)) continue;
        const test_result *result = test_run(i);
        const char *word = result->failures ? "FAILED" : result->skip[0] ? "skipped" : "ok";
        printf("%s/%s: %s (%zu checks)%s%s\n", test_suite, name, word, result->checks,
               result->skip[0] ? ": " : "", result->skip);
        fflush(stdout);
        if (result->failures) failed++;
        else if (result->skip[0]) skipped++;
        else passed++;
    }
    printf("%zu passed, %zu failed, %zu skipped\n", passed, failed, skipped);
    return failed != 0 || passed + skipped == 0;
}
