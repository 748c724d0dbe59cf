// SPDX-License-Identifier: Apache-2.0
// quernel bench: each row is made, checked against ref, then timed, with the probe of its ISA
// beside every call.
#include "tune/program/bench.h"
#include "cpu/cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tune/program/options.h"
#include "tune/program/output.h"
#include "tune/program/program.h"
#include "tune/program/request_options.h"

static const char usage[] =
    "usage: quernel bench (--layers F | --gemm F) [--boundary int8|int8-dense|f32]\n"
    "       [--layout nchw|nhwc] [--x u8|s8] [--scale static|dynamic] [--smooth "
    "none|channel|column]\n"
    "       [--out s32] [--isa X[,Y…]] [--threads N] [--rounds 31] [--filter S] [--config C]\n"
    "       [--table F|none] [--seed N] [--json OUT]\n"
    "\n"
    "A line for each CSV row and instruction set. What is timed is a run of the operator after a "
    "warm-up,\n"
    "on the same buffers in each round. Every result is compared with ref before it is timed. % of "
    "peak:\n"
    "against a register-only loop beside each call.\n";

static void help(void) { fputs(usage, stdout); }

static bool parse_isas(const char *text, uint32_t *mask) {
    char copy[128];
    if (!text || strlen(text) >= sizeof copy) return false;
    strcpy(copy, text);
    for (char *save, *name = strtok_r(copy, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
        quernel_isa isa;
        if (quernel_isa_parse(name, &isa)) return false;
        *mask |= 1u << isa;
    }
    return *mask != 0;
}

static bool take(void *user, option o) {
    bench_options *b = user;
    if (option_is(o, "layers") || option_is(o, "gemm")) {
        b->file = o.value, b->gemm = option_is(o, "gemm");
        return true;
    }
    if (option_is(o, "smooth"))
        return (b->request.smooth = parse_choice(o.value, smooth_names)) >= 0;
    if (option_is(o, "out")) return (b->request.s32 = !strcmp(o.value, "s32"));
    if (option_is(o, "isa")) return parse_isas(o.value, &b->isas);
    if (option_is(o, "rounds")) return parse_u32(o.value, 3, &b->rounds);
    if (option_is(o, "seed")) return parse_u64(o.value, &b->request.seed);
    if (option_is(o, "filter")) return (b->filter = o.value) != NULL;
    if (option_is(o, "table")) return !setenv("QUERNEL_TABLE", o.value, 1);
    if (option_is(o, "json")) return (b->json_path = o.value) != NULL;
    return request_take(&b->request, o);
}

static void read_plan(bench_row *r) {
    quernel_plan_choice choice = QUERNEL_PLAN_CHOICE_INIT;
    quernel_operator_choice(r->workload.op, &choice);
    quernel_operator_explain(r->workload.op, r->config, sizeof r->config);
    config_word(r->config, "kernel", r->kernel, sizeof r->kernel);
    r->source = output_plan_source(choice.from);
}

// Whether the plan's kernel is of the instruction set that the row is for.
static bool is_of_isa(const bench_row *r) {
    const char *suffix = strrchr(r->kernel, '_');
    return !suffix || !strcmp(suffix + 1, quernel_isa_name(r->isa));
}

static void check_and_time(const bench_options *o, bench_row *r, const quernel_parallel *parallel) {
    workload_run(&r->workload, parallel);
    r->mismatches = workload_check(&r->workload, &r->checked);
    r->status = r->mismatches ? "wrong" : "ok";
    if (r->mismatches) r->reason = "differs from ref";
    else bench_time(o, r, parallel);
}

// Times a row that was made, where its kernel is of the instruction set; else says which would run.
static void bench_made(const bench_options *o, bench_row *r, const quernel_parallel *parallel) {
    static char other[200]; // the reason, until the row is printed
    read_plan(r);
    if (is_of_isa(r)) {
        check_and_time(o, r, parallel);
        return;
    }
    snprintf(other, sizeof other, "%s has no kernel for it: %s would run", quernel_isa_name(r->isa),
             r->kernel);
    r->reason = other;
}

// Returns whether its results are right, as far as there are some.
static bool bench_one(const bench_options *o, const shape *s, quernel_isa isa,
                      const quernel_parallel *parallel, json *out) {
    bench_row r = {.shape = s, .isa = isa, .status = "skipped"};
    request wanted = o->request;
    wanted.isa = isa;
    if (workload_make(&r.workload, s, &wanted)) bench_made(o, &r, parallel);
    else r.reason = r.workload.reason;
    bench_print(o->json_path && !strcmp(o->json_path, "-") ? stderr : stdout, &r);
    if (out) bench_write(out, o, &r);
    workload_free(&r.workload);
    return !r.mismatches;
}

// Whether --filter lets the row through.
static bool is_wanted(const bench_options *o, const shape *s) {
    char text[SHAPE_NAME_MAX];
    snprintf(text, sizeof text, "%s %s %ux%ux%u", s->model, s->layer, s->m, s->n, s->k);
    return !o->filter || strstr(text, o->filter);
}

static int count_wanted(const bench_options *o, const shape *shapes, int count) {
    int wanted = 0;
    for (int i = 0; i < count; i++) wanted += is_wanted(o, &shapes[i]);
    return wanted;
}

static bool bench_rows(const bench_options *o, const shape *shapes, int count, json *out) {
    quernel_pool *pool = NULL;
    quernel_parallel parallel = {0};
    const uint32_t threads = o->request.threads;
    if (threads > 1 && !quernel_pool_create(threads, &pool, NULL))
        parallel = quernel_pool_parallel(pool);
    bool right = true;
    for (int i = 0; i < count; i++)
        for (int isa = QUERNEL_I_ISA_COUNT - 1; isa >= 0 && is_wanted(o, &shapes[i]); isa--)
            if (o->isas >> isa & 1)
                right &= bench_one(o, &shapes[i], (quernel_isa)isa, pool ? &parallel : NULL, out);
    quernel_pool_destroy(pool);
    return right;
}

static int bench_into(const bench_options *o, const shape *shapes, int count) {
    json_file out;
    if (!json_file_open(&out, o->json_path)) return usage_error("bench", "--json", o->json_path);
    json *j = o->json_path ? &out.json : NULL;
    if (j) {
        *j = json_document(j->to, "quernel-bench-1");
        bench_write_host(j);
        json_open(j, "rows", '[');
    }
    const bool right = bench_rows(o, shapes, count, j);
    if (j) json_close(j, ']'), json_document_end(j);
    if (!json_file_close(&out)) return write_error("bench", o->json_path);
    return right ? EXIT_DONE : EXIT_WRONG;
}

static int bench(const bench_options *o) {
    shape *shapes = NULL;
    const int count = shapes_read(o->file, o->gemm, &shapes);
    int code = EXIT_USAGE; // what is wrong with the file was told
    if (count >= 0 && !count_wanted(o, shapes, count))
        usage_error("bench", "nothing to time", o->filter ? o->filter : o->file);
    else if (count >= 0) code = bench_into(o, shapes, count);
    free(shapes);
    return code;
}

// The ceiling where none is named.
static int choose_isas(bench_options *o) {
    quernel_cpu cpu = QUERNEL_CPU_INIT;
    quernel_cpu_get(&cpu);
    if (!o->isas) o->isas = 1u << cpu.ceiling;
    const uint32_t missing = o->isas & ~cpu.usable;
    for (int isa = 0; isa < QUERNEL_I_ISA_COUNT; isa++)
        if (missing >> isa & 1)
            usage_error("bench", "--isa cannot run here", quernel_isa_name((quernel_isa)isa));
    return missing ? EXIT_NO_ISA : GO_ON;
}

int command_bench(int argc, char **argv) {
    static const command_line line = {"bench", "", help, take};
    bench_options o = {.rounds = 31,
                       .request = {.nchw = 1, .x_type = QUERNEL_TYPE_U8, .threads = 1, .seed = 1}};
    int code = options_read(&line, argc, argv, &o);
    if (code == GO_ON && !o.file) code = usage_error("bench", "--layers or --gemm", NULL);
    if (code == GO_ON) code = choose_isas(&o);
    return code == GO_ON ? bench(&o) : code;
}
