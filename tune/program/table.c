// SPDX-License-Identifier: Apache-2.0
// quernel table show | lint | merge.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table/table.h"
#include "tune/common/json.h"
#include "tune/program/options.h"
#include "tune/program/program.h"
#include "tune/search/publish.h"

static const char usage[] =
    "usage: quernel table show F… [--json] | lint F… | merge F… --out F\n"
    "\n"
    "show   every row in words\n"
    "lint   FILE:LINE: reason for each line that is no row; closes with N rows, N good, N bad; "
    "exit 1\n"
    "       where some are bad\n"
    "merge  one row for each layer and machine: measurements of one config are pooled (logarithms "
    "of\n"
    "       ratios, by 1 over the squared width of their intervals), then the best of a layer's "
    "configs\n"
    "       is kept. Replaces F by rename; tuners that append meanwhile lose nothing\n";

enum { FILES_MAX = 256 }; // of one command

typedef struct files {
    quernel_i_table *tables[FILES_MAX];
    const char *paths[FILES_MAX];
    uint32_t count;
} files;

static void tell_bad(void *user, uint32_t line, const char *reason) {
    printf("%s:%u: %s\n", (const char *)user, line, reason);
}

static int read_files(files *f, quernel_i_table_bad *bad) {
    for (uint32_t i = 0; i < f->count; i++) {
        f->tables[i] = quernel_i_table_read(f->paths[i], bad, (void *)f->paths[i]);
        if (!f->tables[i] || f->tables[i]->wrong)
            return usage_error("table", f->paths[i],
                               f->tables[i] ? f->tables[i]->wrong : "no memory");
    }
    return f->count ? EXIT_DONE : usage_error("table", "file", NULL);
}

static void write_texts(json *j, const quernel_i_row *r) {
    const struct {
        const char *name, *value;
    } texts[] = {{"op", r->op},
                 {"shape", r->shape},
                 {"env", r->env},
                 {"config", r->config},
                 {"verdict", quernel_i_row_verdict_name(r->verdict)},
                 {"effort", quernel_i_row_effort_name(r->effort)},
                 {"version", r->version},
                 {"date", r->date},
                 {"class", r->machine},
                 {"rates", r->rates},
                 {"lost", r->lost},
                 {"extra", *r->extra ? r->extra : NULL}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        json_text(j, texts[i].name, texts[i].value);
}

static void write_row(json *j, const quernel_i_row *r) {
    json_open(j, NULL, '{');
    write_texts(j, r);
    json_integer(j, "m", (int64_t)r->m), json_integer(j, "n", (int64_t)r->n),
        json_integer(j, "k", (int64_t)r->k);
    json_integer(j, "krev", r->krev), json_integer(j, "rounds", r->rounds),
        json_integer(j, "seed", (int64_t)r->seed);
    json_number(j, "base_ns", r->base_ns), json_number(j, "best_ns", r->best_ns);
    json_number(j, "ratio", r->ratio), json_number(j, "lo", r->lo), json_number(j, "hi", r->hi);
    json_close(j, '}');
}

static void print_row(const quernel_i_row *r) {
    printf("%s  %s  %s\n", r->op, r->shape, r->env);
    printf("    %s %.3f [%.3f, %.3f], %.3f ms (default %.3f), %u rounds, %s, %s\n",
           quernel_i_row_verdict_name(r->verdict), r->ratio, r->lo, r->hi, 1e-6 * r->best_ns,
           1e-6 * r->base_ns, r->rounds, quernel_i_row_effort_name(r->effort), r->date);
    printf("    %s (krev %u) on %s\n", r->config, r->krev, r->machine);
}

static int show(files *f, bool as_json) {
    const int code = read_files(f, NULL);
    if (code) return code;
    json j = {stdout, 1};
    if (as_json) j = json_document(stdout, "quernel-table-1"), json_open(&j, "rows", '[');
    for (uint32_t i = 0; i < f->count; i++)
        for (uint32_t n = 0; n < f->tables[i]->good; n++) {
            const quernel_i_row *r = &f->tables[i]->rows[n];
            if (as_json) write_row(&j, r);
            else print_row(r);
        }
    if (as_json) json_close(&j, ']'), json_document_end(&j);
    return EXIT_DONE;
}

static int lint(files *f) {
    const int code = read_files(f, tell_bad);
    if (code) return code;
    uint32_t good = 0, bad = 0;
    for (uint32_t i = 0; i < f->count; i++) good += f->tables[i]->good, bad += f->tables[i]->bad;
    printf("%u rows, %u good, %u bad\n", good + bad, good, bad);
    return bad ? EXIT_WRONG : EXIT_DONE;
}

static bool same_layer(const quernel_i_row *a, const quernel_i_row *b) {
    return !strcmp(a->op, b->op) && !strcmp(a->shape, b->shape) && !strcmp(a->env, b->env) &&
           !strcmp(a->machine, b->machine);
}
static bool same_decision(const quernel_i_row *a, const quernel_i_row *b) {
    return same_layer(a, b) && !strcmp(a->config, b->config) && a->krev == b->krev &&
           a->verdict == b->verdict;
}

// 1 over the squared half width of the interval of log(ratio): what a measurement weighs.
static double evidence(const quernel_i_row *r) {
    const double half = 0.5 * (log(fmax(r->hi, 1e-9)) - log(fmax(r->lo, 1e-9)));
    return 1 / fmax(half * half, 1e-6);
}

// Pools b into a: two measurements of one decision.
static void pool(quernel_i_row *a, const quernel_i_row *b) {
    const double wa = evidence(a), wb = evidence(b), w = wa + wb;
    const double middle = (wa * log(a->ratio) + wb * log(b->ratio)) / w, half = 1 / sqrt(w);
    const uint64_t rounds = (uint64_t)a->rounds + b->rounds;
    if (strcmp(b->date, a->date) > 0)
        a->date = b->date, a->seed = b->seed, a->version = b->version, a->base_ns = b->base_ns,
        a->best_ns = b->best_ns, a->lost = b->lost;
    if (b->effort > a->effort) a->effort = b->effort;
    a->ratio = exp(middle), a->lo = exp(middle - half), a->hi = exp(middle + half);
    a->rounds = rounds > UINT32_MAX ? UINT32_MAX : (uint32_t)rounds;
}

// The better row of one layer: of a later kernel revision, then the one that surely gains more.
static bool better(const quernel_i_row *a, const quernel_i_row *b) {
    return a->krev != b->krev ? a->krev > b->krev : a->lo > b->lo;
}

// Every decision once; returns how many.
static uint32_t pool_rows(const files *f, quernel_i_row *pooled) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < f->count; i++)
        for (uint32_t n = 0; n < f->tables[i]->good; n++) {
            const quernel_i_row *row = &f->tables[i]->rows[n];
            uint32_t at = 0;
            while (at < count && !same_decision(&pooled[at], row)) at++;
            if (at < count) pool(&pooled[at], row);
            else pooled[count++] = *row;
        }
    return count;
}

