// SPDX-License-Identifier: Apache-2.0
// Which Arm CPUs are taken for ones whose cores issue out of order.
#include "../unit/check.h"
#include "tests.h"

#if defined(__aarch64__)
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cpu/arm_cores.h"

#define CORES 2
#define PATH_BYTES 200 // of a temporary folder's files

// What each core's file says; NULL: the core is off.
typedef struct cpu_case {
    const char *midr[CORES];
    bool out_of_order;
} cpu_case;

static const cpu_case cases[] = {{{"0x00000000410fd083\n", "0x00000000410fd083\n"}, true},
                                 {{"0x00000000410fd034\n", "0x00000000410fd034\n"}, false},
                                 {{"0x00000000410fd092\n", "0x00000000410fd034\n"}, false},
                                 {{"0x00000000412fd050\n", "0x00000000413fd0c1\n"}, false},
                                 {{NULL, "0x00000000413fd0c1\n"}, true},
                                 {{NULL, "0x00000000517f803c\n"}, false},
                                 {{NULL, NULL}, false}};

static void write_core(const char *root, int core, const char *midr) {
    static const char *const folders[] = {"", "/regs", "/regs/identification"};
    char path[PATH_BYTES];
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, sizeof path, "%s/cpu%d%s", root, core, folders[i]);
        mkdir(path, 0700); // may be there
    }
    snprintf(path, sizeof path, "%s/cpu%d/regs/identification/midr_el1", root, core);
    remove(path);
    if (!midr) return;
    FILE *file = fopen(path, "w");
    CHECK(file && fputs(midr, file) >= 0 && !fclose(file), "%s", path);
}

static void remove_core(const char *root, int core) {
    static const char *const parts[] = {"/regs/identification/midr_el1", "/regs/identification",
                                        "/regs", ""};
    char path[PATH_BYTES];
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        snprintf(path, sizeof path, "%s/cpu%d%s", root, core, parts[i]);
        remove(path);
    }
}

void test_cores(void) {
    char root[] = "/tmp/quernel-cores-XXXXXX";
    if (!CHECK(mkdtemp(root), "no folder")) return;
    CHECK(!quernel_i_arm_cores_out_of_order(root), "without any core");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int core = 0; core < CORES; core++) write_core(root, core, cases[i].midr[core]);
        CHECK(quernel_i_arm_cores_out_of_order(root) == cases[i].out_of_order, "case %zu", i);
    }
    for (int core = 0; core < CORES; core++) remove_core(root, core);
    remove(root);
}

#else

void test_cores(void) { test_skip("cores of Arm"); }

#endif
