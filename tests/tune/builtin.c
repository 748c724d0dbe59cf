// SPDX-License-Identifier: Apache-2.0
// The rows that are built in: each is read, and its plan is legal for its layer by today's kernels
// and keys. The lint looks at what machines and revisions they are of.
#include <stdio.h>
#include <string.h>

#include "../unit/check.h"
#include "op/product.h"
#include "registry/registry.h"
#include "table/table.h"
#include "tests.h"
#include "tune/workload/shape_key.h"

extern const char quernel_i_embedded[];

// Every instruction set: the plans are made, not run.
static int plan_row(const quernel_operator *op, const quernel_i_row *row) {
    const quernel_i_machine machine = quernel_i_machine_of(UINT32_MAX);
    quernel_i_config config;
    quernel_i_plan plan;
    const int code = quernel_i_config_parse(row->config, "row", &config, NULL);
    if (code) return code;
    return quernel_i_plan_make(&quernel_i_product_of(op)->problem, &config, &machine, &plan, NULL);
}

static void check_row(const quernel_i_row *row) {
    shape s;
    request r;
    workload u = {0};
    if (!CHECK(shape_of_key(row->op, row->shape, row->env, &s, &r), "%s: no layer", row->shape))
        return;
    r.isa = QUERNEL_ISA_REF;
    if (CHECK(workload_make(&u, &s, &r), "%s: %s", row->shape, u.reason))
        CHECK(!plan_row(u.op, row), "%s: not legal: %s", row->shape, row->config);
    workload_free(&u);
}

// Whether this build has the kernel that the config begins with.
static bool is_here(const quernel_i_row *row) {
    char name[128];
    return sscanf(row->config, "kernel=%127s", name) == 1 && quernel_i_registry_named(name);
}

void test_table_embedded(void) {
    quernel_i_table *t = quernel_i_table_parse("embedded", quernel_i_embedded,
                                               strlen(quernel_i_embedded), NULL, NULL);
    if (!CHECK(t && !t->bad, "a line is no row")) return;
    for (uint32_t i = 0; i < t->good; i++)
        if (is_here(&t->rows[i])) check_row(&t->rows[i]);
    quernel_i_table_free(t);
}
