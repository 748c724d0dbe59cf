// SPDX-License-Identifier: Apache-2.0
// Runs the cases of every kernel.
#include "kcheck.h"

#include <stdio.h>
#include <string.h>

#include "cpu/cpu.h"
#include "registry/registry.h"

enum { FAILURES_SHOWN = 3 };

typedef const char *cases(const quernel_i_kernel *, const quernel_i_kernel *, guard *,
                          uint64_t seed, uint64_t number);
static cases *const cases_of[QUERNEL_I_CALL_COUNT] = {
#define CALL(call, member, prepare, arguments) [QUERNEL_I_CALL_##call] = kcheck_##member,
#include "kernels/ops.def"
};

const char *kcheck_case(const quernel_i_kernel *kernel, const quernel_i_kernel *oracle,
                        uint64_t seed, uint64_t number) {
    guard g = {.at_end = number & 1};
    const char *wrong = cases_of[kernel->call](kernel, oracle, &g, seed, number);
    guard_free(&g);
    return wrong;
}

static void say(const kcheck_options *o, const char *line) {
    if (o->report) o->report(o->user, line);
}

static void check_kernel(const kcheck_options *o, const quernel_i_kernel *k,
                         kcheck_result *result) {
    const quernel_i_kernel *oracle = quernel_i_registry_oracle(k);
    char line[320];
    uint64_t failed = 0;
    const uint64_t first = o->only < 0 ? 0 : (uint64_t)o->only,
                   end = o->only < 0 ? o->cases : first + 1;
    for (uint64_t i = first; i < end; i++) {
        const char *wrong = oracle ? kcheck_case(k, oracle, o->seed, i) : "ref has no such kernel";
        if (!wrong) continue;
        if (failed++ < FAILURES_SHOWN) {
            snprintf(line, sizeof line,
                     "%s: case %llu: %s; replay: kcheck --kernel %s --seed %llu --case %llu",
                     k->name, (unsigned long long)i, wrong, k->name, (unsigned long long)o->seed,
                     (unsigned long long)i);
            say(o, line);
        }
    }
    snprintf(line, sizeof line, "%s: %llu of %llu cases right", k->name,
             (unsigned long long)(end - first - failed), (unsigned long long)(end - first));
    say(o, line);
    result->passed += end - first - failed;
    result->failed += failed;
}

static bool multiplies(const quernel_i_kernel *k) {
    return k->call == QUERNEL_I_CALL_GEMM || k->call == QUERNEL_I_CALL_CONV ||
           k->call == QUERNEL_I_CALL_DEPTHWISE;
}

static void prove(const kcheck_options *o, const quernel_i_kernel *k, bool longer,
                  kcheck_result *result) {
    char line[320], text[200];
    if (!multiplies(k)) return;
    const char *wrong = kcheck_prove(k, longer, o->seed, text, sizeof text);
    snprintf(line, sizeof line, "%s: %s", k->name, wrong ? wrong : "proved");
    say(o, line);
    if (wrong) result->failed++;
    else result->passed++;
}

static void prove_quick(const kcheck_options *o, const quernel_i_kernel *k, kcheck_result *result) {
    prove(o, k, false, result);
}

static void prove_long(const kcheck_options *o, const quernel_i_kernel *k, kcheck_result *result) {
    prove(o, k, true, result);
}

typedef void check(const kcheck_options *o, const quernel_i_kernel *k, kcheck_result *result);

static void each_kernel(const kcheck_options *o, check *check_one, kcheck_result *ret_result) {
    const quernel_cpu *cpu = quernel_i_cpu();
    *ret_result = (kcheck_result){0};
    char line[200];
    for (const quernel_i_kernel *k = quernel_i_kernels; k->name; k++) {
        if ((o->kernel && !strstr(k->name, o->kernel)) || (o->isas && !(o->isas >> k->isa & 1)))
            continue;
        const bool runs = quernel_i_registry_runs(k, cpu->usable),
                   refused = runs && quernel_i_isa_request((quernel_isa)k->isa);
        if (runs && !refused) {
            check_one(o, k, ret_result);
            continue;
        }
        // above the ceiling: nobody asked for it
        if (quernel_i_registry_runs(k, cpu->detected) && !refused) continue;
        snprintf(line, sizeof line, "%s: skipped: %s cannot run it", k->name,
                 refused ? "this process" : "this CPU");
        say(o, line);
        ret_result->skipped++;
    }
}

void kcheck_run(const kcheck_options *o, kcheck_result *ret_result) {
    each_kernel(o, check_kernel, ret_result);
}

void kcheck_prove_all(const kcheck_options *o, bool longer, kcheck_result *ret_result) {
    each_kernel(o, longer ? prove_long : prove_quick, ret_result);
}
