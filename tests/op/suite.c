// SPDX-License-Identifier: Apache-2.0
// The operators' random tests as a suite: one entry an operator, one check a case: against the
// oracle, and the first ones of the default seed against the golden results too.
// Environment: QUERNEL_TEST_SEED (default 1), QUERNEL_TEST_CASES (cases an entry, default 2500),
// QUERNEL_TEST_CASE (replays this one only).
#define _DEFAULT_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../unit/check.h"
#include "eltwise.h"
#include "golden.h"
#include "images.h"
#include "runner.h"

enum { DEFAULT_SEED = GOLDEN_SEED, DEFAULT_CASES = 2500 };

static char current[160]; // what a crash is blamed on

static void on_crash(int signal_number) {
    const ssize_t ignored = write(STDERR_FILENO, current, strlen(current));
    (void)ignored;
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void catch_crashes(void) {
    signal(SIGSEGV, on_crash);
    signal(SIGBUS, on_crash);
    signal(SIGFPE, on_crash);
}

static uint64_t from_environment(const char *name, uint64_t otherwise) {
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static void run_all(const char *op,
                    bool (*run)(uint64_t seed, uint64_t number, char *text, size_t capacity)) {
    const uint64_t seed = from_environment("QUERNEL_TEST_SEED", DEFAULT_SEED);
    const uint64_t only = from_environment("QUERNEL_TEST_CASE", UINT64_MAX);
    const uint64_t cases = from_environment("QUERNEL_TEST_CASES", DEFAULT_CASES);
    const uint64_t first = only == UINT64_MAX ? 0 : only,
                   last = only == UINT64_MAX ? cases : only + 1;
    catch_crashes();
    for (uint64_t i = first; i < last; i++) {
        char text[1024] = "";
        snprintf(current, sizeof current, "crashed in optest --op %s --seed %llu --case %llu\n", op,
                 (unsigned long long)seed, (unsigned long long)i);
        bool right = run(seed, i, text, sizeof text);
        const uint32_t crc = golden_crc();
        if (right && seed == GOLDEN_SEED && i < GOLDEN_CASES)
            right = golden_holds(op, i, crc, text, sizeof text);
        test_check(right, __FILE__, __LINE__, "optest --op %s --seed %llu --case %llu: %s", op,
                   (unsigned long long)seed, (unsigned long long)i, text);
    }
}

static bool linear(uint64_t seed, uint64_t number, char *text, size_t capacity) {
    return runner_operator(OP_LINEAR, seed, number, runner_isas(), text, capacity);
}

static bool conv2d(uint64_t seed, uint64_t number, char *text, size_t capacity) {
    return runner_operator(OP_CONV2D, seed, number, runner_isas(), text, capacity);
}

static bool deconv2d(uint64_t seed, uint64_t number, char *text, size_t capacity) {
    return runner_operator(OP_DECONV2D, seed, number, runner_isas(), text, capacity);
}

static void test_linear(void) { run_all("linear", linear); }
static void test_conv2d(void) { run_all("conv2d", conv2d); }
static void test_deconv2d(void) { run_all("deconv2d", deconv2d); }
static void test_eltwise(void) { run_all("eltwise", eltwise_check); }
static void test_pool2d(void) { run_all("pool2d", pool2d_check); }
static void test_resize2d(void) { run_all("resize2d", resize2d_check); }
static void test_shuffle2d(void) { run_all("shuffle2d", shuffle2d_check); }
static void test_normalize(void) { run_all("normalize", normalize_check); }
static void test_matmul(void) { run_all("matmul", matmul_check); }
static void test_gemm(void) { run_all("gemm", runner_gemm); }

const char test_suite[] = "op";
const test_entry test_entries[] = {{"linear", test_linear},
                                   {"conv2d", test_conv2d},
                                   {"deconv2d", test_deconv2d},
                                   {"gemm", test_gemm},
                                   {"eltwise", test_eltwise},
                                   {"pool2d", test_pool2d},
                                   {"resize2d", test_resize2d},
                                   {"shuffle2d", test_shuffle2d},
                                   {"normalize", test_normalize},
                                   {"matmul", test_matmul},
                                   {NULL, NULL}};
