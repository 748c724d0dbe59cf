// SPDX-License-Identifier: Apache-2.0
// kcheck as a program. Build: with Meson, or
//   gcc -std=gnu11 -O2 -I../.. -I../../src -I../../include *.c libquernel.a -lm -lpthread
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kcheck.h"
#include "quernel/cpu.h"

static const char usage[] =
    "usage: kcheck [--isa X] [--kernel PART] [--seed N] [--cases N] "
    "[--case N] [--self-test] [--prove] [--long] [--list]\n"
    "Every kernel that can run here against ref, through its contract. "
    "--case replays one case; --self-test shows that\n"
    "broken kernels are caught; --prove proves product kernels for the "
    "shapes at which their ways differ. Closes with N passed, N failed, N skipped "
    "(cases; skipped: kernels). QUERNEL_TEST_KERNEL_CASES: what --cases is by default.\n";

static void print(void *user, const char *line) {
    (void)user;
    puts(line);
    fflush(stdout);
}

static int list(void) {
    for (const quernel_i_kernel *k = quernel_i_kernels; k->name; k++) puts(k->name);
    return 0;
}

int main(int argc, char **argv) {
    const char *cases = getenv("QUERNEL_TEST_KERNEL_CASES");
    kcheck_options o = {.seed = 1,
                        .cases = cases ? (uint32_t)strtoul(cases, NULL, 10) : 1000,
                        .only = -1,
                        .report = print};
    bool self_test = false, prove = false, longer = false;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        quernel_isa isa;
        if (!strcmp(argv[i], "--help")) return fputs(usage, stdout), 0;
        if (!strcmp(argv[i], "--list")) return list();
        bool *flag = !strcmp(argv[i], "--self-test") ? &self_test
                     : !strcmp(argv[i], "--prove")   ? &prove
                     : !strcmp(argv[i], "--long")    ? &longer
                                                     : NULL;
        if (flag) {
            *flag = true;
            continue;
        }
        if (!strcmp(argv[i], "--isa") && !quernel_isa_parse(value, &isa)) o.isas = 1u << isa;
        else if (!strcmp(argv[i], "--kernel")) o.kernel = value;
        else if (!strcmp(argv[i], "--seed")) o.seed = strtoull(value, NULL, 10);
        else if (!strcmp(argv[i], "--cases")) o.cases = (uint32_t)strtoul(value, NULL, 10);
        else if (!strcmp(argv[i], "--case")) o.only = strtoll(value, NULL, 10);
        else return fputs(usage, stderr), 2;
        i++;
    }
    kcheck_result result;
    if (prove) kcheck_prove_all(&o, longer, &result);
    else (self_test ? kcheck_self_test : kcheck_run)(&o, &result);
    printf("%llu passed, %llu failed, %llu skipped\n", (unsigned long long)result.passed,
           (unsigned long long)result.failed, (unsigned long long)result.skipped);
    return result.failed || !(result.passed + result.skipped) ? 1 : 0;
}
