// SPDX-License-Identifier: Apache-2.0
// Why an operator runs as it does: from its choice, a second look at the tables, and the model's
// view of the space.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/desc.h"
#include "base/text.h"
#include "op/product.h"
#include "plan/space.h"
#include "table/choose.h"
#include "table/key.h"

// SPACE_MAX: plans that are ranked, three times those of a 3x3 layer on all sets of x86; those
// beyond, of the highest sets, are left out. MOVES: counts that may leave the
// plan's own choice. SHOWN: as many as a reader takes in. CONFIG_MAX: bytes, as
// quernel_plan_candidate.config has.
enum { SPACE_MAX = 8192, MOVES = 2, SHOWN = 6, CONFIG_MAX = 320 };

int quernel_operator_choice(const quernel_operator *op, quernel_plan_choice *ret_choice) {
    if (!op || !ret_choice) return QUERNEL_E_NULL;
    const quernel_i_desc *desc =
        QUERNEL_I_DESC(quernel_plan_choice, QUERNEL_PLAN_CHOICE_MIN, "operator", "size");
    if (quernel_i_desc_check(desc, ret_choice, NULL)) return QUERNEL_E_VALUE;
    const quernel_i_product *product = quernel_i_product_of(op);
    if (!product) return QUERNEL_E_UNSUPPORTED;
    quernel_i_desc_write(desc, ret_choice, &product->choice);
    return QUERNEL_OK;
}

static int by_prediction(const void *a, const void *b) {
    const double x = ((const quernel_i_candidate *)a)->ns, y = ((const quernel_i_candidate *)b)->ns;
    return (x > y) - (x < y);
}

// The space of the operator, the best by the model first. NULL where no memory is left.
static quernel_i_candidate *sorted_space(const quernel_i_product *op, size_t *ret_count) {
    quernel_i_candidate *all = malloc(SPACE_MAX * sizeof *all);
    if (!all) return NULL;
    const quernel_i_machine machine = quernel_i_machine_asked(op->usable);
    *ret_count = quernel_i_space(&op->problem, &machine, MOVES, all, SPACE_MAX);
    qsort(all, *ret_count, sizeof *all, by_prediction);
    return all;
}

size_t quernel_operator_candidates(const quernel_operator *op, quernel_plan_candidate *ret,
                                   size_t capacity) {
    size_t count = 0;
    const quernel_i_product *product = quernel_i_product_of(op);
    quernel_i_candidate *all = product && ret ? sorted_space(product, &count) : NULL;
    if (!all) return 0;
    if (count > capacity) count = capacity;
    for (size_t i = 0; i < count; i++) {
        quernel_i_config_print(&all[i].config, ret[i].config, sizeof ret[i].config);
        ret[i].predicted_ns = all[i].ns;
    }
    free(all);
    return count;
}

typedef struct report {
    char *text;
    size_t capacity, used;
} report;

#define ADD(r, ...) \
    ((r)->used = quernel_i_text_add((r)->text, (r)->capacity, (r)->used, __VA_ARGS__))

static const char *const matches[] = {"no", "a near", "its bucket's", "its own"};

static void add_origin(report *r, const quernel_i_product *op) {
    const quernel_plan_choice *c = &op->choice;
    if (c->from == QUERNEL_FROM_CONFIG) ADD(r, "from       the given config\n");
    else if (c->from == QUERNEL_FROM_MODEL)
        ADD(r, "from       the model: no table has a row for it\n");
    else if (c->verdict != QUERNEL_VERDICT_WIN)
        ADD(r, "from       %s, %s row: nothing beat the default, %s\n", c->table, matches[c->match],
            c->date);
    else
        ADD(r,
            "from       %s, %s row: %s%.3f times as fast as %s default [%.3f, %.3f], %u rounds, "
            "%s\n",
            c->table, matches[c->match], c->best_ns > 0 ? "" : "its network is ", c->ratio,
            c->best_ns > 0 ? "the" : "by the", c->lo, c->hi, c->rounds, c->date);
    ADD(r, "time       predicted %.3f ms", 1e-6 * c->predicted_ns);
    if (c->match == QUERNEL_MATCH_EXACT && c->best_ns > 0)
        ADD(r, ", measured %.3f ms (default %.3f ms)", 1e-6 * c->best_ns, 1e-6 * c->base_ns);
    ADD(r, "\n");
}

