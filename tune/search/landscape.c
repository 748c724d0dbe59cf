// SPDX-License-Identifier: Apache-2.0
// Landscapes: their file, and which plan is the best.
#include "tune/search/landscape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tune/common/outfile.h"
#include "tune/common/statistics.h"

enum { MAX_LINE_BYTES = 8192 };

// A comment names the layer or the machine; those that are unknown say nothing.
static void take_comment(landscape *l, char *line) {
    const struct {
        const char *name;
        char *to;
        size_t capacity;
    } texts[] = {{"# op\t", l->op, sizeof l->op},
                 {"# shape\t", l->shape, sizeof l->shape},
                 {"# env\t", l->env, sizeof l->env},
                 {"# class\t", l->machine, sizeof l->machine}};
    for (int i = 0; i < 4; i++)
        if (!strncmp(line, texts[i].name, strlen(texts[i].name)))
            snprintf(texts[i].to, texts[i].capacity, "%.*s", (int)texts[i].capacity - 1,
                     line + strlen(texts[i].name));
}

// A line "config TAB ns TAB ns …"; 0 where it is none, or has other rounds than those before it.
static int take_plan(landscape *l, char *line) {
    char *save, *config = strtok_r(line, "\t", &save);
    double ns[MAX_LINE_BYTES / 2];
    uint32_t rounds = 0;
    for (char *word; (word = strtok_r(NULL, "\t", &save));) ns[rounds++] = strtod(word, NULL);
    if (!config || !rounds || strlen(config) >= sizeof *l->configs ||
        (l->count && rounds != l->rounds))
        return 0;
    l->rounds = rounds;
    void *configs = realloc(l->configs, (l->count + 1) * sizeof *l->configs);
    if (configs) l->configs = configs;
    double *more = realloc(l->ns, (l->count + 1) * rounds * sizeof *more);
    if (more) l->ns = more;
    if (!configs || !more) return 0;
    strcpy(l->configs[l->count], config);
    memcpy(l->ns + l->count * rounds, ns, rounds * sizeof *ns);
    l->count++;
    return 1;
}

int landscape_read(const char *path, landscape *ret_landscape) {
    landscape *l = ret_landscape;
    *l = (landscape){0};
    FILE *from = fopen(path, "r");
    char line[MAX_LINE_BYTES];
    int fine = from != NULL;
    while (fine && fgets(line, sizeof line, from)) {
        line[strcspn(line, "\n")] = 0;
        if (*line == '#') take_comment(l, line);
        else if (*line) fine = take_plan(l, line);
    }
    if (from) fclose(from);
    if (fine && l->count > 1 && *l->op) return 1;
    fprintf(stderr, "quernel: landscape: %s: cannot be read as one\n", path);
    landscape_free(l);
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
    double ratios[MAX_LINE_BYTES / 2];
    for (uint32_t r = 0; r < l->rounds; r++)
        ratios[r] = landscape_ns(l, plan, r) / landscape_ns(l, other, r);
    return median_of(ratios, l->rounds).middle;
}

double landscape_median(const landscape *l, uint32_t plan) {
    double ns[MAX_LINE_BYTES / 2];
    memcpy(ns, l->ns + plan * l->rounds, l->rounds * sizeof *ns);
    return median_of(ns, l->rounds).middle;
}

uint32_t landscape_best(const landscape *l) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < l->count; i++)
        if (landscape_ratio(l, i, best) < 1) best = i;
    return best;
}
