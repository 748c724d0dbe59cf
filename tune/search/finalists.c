// SPDX-License-Identifier: Apache-2.0
// Enumerates, prunes by the model, adds the incumbents.
#include "tune/search/finalists.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "op/product.h"
#include "plan/space.h"
#include "table/class.h"
#include "table/key.h"

enum {
    SPACE_MAX = 8192, // plans that are looked at
    NEIGHBOURS = 4    // rows of similar layers whose plans race too
};
// Of the best predicted time, what is no kernel's chance: between instruction sets the model was
// seen to be wrong by 2.6, a set whose registers do a fifth is out.
#define HOPELESS 4.0

static int by_prediction(const void *a, const void *b) {
    const double x = ((const quernel_i_candidate *)a)->ns, y = ((const quernel_i_candidate *)b)->ns;
    return (x > y) - (x < y);
}

// A plan races once, however it was found.
static bool known(const contest *c, const char *config) {
    for (uint32_t i = 0; i < c->count; i++)
        if (!strcmp(c->variants[i].config, config)) return true;
    return false;
}

static void add(contest *c, const char *config, double ns) {
    const int index = known(c, config) ? -1 : contest_add(c, config, ns);
    if (index < 0 || !c->variants[index].wrong) return;
    fprintf(stderr,
            "quernel: tune: OTHER BITS THAN THE DEFAULT, please report: quernel bench with the "
            "layer's options and --config \"%s\" shows it\n",
            c->variants[index].config);
}

// Whether all but what the caches hold is the same: "threads=N warm".
static bool same_threads(const char *a, const char *b) {
    const size_t length = strcspn(a, " ");
    return length == strcspn(b, " ") && !memcmp(a, b, length);
}

// The nearest row of the same op and threads whose config does not race yet; NULL where none is
// within two octaves.
static const quernel_i_row *nearest(const contest *c, const quernel_i_key *key,
                                    const quernel_i_table *const *tables) {
    const quernel_i_row *best = NULL;
    double best_octaves = 2;
    for (; *tables; tables++)
        for (uint32_t i = 0; i < (*tables)->good; i++) {
            const quernel_i_row *row = &(*tables)->rows[i];
            if (row->verdict != QUERNEL_VERDICT_WIN || strcmp(row->op, key->op) ||
                !same_threads(row->env, key->env))
                continue;
            const double octaves = quernel_i_key_octaves(key, row->m, row->n, row->k);
            if (octaves < best_octaves && !known(c, row->config))
                best = row, best_octaves = octaves;
        }
    return best;
}

// What won for similar layers: the model may think little of it.
static void add_neighbours(contest *c, const quernel_i_table *const *tables) {
    quernel_i_key key;
    contest_key(c, &key);
    for (int n = 0; n < NEIGHBOURS; n++) {
        const uint32_t before = c->count;
        const quernel_i_row *row = nearest(c, &key, tables);
        if (row) add(c, row->config, NAN);
        if (c->count == before) return; // none, or one that is not legal here
    }
}

quernel_i_candidate *finalists_list(const contest *c, uint32_t usable, uint32_t moves,
                                    size_t *ret_count) {
    const quernel_i_product *op = quernel_i_product_of(c->variants[0].op);
    quernel_i_candidate *all = malloc(SPACE_MAX * sizeof *all);
    if (!all) return NULL;
    const quernel_i_machine machine = quernel_i_machine_asked(usable);
    *ret_count = quernel_i_space(&op->problem, &machine, moves, all, SPACE_MAX);
    qsort(all, *ret_count, sizeof *all, by_prediction);
    return all;
}

static void add_candidate(contest *c, const quernel_i_candidate *candidate) {
    char config[CONFIG_MAX];
    quernel_i_config_print(&candidate->config, config, sizeof config);
    add(c, config, candidate->ns);
}

static bool is_best_of_kernel(const quernel_i_candidate *all, size_t i) {
    for (size_t better = 0; better < i; better++)
        if (all[better].config.kernel == all[i].config.kernel) return false;
    return true;
}

// The best plan of each kernel, whatever set it is of: the model does not rank sets.
static void add_kernels(contest *c, uint32_t max, const quernel_i_candidate *all, size_t count) {
    for (size_t i = 0; i < count && all[i].ns <= HOPELESS * all[0].ns && c->count <= max; i++)
        if (is_best_of_kernel(all, i)) add_candidate(c, &all[i]);
}

size_t finalists_add(contest *c, uint32_t max, uint32_t moves,
                     const quernel_i_table *const *tables) {
    const quernel_i_product *op = quernel_i_product_of(c->variants[0].op);
    size_t count = 0;
    quernel_i_candidate *all = finalists_list(c, op->usable, moves, &count);
    if (!all) return 0;
    c->variants[0].predicted_ns = op->choice.predicted_ns;
    add_kernels(c, max, all, count);
    for (size_t i = 0; i < count && c->count <= max; i++) add_candidate(c, &all[i]);
    free(all);
    add_neighbours(c, tables);
    return count;
}

// Whether the row's kernel is still of the revision that was timed.
static bool is_current(const quernel_i_row *row) {
    quernel_i_config config;
    return !quernel_i_config_parse(row->config, "tune", &config, NULL) && config.kernel &&
           config.kernel->krev == row->krev;
}

const quernel_i_row *finalists_own_row(const contest *c, const quernel_i_table *const *tables) {
    quernel_i_key key;
    char machine[QUERNEL_I_CLASS_MAX];
    contest_key(c, &key);
    quernel_i_class_print(quernel_i_product_of(c->variants[0].op)->usable, machine, sizeof machine);
    for (; *tables; tables++)
        for (uint32_t i = (*tables)->good; i-- > 0;) {
            const quernel_i_row *row = &(*tables)->rows[i];
            if (!strcmp(row->op, key.op) && !strcmp(row->shape, key.shape) &&
                !strcmp(row->env, key.env) && !strcmp(row->machine, machine) && is_current(row))
                return row;
        }
    return NULL;
}
