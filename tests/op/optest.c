// SPDX-License-Identifier: Apache-2.0
// The operators' random tests as a plain program, for emulators, sanitizers and replays.
// Build: gcc -std=gnu11 -O2 -ffp-contract=off -DQUERNEL_GOLDEN='"golden.txt"' -I../../include
//        optest.c suite.c runner.c runner_gemm.c case.c eltwise.c fill.c functions.c golden.c
//        oracle.c memory.c spread.c values.c ../unit/check.c -lquernel -lm -lpthread
// With Criterion: ../unit/main_criterion.c in place of optest.c, and -lcriterion.
#define _DEFAULT_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/check.h"
#include "golden.h"

static const char usage[] =
    "usage: optest [--op NAME] [--seed N] [--cases N] [--case N]\n"
    "       optest --record\n"
    "Runs random cases of each operator against a naive oracle, bit for bit, and the first of them "
    "against\ngolden.txt, which --record writes. --case replays one of them.\n";

// By ref alone, whatever the environment says.
static void record(void) {
    char cases[16];
    snprintf(cases, sizeof cases, "%d", GOLDEN_CASES);
    setenv("QUERNEL_ISA", "ref", 1);
    setenv("QUERNEL_TEST_CASES", cases, 1);
    unsetenv("QUERNEL_TEST_SEED");
    unsetenv("QUERNEL_TEST_CASE");
    golden_record();
}

int main(int argc, char **argv) {
    const char *op = NULL;
    FILE *report = stdout;
    for (int i = 1; i < argc; i += 2) {
        if (strcmp(argv[i], "--help") == 0) {
            fputs(usage, stdout);
            return 0;
        }
        if (strcmp(argv[i], "--record") == 0 && argc == 2) {
            record();
            report = stderr;
            break;
        }
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (value && strcmp(argv[i], "--op") == 0) op = value;
        else if (value && strcmp(argv[i], "--seed") == 0) setenv("QUERNEL_TEST_SEED", value, 1);
        else if (value && strcmp(argv[i], "--cases") == 0) setenv("QUERNEL_TEST_CASES", value, 1);
        else if (value && strcmp(argv[i], "--case") == 0) setenv("QUERNEL_TEST_CASE", value, 1);
        else {
            fprintf(stderr, "optest: argument: %s\n%s", argv[i], usage);
            return 2;
        }
    }
    size_t passed = 0, failed = 0;
    for (size_t i = 0; test_entries[i].name; i++) {
        if (op && strcmp(op, test_entries[i].name)) continue;
        const test_result *result = test_run(i);
        fprintf(report, "%s: %zu cases, %zu failed\n", test_entries[i].name, result->checks,
                result->failures);
        fflush(report);
        passed += result->checks - result->failures;
        failed += result->failures;
    }
    fprintf(report, "%zu passed, %zu failed, 0 skipped\n", passed, failed);
    return failed != 0 || passed == 0;
}