static void add_seen(void *user, const char *table, const quernel_i_row *row, quernel_match match,
                     const char *wrong) {
    ADD((report *)user, "  %s: %s row %s, %s: %s\n", table, matches[match], row->shape, row->env,
        wrong ? wrong : "may be taken");
}

static void add_tables(report *r, const quernel_i_product *op) {
    quernel_table_info tables[16];
    const size_t count = quernel_tables_get(tables, 16);
    if (!count) ADD(r, "tables     none to search\n");
    for (size_t i = 0; i < count && i < 16; i++)
        ADD(r, "%s%s: %u rows, %u bad%s%s\n", i ? "           " : "tables     ", tables[i].path,
            tables[i].good, tables[i].bad, *tables[i].wrong ? ", " : "", tables[i].wrong);
    quernel_i_plan plan;
    quernel_plan_choice choice;
    const quernel_i_machine machine = quernel_i_machine_of(op->usable);
    quernel_i_choose(&op->problem, &machine, NULL, &plan, &choice, add_seen, r, NULL);
}

// Only what differs from the plan that runs.
static void add_difference(report *r, const quernel_i_config *own, const quernel_i_config *other) {
    quernel_i_config rest = *other;
    if (own->kernel == other->kernel) rest.kernel = NULL;
    for (const quernel_i_knob *k = quernel_i_knobs; k->key; k++) {
        uint32_t *demand = quernel_i_knob_demand(k, &rest);
        if (quernel_i_knob_get(k, own) == *demand) *demand = 0;
    }
    char text[CONFIG_MAX];
    quernel_i_config_print(&rest, text, sizeof text);
    ADD(r, "%s\n", text);
}

static void add_losers(report *r, const quernel_i_product *op) {
    const quernel_i_config own = quernel_i_config_of(&op->plan);
    const char *lost = op->choice.lost;
    if (*lost && strcmp(lost, "-")) ADD(r, "lost       (raced; time over the winner's)\n");
    while (*lost && strcmp(lost, "-")) {
        const size_t length = strcspn(lost, ";"), config = strcspn(lost, "@");
        if (config < length)
            ADD(r, "  %.*s  %.*s\n", (int)(length - config - 1), lost + config + 1, (int)config,
                lost);
        lost += length + (lost[length] == ';');
    }
    size_t count = 0;
    quernel_i_candidate *all = sorted_space(op, &count);
    ADD(r,
        "others     %zu plans are legal; the best by the model (predicted time over this plan's; "
        "what differs)\n",
        count);
    for (size_t i = 0, shown = 0; all && i < count && shown < SHOWN; i++) {
        if (!memcmp(&all[i].config, &own, sizeof own)) continue;
        ADD(r, "  %.3f  ", all[i].ns / op->choice.predicted_ns);
        add_difference(r, &own, &all[i].config);
        shown++;
    }
    free(all);
}

size_t quernel_operator_report(const quernel_operator *any, char *text, size_t capacity) {
    const quernel_i_product *op = quernel_i_product_of(any);
    if (!op || (!text && capacity)) return quernel_operator_explain(any, text, capacity);
    report r = {text, capacity, 0};
    if (capacity) *text = 0;
    quernel_i_key key;
    char config[CONFIG_MAX];
    quernel_i_key_of(&op->problem, &key);
    quernel_i_plan_explain(&op->plan, config, sizeof config);
    ADD(&r, "layer      %s\n           %s, product %llux%llux%llu, %s\nruns       %s\n", key.op,
        key.shape, (unsigned long long)key.m, (unsigned long long)key.n, (unsigned long long)key.k,
        key.env, config);
    add_origin(&r, op);
    add_tables(&r, op);
    add_losers(&r, op);
    ADD(&r, "override   the descriptor's config (--config) takes the line behind \"runs\", or any "
            "of its words; "
            "QUERNEL_TABLE=F, =none\n");
    return r.used;
}
