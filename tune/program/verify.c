// SPDX-License-Identifier: Apache-2.0
// quernel verify: the kernel checker over every kernel that can run here.
#include <string.h>

#include "tests/kcheck/kcheck.h"
#include "tune/program/options.h"
#include "tune/program/program.h"

static const char usage[] =
    "usage: quernel verify [--isa X] [--kernel S] [--seed N] [--long]\n\n"
    "Every kernel that this CPU can run below the ceiling (--isa: below that one) against ref, 600 cases each (--long: 10000).\n"
    "Closes with N passed, N failed, N skipped.\n";

static void print(void *user, const char *line) {
    (void)user;
    puts(line);
    fflush(stdout);
}

// Instruction sets of this architecture up to `isa`, which must be able to run here.
static int mask_below(const char *name, uint32_t *ret_mask) {
    quernel_cpu cpu = QUERNEL_CPU_INIT;
    quernel_isa isa;
    quernel_cpu_get(&cpu);
    if (!name || quernel_isa_parse(name, &isa)) return usage_error("verify", "--isa", name);
    if (!(cpu.usable >> isa & 1)) {
        usage_error("verify", "--isa cannot run here", name);
        return EXIT_NO_ISA;
    }
    *ret_mask = cpu.usable & ((2u << isa) - 1);
    return EXIT_DONE;
}

int command_verify(int argc, char **argv) {
    kcheck_options k = {.seed = 1, .cases = 600, .only = -1, .report = print};
    options o = {argc, 0, argv};
    for (option_seen seen; (seen = option_next(&o, " help long ")).name;) {
        if (!strcmp(seen.name, "help")) {
            fputs(usage, stdout);
            return EXIT_DONE;
        }
        if (!strcmp(seen.name, "long")) k.cases = 10000;
        else if (!strcmp(seen.name, "kernel") && seen.value) k.kernel = seen.value;
        else if (!strcmp(seen.name, "seed") && parse_u64(seen.value, &k.seed)) continue;
        else if (!strcmp(seen.name, "isa")) {
            const int code = mask_below(seen.value, &k.isas);
            if (code) return code;
        } else return usage_error("verify", seen.name, seen.value);
    }
    kcheck_result result;
    kcheck_run(&k, &result);
    printf("%llu passed, %llu failed, %llu skipped\n", (unsigned long long)result.passed,
           (unsigned long long)result.failed, (unsigned long long)result.skipped);
    if (!result.passed && !result.failed) return usage_error("verify", "--kernel", k.kernel ? k.kernel : "no kernel");
    return result.failed ? EXIT_WRONG : EXIT_DONE;
}
