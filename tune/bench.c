// SPDX-License-Identifier: Apache-2.0
// quernel bench: each row is made, checked against ref, then timed, with the probe of its ISA beside every call.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/cpu.h"
#include "base/alloc.h"
#include "tune/json.h"
#include "tune/probe.h"
#include "tune/program.h"
#include "tune/statistics.h"
#include "tune/subject.h"

typedef struct plan {
    const char *file, *filter, *json_path;
    int gemm;
    uint32_t rounds;
    uint32_t isas; // mask of demanded instruction sets
    request request;
} plan;

typedef struct result {
    const char *status, *reason;
    uint64_t checked, mismatches;
    median ms;
    double gops, peak_gops, percent, read_gbs, probe_read_gbs;
    char config[512];
    const char *from; // model, override, table
} result;

static const char usage[] =
    "usage: quernel bench (--layers F | --gemm F) [--boundary int8|int8-dense|f32] [--layout nchw|nhwc] [--x u8|s8]\n"
    "       [--scale static|dynamic] [--smooth none|channel|column] [--out s32] [--isa X[,Y…]] [--threads N] [--rounds 31]\n"
    "       [--filter S] [--config C] [--table F|none] [--seed N] [--json OUT]\n\n"
    "A row per CSV row and instruction set. Timed: run alone, after a warm-up, the same buffers in each round. Every\n"
    "result is compared with ref before it is timed. % of peak: against a register-only loop beside each call.\n";

static int choice(const char *value, const char *const *names) {
    for (int i = 0; value && names[i]; i++)
        if (!strcmp(value, names[i])) return i;
    return -1;
}

