// SPDX-License-Identifier: Apache-2.0
// What a test program is made of: plain functions in a table, run by one of two fronts
// (main_plain.c, main_criterion.c). The bodies know neither, so that the same tests run under
// Criterion, under emulators and under sanitizers.
#ifndef QUERNEL_TESTS_CHECK_H
#define QUERNEL_TESTS_CHECK_H

#include <stdbool.h>
#include <stddef.h>

typedef struct test_entry {
    const char *name;
    void (*run)(void);
} test_entry;

/// Defined once by each test program: its name, and its tests up to an entry without a name.
extern const char test_suite[];
extern const test_entry test_entries[];

/// One test's result. `skip` is the reason, or empty.
typedef struct test_result {
    size_t checks, failures;
    char first[512]; ///< the first failure, as printed
    char skip[256];
} test_result;

/// Runs entry `index` and returns what came of it; failures are printed to stderr as they happen,
/// 20 at most.
const test_result *test_run(size_t index);

/// Counts a check; prints and counts a failure where `ok` is false. Returns `ok`.
bool test_check(bool ok, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/// Marks the running test as skipped; the caller returns afterwards.
void test_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));

/// CHECK(condition, "text with %s", values): goes on after a failure and yields the condition.
#define CHECK(condition, ...) \
    test_check((condition), __FILE__, __LINE__, #condition ": " __VA_ARGS__)

#endif
