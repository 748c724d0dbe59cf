// SPDX-License-Identifier: Apache-2.0
// Runs the cases of every kernel.
#include "kcheck.h"

#include <stdio.h>
#include <string.h>

#include "cpu/cpu.h"
#include "registry/registry.h"

enum { FAILURES_SHOWN = 3 };

const char *kcheck_case(const quernel_i_kernel *kernel, const quernel_i_kernel *oracle, uint64_t seed, uint64_t number) {
    guard g = {.at_end = number & 1};
    const char *wrong = NULL;
    switch (kernel->op) {
    case QUERNEL_I_OP_GEMM:
    case QUERNEL_I_OP_GEMV: wrong = kcheck_product(kernel, oracle, &g, seed, number); break;
    case QUERNEL_I_OP_CONV3X3:
    case QUERNEL_I_OP_CONV3X3S2:
    case QUERNEL_I_OP_CONVLINES:
    case QUERNEL_I_OP_CONVGROUPS: wrong = kcheck_conv(kernel, oracle, &g, seed, number); break;
    case QUERNEL_I_OP_DEPTHWISE: wrong = kcheck_depthwise(kernel, oracle, &g, seed, number); break;
    case QUERNEL_I_OP_FINISH: wrong = kcheck_finish(kernel, oracle, &g, seed, number); break;
    case QUERNEL_I_OP_ROWS_NHWC:
    case QUERNEL_I_OP_ROWS_NCHW: wrong = kcheck_rows(kernel, oracle, &g, seed, number); break;
    case QUERNEL_I_OP_RANGE_NHWC:
    case QUERNEL_I_OP_RANGE_NCHW: wrong = kcheck_range(kernel, oracle, &g, seed, number); break;
    default: wrong = "kcheck knows no cases for this kind of kernel"; break;
    }
    guard_free(&g);
    return wrong;
}

static void say(const kcheck_options *o, const char *line) {
    if (o->report) o->report(o->user, line);
}

// Rows, ranges and the finish do not depend on how rows are encoded.
static const quernel_i_kernel *oracle_of(const quernel_i_kernel *k) {
    const bool typed = k->op <= QUERNEL_I_OP_DEPTHWISE;
    return quernel_i_registry_best((quernel_i_op)k->op, 1u << QUERNEL_ISA_REF, typed ? k->a_type : -1);
}

static void check_kernel(const kcheck_options *o, const quernel_i_kernel *k, kcheck_result *result) {
    const quernel_i_kernel *oracle = oracle_of(k);
    char line[320];
    uint64_t failed = 0;
    const uint64_t first = o->only < 0 ? 0 : (uint64_t)o->only, end = o->only < 0 ? o->cases : first + 1;
    for (uint64_t i = first; i < end; i++) {
        const char *wrong = oracle ? kcheck_case(k, oracle, o->seed, i) : "ref has no such kernel";
        if (!wrong) continue;
        if (failed++ < FAILURES_SHOWN) {
            snprintf(line, sizeof line, "%s: case %llu: %s; replay: kcheck --kernel %s --seed %llu --case %llu", k->name,
                     (unsigned long long)i, wrong, k->name, (unsigned long long)o->seed, (unsigned long long)i);
            say(o, line);
        }
    }
    snprintf(line, sizeof line, "%s: %llu of %llu cases right", k->name, (unsigned long long)(end - first - failed),
             (unsigned long long)(end - first));
    say(o, line);
    result->passed += end - first - failed;
    result->failed += failed;
}

void kcheck_run(const kcheck_options *o, kcheck_result *ret_result) {
    const quernel_cpu *cpu = quernel_i_cpu();
    *ret_result = (kcheck_result){0};
    char line[200];
    for (const quernel_i_kernel *k = quernel_i_kernels; k->name; k++) {
        if ((o->kernel && !strstr(k->name, o->kernel)) || (o->isas && !(o->isas >> k->isa & 1))) continue;
        const bool refused = k->isa == QUERNEL_ISA_AMXINT8 && cpu->usable >> k->isa & 1 && quernel_i_amx_request();
        if (cpu->usable >> k->isa & 1 && !refused) {
            check_kernel(o, k, ret_result);
            continue;
        }
        if (cpu->detected >> k->isa & 1 && !refused) continue; // above the ceiling: nobody asked for it
        snprintf(line, sizeof line, "%s: skipped: %s cannot run it", k->name, refused ? "this process" : "this CPU");
        say(o, line);
        ret_result->skipped++;
    }
}