static int parse_isas(const char *text, uint32_t *mask) {
    char copy[128];
    if (!text || strlen(text) >= sizeof copy) return 0;
    strcpy(copy, text);
    for (char *save, *name = strtok_r(copy, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
        quernel_isa isa;
        if (quernel_isa_parse(name, &isa)) return 0;
        *mask |= 1u << isa;
    }
    return *mask != 0;
}

// One option; 0 when its name or value is unknown.
static int take(plan *p, const option_seen o) {
    static const char *const boundaries[] = {"int8", "int8-dense", "f32", NULL}, *const layouts[] = {"nhwc", "nchw", NULL};
    static const char *const types[] = {"s8", "u8", NULL}, *const scales[] = {"static", "dynamic", NULL};
    static const char *const smooths[] = {"none", "channel", "column", NULL};
    request *r = &p->request;
    int i = 0;
    if (!o.value) return 0;
    if (!strcmp(o.name, "layers")) p->file = o.value, p->gemm = 0;
    else if (!strcmp(o.name, "gemm")) p->file = o.value, p->gemm = 1;
    else if (!strcmp(o.name, "boundary")) r->boundary = (enum boundary)(i = choice(o.value, boundaries));
    else if (!strcmp(o.name, "layout")) r->nchw = i = choice(o.value, layouts);
    else if (!strcmp(o.name, "x")) r->x_type = (i = choice(o.value, types)) ? QUERNEL_TYPE_U8 : QUERNEL_TYPE_S8;
    else if (!strcmp(o.name, "scale")) r->dynamic = i = choice(o.value, scales);
    else if (!strcmp(o.name, "smooth")) r->smooth = i = choice(o.value, smooths);
    else if (!strcmp(o.name, "out")) r->s32 = !strcmp(o.value, "s32"), i = r->s32 ? 0 : -1;
    else if (!strcmp(o.name, "isa")) return parse_isas(o.value, &p->isas);
    else if (!strcmp(o.name, "threads")) return parse_u32(o.value, 1, &r->threads);
    else if (!strcmp(o.name, "rounds")) return parse_u32(o.value, 3, &p->rounds);
    else if (!strcmp(o.name, "seed")) return parse_u64(o.value, &r->seed);
    else if (!strcmp(o.name, "filter")) p->filter = o.value;
    else if (!strcmp(o.name, "config")) r->config = o.value;
    else if (!strcmp(o.name, "table")) i = setenv("QUERNEL_TABLE", o.value, 1);
    else if (!strcmp(o.name, "json")) p->json_path = o.value;
    else return 0;
    return i >= 0;
}

static double time_run(subject *s, const quernel_parallel *parallel) {
    const double start = probe_now();
    subject_run(s, parallel);
    return probe_now() - start;
}

static void time_rounds(const plan *p, subject *s, quernel_isa isa, const quernel_parallel *parallel, result *r) {
    const double once = time_run(s, parallel);
    const uint32_t probe = probe_calibrate(isa, fmin(fmax(once / 2, 1e-4), 2e-3)), threads = s->request.threads;
    // A round lasts at least 100 µs, so that short rows are not a reading of the clock.
    const uint32_t calls = once < 1e-4 ? (uint32_t)(1e-4 / (once + 1e-9)) + 1 : 1;
    double *ms = malloc(3 * p->rounds * sizeof *ms), *peak = ms + p->rounds, *percent = peak + p->rounds;
    if (!ms) return;
    for (uint32_t i = 0; i < p->rounds; i++) {
        peak[i] = probe_gops(isa, probe, threads, parallel);
        const double start = probe_now();
        for (uint32_t c = 0; c < calls; c++) subject_run(s, parallel);
        ms[i] = 1e3 * (probe_now() - start) / calls;
        percent[i] = 100 * (2e-6 * (double)s->shape->macs / ms[i]) / peak[i];
    }
    r->ms = median_of(ms, p->rounds);
    r->gops = 2e-6 * (double)s->shape->macs / r->ms.middle;
    r->peak_gops = probe ? median_of(peak, p->rounds).middle : NAN;
    r->percent = probe ? median_of(percent, p->rounds).middle : NAN;
    free(ms);
}

// Few rows are bound by reading the weights: the same bytes read by a plain loop, beside each call.
static void time_reading(const plan *p, subject *s, quernel_isa isa, const quernel_parallel *parallel, result *r) {
    r->read_gbs = 1e-6 * (double)(s->weights_bytes + s->x_bytes) / r->ms.middle;
    r->probe_read_gbs = NAN;
    if (s->shape->m > 4 || probe_bound(isa) == 0) return;
    const size_t bytes = s->weights_bytes / 1024 * 1024;
    const quernel_allocator allocator = quernel_i_allocator(NULL); // whose pages the weights lie on
    uint8_t *memory = bytes ? quernel_i_allocate(&allocator, bytes) : NULL;
    double *gbs = malloc(2 * p->rounds * sizeof *gbs), *own = gbs + p->rounds;
    if (memory && gbs) {
        memset(memory, 1, bytes);
        for (uint32_t i = 0; i < p->rounds; i++) {
            probe_read(isa, memory, bytes); // both sides find their own bytes where a second pass finds them
            gbs[i] = probe_read(isa, memory, bytes);
            subject_run(s, parallel);
            own[i] = 1e-9 * (double)s->weights_bytes / time_run(s, parallel);
        }
        r->probe_read_gbs = median_of(gbs, p->rounds).middle;
        r->read_gbs = median_of(own, p->rounds).middle;
    }
    quernel_i_release(&allocator, memory, bytes), free(gbs);
}

static const char *const op_names[] = {"gemm", "conv", "deconv", "depthwise"};
static const char *const boundary_names[] = {"int8", "int8-dense", "f32"};

// The word behind "key=" of an explain line.
static const char *word_of(const char *config, const char *key, char *to, size_t capacity) {
    const char *at = strstr(config, key);
    if (!at) return NULL;
    at += strlen(key);
    snprintf(to, capacity, "%.*s", (int)strcspn(at, " "), at);
    return to;
}

static void write_row(json *j, const plan *p, const shape *s, quernel_isa isa, const subject *u, const result *r) {
    static const char *const smooths[] = {"none", "channel", "column"};
    char kernel[96], path[24];
    const int run = !strcmp(r->status, "ok"), gemm = s->op == SHAPE_GEMM;
    json_open(j, NULL, '{');
    if (gemm) json_text(j, "kind", s->layer);
    else json_text(j, "model", s->model), json_text(j, "layer", s->layer);
    json_text(j, "op", op_names[s->op]);
    const struct {
        const char *name;
        uint32_t value;
    } sizes[] = {{"c_in", s->c_in}, {"h", s->h}, {"w", s->w}, {"c_out", s->c_out}, {"kernel", s->kernel}, {"stride", s->stride},
                 {"pad", s->pad}, {"batch", s->batch}, {"groups", s->groups}, {"dilation", s->dilation},
                 {"kernel_w", s->kernel_w}, {"stride_w", s->stride_w}, {"pad_w", s->pad_w}, {"out_pad", s->out_pad},
                 {"residual", s->residual}, {"repeat", s->repeat}};
    for (size_t i = 0; !gemm && i < sizeof sizes / sizeof *sizes; i++) json_integer(j, sizes[i].name, sizes[i].value);
    if (!gemm) json_text(j, "activation", s->activation);
    json_integer(j, "m", s->m), json_integer(j, "n", s->n), json_integer(j, "k", s->k), json_integer(j, "macs", (int64_t)s->macs);
    json_text(j, "isa", quernel_isa_name(isa)), json_integer(j, "threads", p->request.threads);
    json_text(j, "boundary", boundary_names[p->request.boundary]), json_text(j, "layout", p->request.nchw ? "nchw" : "nhwc");
    json_text(j, "x", p->request.x_type == QUERNEL_TYPE_U8 ? "u8" : "s8");
    json_text(j, "scale", p->request.dynamic ? "dynamic" : "static"), json_text(j, "smooth", smooths[p->request.smooth]);
    json_text(j, "path", word_of(r->config, "path=", path, sizeof path));
    json_text(j, "kernel", word_of(r->config, "kernel=", kernel, sizeof kernel));
    json_text(j, "config", *r->config ? r->config : NULL);
    json_text(j, "config_from", r->from);
    json_integer(j, "checked", (int64_t)r->checked), json_integer(j, "mismatches", (int64_t)r->mismatches);
    json_integer(j, "rounds", p->rounds);
    json_number(j, "median_ms", run ? r->ms.middle : NAN), json_number(j, "lo_ms", run ? r->ms.lo : NAN), json_number(j, "hi_ms", run ? r->ms.hi : NAN);
    json_number(j, "gops", run ? r->gops : NAN), json_number(j, "peak_gops", run ? r->peak_gops : NAN);
    json_number(j, "percent_of_peak", run ? r->percent : NAN);
    json_number(j, "read_gbs", run ? r->read_gbs : NAN), json_number(j, "probe_read_gbs", run ? r->probe_read_gbs : NAN);
    json_integer(j, "bytes_in", (int64_t)u->x_bytes), json_integer(j, "bytes_out", (int64_t)u->y_bytes);
    json_integer(j, "bytes_weights", (int64_t)u->weights_bytes), json_integer(j, "workspace_bytes", (int64_t)u->workspace_bytes);
    json_text(j, "status", r->status), json_text(j, "reason", r->reason);
    json_close(j, '}');
}

// The table goes to stdout, or to stderr where stdout is the JSON.
static void print_row(FILE *to, const shape *s, quernel_isa isa, const result *r) {
    char name[120];
    if (s->op == SHAPE_GEMM) snprintf(name, sizeof name, "%s %ux%ux%u", s->layer, s->m, s->n, s->k);
    else snprintf(name, sizeof name, "%s %s %u:%u %ux%u k%u s%u", s->model, s->layer, s->c_in, s->c_out, s->h, s->w, s->kernel, s->stride);
    fprintf(to, "%-52.52s %-10s ", name, quernel_isa_name(isa));
    if (strcmp(r->status, "ok")) fprintf(to, "%s: %s\n", r->status, r->reason ? r->reason : "");
    else {
        fprintf(to, "%9.3f ms [%.3f, %.3f] %8.1f GOPS ", r->ms.middle, r->ms.lo, r->ms.hi, r->gops);
        if (isfinite(r->percent)) fprintf(to, "%5.1f %% of %.0f", r->percent, r->peak_gops);
        if (isfinite(r->probe_read_gbs)) fprintf(to, "  %.1f GB/s, %.1f %% of reading", r->read_gbs, 100 * r->read_gbs / r->probe_read_gbs);
        fprintf(to, "\n");
    }
    fflush(to);
}

static void run_row(const plan *p, const shape *row, quernel_isa isa, const quernel_parallel *parallel, json *out,
                    int *wrong) {
    subject s;
    result r = {.status = "skipped"};
    request wanted = p->request;
    wanted.isa = isa;
    const int made = subject_make(&s, row, &wanted);
    if (made) {
        static const char *const from[] = {"model", "override", "table"};
        quernel_plan_choice choice = QUERNEL_PLAN_CHOICE_INIT;
        quernel_operator_choice(s.op, &choice);
        quernel_operator_explain(s.op, r.config, sizeof r.config);
        r.from = from[choice.from];
    }
    char kernel[96];
    const char *name = word_of(r.config, "kernel=", kernel, sizeof kernel), *suffix = name ? strrchr(name, '_') : NULL;
    static char other[160];
    if (!made) r.reason = s.reason;
    else if (suffix && strcmp(suffix + 1, quernel_isa_name(isa))) {
        snprintf(other, sizeof other, "%s has no kernel for it: %s would run", quernel_isa_name(isa), name);
        r.reason = other;
    } else {
        subject_run(&s, parallel);
        r.mismatches = subject_check(&s, &r.checked);
        r.status = r.mismatches ? "wrong" : "ok";
        if (r.mismatches) *wrong = 1, r.reason = "differs from ref";
        else {
            time_rounds(p, &s, isa, parallel, &r);
            time_reading(p, &s, isa, parallel, &r);
        }
    }
    print_row(p->json_path && !strcmp(p->json_path, "-") ? stderr : stdout, row, isa, &r);
    if (out) write_row(out, p, row, isa, &s, &r);
    subject_free(&s);
}

static void write_host(json *j) {
    quernel_cpu cpu = QUERNEL_CPU_INIT;
    quernel_cpu_get(&cpu);
    json_open(j, "host", '{');
    json_text(j, "model", cpu.model);
    json_integer(j, "cores", cpu.cores);
    json_integer(j, "l1d_bytes", (int64_t)cpu.l1d_bytes), json_integer(j, "l2_bytes", (int64_t)cpu.l2_bytes);
    json_integer(j, "l3_bytes", (int64_t)cpu.l3_bytes);
    json_text(j, "version", quernel_version()), json_text(j, "commit", build_commit());
    json_text(j, "compiler", build_compiler()), json_text(j, "flags", build_flags());
    json_close(j, '}');
}

static int bench_rows(const plan *p, const shape *shapes, int count, json *out) {
    quernel_pool *pool = NULL;
    quernel_parallel parallel = {0};
    if (p->request.threads > 1 && !quernel_pool_create(p->request.threads, &pool, NULL)) parallel = quernel_pool_parallel(pool);
    int wrong = 0;
    for (int i = 0; i < count; i++) {
        char text[160];
        snprintf(text, sizeof text, "%s %s %ux%ux%u", shapes[i].model, shapes[i].layer, shapes[i].m, shapes[i].n, shapes[i].k);
        if (p->filter && !strstr(text, p->filter)) continue;
        for (int isa = QUERNEL_I_ISA_COUNT - 1; isa >= 0; isa--)
            if (p->isas >> isa & 1) run_row(p, &shapes[i], (quernel_isa)isa, pool ? &parallel : NULL, out, &wrong);
    }
    quernel_pool_destroy(pool);
    return wrong;
}

static int bench(const plan *p) {
    shape *shapes = NULL;
    const int count = shapes_read(p->file, p->gemm, &shapes);
    if (count < 0) return EXIT_USAGE;
    char temporary[1024] = "";
    FILE *to = NULL;
    if (p->json_path) {
        const int direct = !strcmp(p->json_path, "-");
        snprintf(temporary, sizeof temporary, "%s.tmp", p->json_path);
        to = direct ? tmpfile() : fopen(temporary, "w");
        if (!to) {
            free(shapes);
            return usage_error("bench", "--json", p->json_path);
        }
    }
    json j = {to, 1};
    if (to) {
        json_open(&j, NULL, '{');
        json_text(&j, "schema", "quernel-bench-1");
        write_host(&j);
        json_open(&j, "rows", '[');
    }
    const int wrong = bench_rows(p, shapes, count, to ? &j : NULL);
    free(shapes);
    if (to) {
        json_close(&j, ']'), json_close(&j, '}');
        fputc('\n', to);
        if (!strcmp(p->json_path, "-")) {
            rewind(to);
            for (int c; (c = fgetc(to)) != EOF;) putchar(c);
        }
        if (fclose(to) || (strcmp(p->json_path, "-") && rename(temporary, p->json_path)))
            return usage_error("bench", "--json", p->json_path);
    }
    return wrong ? EXIT_WRONG : EXIT_DONE;
}

int command_bench(int argc, char **argv) {
    plan p = {.rounds = 31, .request = {.nchw = 1, .x_type = QUERNEL_TYPE_U8, .threads = 1, .seed = 1}};
    options o = {argc, 0, argv};
    for (option_seen seen; (seen = option_next(&o, " help ")).name;) {
        if (!strcmp(seen.name, "help")) {
            fputs(usage, stdout);
            return EXIT_DONE;
        }
        if (!take(&p, seen)) return usage_error("bench", seen.name, seen.value);
    }
    if (!p.file) return usage_error("bench", "--layers or --gemm", NULL);
    quernel_cpu cpu = QUERNEL_CPU_INIT;
    quernel_cpu_get(&cpu);
    if (!p.isas) p.isas = 1u << cpu.ceiling;
    if (p.isas & ~cpu.usable) {
        for (int isa = 0; isa < QUERNEL_I_ISA_COUNT; isa++)
            if ((p.isas & ~cpu.usable) >> isa & 1) usage_error("bench", "--isa cannot run here", quernel_isa_name((quernel_isa)isa));
        return EXIT_NO_ISA;
    }
    return bench(&p);
}
