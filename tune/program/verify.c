// SPDX-License-Identifier: Apache-2.0
// quernel verify: the kernel checker over every kernel that can run here.
#include <stdio.h>
#include <string.h>

#include "quernel/quernel.h"
#include "tests/kcheck/kcheck.h"
#include "tune/program/options.h"
#include "tune/program/program.h"

static const char usage[] = "usage: quernel verify [--isa X] [--kernel S] [--seed N] [--long]\n"
                            "\n"
                            "Every kernel that this CPU can run below the ceiling (--isa: below "
                            "that one) against ref, 600 cases\n"
                            "each (--long: 10000). Closes with N passed, N failed, N skipped.\n";

static void print(void *user, const char *line) {
    (void)user;
    puts(line);
    fflush(stdout);
}

// Instruction sets of this architecture up to `isa`, which must be able to run here. Returns GO_ON
// or an exit code.
static int mask_below(const char *name, uint32_t *ret_mask) {
    quernel_cpu cpu = QUERNEL_CPU_INIT;
    quernel_isa isa;
    quernel_cpu_get(&cpu);
    if (quernel_isa_parse(name, &isa)) return usage_error("verify", "--isa", *name ? name : NULL);
    if (!(cpu.usable >> isa & 1)) {
        usage_error("verify", "--isa cannot run here", name);
        return EXIT_NO_ISA;
    }
    *ret_mask = cpu.usable & ((2u << isa) - 1);
    return GO_ON;
}

static void help(void) { fputs(usage, stdout); }

typedef struct verify_options {
    kcheck_options check;
    const char *isa;
} verify_options;

static bool take(void *user, option o) {
    verify_options *v = user;
    if (!strcmp(o.name, "long")) return (v->check.cases = 10000) != 0;
    if (!strcmp(o.name, "isa")) return (v->isa = o.value ? o.value : "") != NULL;
    if (option_is(o, "kernel")) return (v->check.kernel = o.value) != NULL;
    return option_is(o, "seed") && parse_u64(o.value, &v->check.seed);
}

static int verify(const kcheck_options *k) {
    kcheck_result result;
    kcheck_run(k, &result);
    printf("%llu passed, %llu failed, %llu skipped\n", (unsigned long long)result.passed,
           (unsigned long long)result.failed, (unsigned long long)result.skipped);
    if (!result.passed && !result.failed)
        return usage_error("verify", "--kernel", k->kernel ? k->kernel : "no kernel");
    return result.failed ? EXIT_WRONG : EXIT_DONE;
}

int command_verify(int argc, char **argv) {
    static const command_line line = {"verify", " long ", help, take};
    verify_options v = {.check = {.seed = 1, .cases = 600, .only = -1, .report = print}};
    int code = options_read(&line, argc, argv, &v);
    if (code == GO_ON && v.isa) code = mask_below(v.isa, &v.check.isas);
    return code == GO_ON ? verify(&v.check) : code;
}
