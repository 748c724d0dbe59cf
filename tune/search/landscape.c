// SPDX-License-Identifier: Apache-2.0
// Landscapes: their file, and which plan is the best.
#include "tune/search/landscape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tune/common/lines.h"
#include "tune/common/outfile.h"
#include "tune/common/statistics.h"

enum { ROUNDS_MAX = LINES_MOST / 2 }; // a digit and a tab each

// A comment names the layer or the machine; those that are unknown say nothing.
static bool take_comment(lines *from, landscape *l, const char *line) {
    const struct {
        const char *name;
        char *to;
        size_t capacity;
    } texts[] = {{"# op\t", l->op, sizeof l->op},
                 {"# shape\t", l->shape, sizeof l->shape},
                 {"# env\t", l->env, sizeof l->env},
                 {"# class\t", l->machine, sizeof l->machine}};
    for (int i = 0; i < 4; i++) {
        const size_t length = strlen(texts[i].name);
        if (strncmp(line, texts[i].name, length)) continue;
        if (strlen(line + length) >= texts[i].capacity)
            return lines_refuse(from, "is longer than any", line);
        strcpy(texts[i].to, line + length);
    }
    return true;
}

static bool take_ns(lines *from, char *word, double *ret) {
    char *end;
    *ret = strtod(word, &end);
    return (end != word && !*end && *ret > 0) || lines_refuse(from, "is no time", word);
}

static bool add_plan(landscape *l, const char *config, const double *ns) {
    void *configs = realloc(l->configs, (l->count + 1) * sizeof *l->configs);
    if (configs) l->configs = configs;
    double *more = realloc(l->ns, (l->count + 1) * l->rounds * sizeof *more);
    if (more) l->ns = more;
    if (!configs || !more) return false;
    strcpy(l->configs[l->count], config);
    memcpy(l->ns + l->count * l->rounds, ns, l->rounds * sizeof *ns);
    l->count++;
    return true;
}

// A line "config TAB ns TAB ns …", of as many rounds as those before it.
static bool take_plan(lines *from, landscape *l, char *line) {
    char *save, *config = strtok_r(line, "\t", &save);
    double ns[ROUNDS_MAX];
    uint32_t rounds = 0;
    for (char *word; (word = strtok_r(NULL, "\t", &save));)
        if (!take_ns(from, word, &ns[rounds++])) return false;
    if (!config || strlen(config) >= sizeof *l->configs)
        return lines_refuse(from, "is no plan", config ? config : "(missing)");
    if (!rounds || (l->count && rounds != l->rounds))
        return lines_refuse(from, "has other rounds than the first plan", config);
    l->rounds = rounds;
    return add_plan(l, config, ns) || lines_refuse(from, "memory", "none left");
}

static bool take_lines(lines *from, landscape *l) {
    for (char *line; (line = lines_next(from));)
        if (!(*line == '#' ? take_comment(from, l, line) : !*line || take_plan(from, l, line)))
            return false;
    return (l->count > 1 && *l->op) || lines_refuse(from, "landscape", "names no layer and plans");
}

int landscape_read(const char *path, landscape *ret_landscape) {
    lines from;
    *ret_landscape = (landscape){0};
    if (lines_open(&from, path)) take_lines(&from, ret_landscape);
    if (lines_close(&from)) return 1;
    landscape_free(ret_landscape);
    return 0;
}

int landscape_write(const char *path, const landscape *l, uint32_t rounds) {
    outfile out;
    if (!outfile_open(&out, path)) return 0;
    FILE *to = out.to;
    fprintf(to, "# quernel landscape 1\n# op\t%s\n# shape\t%s\n# env\t%s\n# class\t%s\n", l->op,
            l->shape, l->env, l->machine);
    for (uint32_t i = 0; i < l->count; i++) {
        fputs(l->configs[i], to);
        for (uint32_t r = 0; r < rounds; r++) fprintf(to, "\t%.0f", landscape_ns(l, i, r));
        fputc('\n', to);
    }
    return outfile_close(&out, 1);
}

void landscape_free(landscape *l) { free(l->configs), free(l->ns); }

double landscape_ratio(const landscape *l, uint32_t plan, uint32_t other) {
    double ratios[ROUNDS_MAX];
    for (uint32_t r = 0; r < l->rounds; r++)
        ratios[r] = landscape_ns(l, plan, r) / landscape_ns(l, other, r);
    return median_of(ratios, l->rounds).middle;
}

double landscape_median(const landscape *l, uint32_t plan) {
    double ns[ROUNDS_MAX];
    memcpy(ns, l->ns + plan * l->rounds, l->rounds * sizeof *ns);
    return median_of(ns, l->rounds).middle;
}

uint32_t landscape_best(const landscape *l) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < l->count; i++)
        if (landscape_ratio(l, i, best) < 1) best = i;
    return best;
}