// The best decision of each layer; returns how many.
static uint32_t keep_best(const quernel_i_row *pooled, uint32_t count, const quernel_i_row **kept) {
    uint32_t chosen = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = 0;
        while (at < chosen && !same_layer(kept[at], &pooled[i])) at++;
        if (at == chosen) kept[chosen++] = &pooled[i];
        else if (better(&pooled[i], kept[at])) kept[at] = &pooled[i];
    }
    return chosen;
}

static int merge_into(files *f, const char *out) {
    const int code = read_files(f, NULL);
    if (code) return code;
    size_t rows = 1;
    for (uint32_t i = 0; i < f->count; i++) rows += f->tables[i]->good;
    quernel_i_row *pooled = malloc(rows * sizeof *pooled);
    const quernel_i_row **kept = malloc(rows * sizeof(const quernel_i_row *));
    const char *wrong = "no memory";
    uint32_t count = 0;
    if (pooled && kept) {
        count = keep_best(pooled, pool_rows(f, pooled), kept);
        wrong = publish_table(out, kept, count);
    }
    free(pooled), free(kept);
    if (!wrong) printf("%zu rows, %u kept; %s\n", rows - 1, count, out);
    else usage_error("table merge", out, wrong);
    return wrong ? EXIT_WRONG : EXIT_DONE;
}

// The lock is held from before the files are read: OUT may be one of them.
static int merge(files *f, const char *out) {
    if (!out) return usage_error("table merge", "--out", NULL);
    const int taken = publish_lock(out);
    if (taken < 0)
        return usage_error("table merge", out, "its folder cannot be written"), EXIT_WRONG;
    const int code = merge_into(f, out);
    publish_unlock(taken);
    return code;
}

static void help(void) { fputs(usage, stdout); }

typedef struct table_options {
    const char *what, *out;
    bool as_json;
    files files;
} table_options;

static bool take(void *user, option o) {
    table_options *t = user;
    if (!strcmp(o.name, "json")) return t->as_json = true;
    if (option_is(o, "out")) return (t->out = o.value) != NULL;
    if (strcmp(o.name, "?") || (t->what && t->files.count == FILES_MAX)) return false;
    if (t->what) t->files.paths[t->files.count++] = o.value;
    else t->what = o.value;
    return true;
}

static int run(table_options *t) {
    const char *what = t->what ? t->what : "";
    if (!strcmp(what, "show")) return show(&t->files, t->as_json);
    if (!strcmp(what, "lint")) return lint(&t->files);
    if (!strcmp(what, "merge")) return merge(&t->files, t->out);
    return usage_error("table", "show, lint or merge", t->what);
}

int command_table(int argc, char **argv) {
    static const command_line line = {"table", " json ", help, take};
    static table_options t;
    int code = options_read(&line, argc, argv, &t);
    if (code == GO_ON) code = run(&t);
    for (uint32_t i = 0; i < t.files.count; i++) quernel_i_table_free(t.files.tables[i]);
    return code;
}
