// SPDX-License-Identifier: Apache-2.0
// A race's outcome as a row of a table, and as JSON.
#include "tune/search/outcome.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "op/product.h"
#include "table/class.h"
#include "table/key.h"
#include "tune/probe/host.h"
#include "tune/search/publish.h"

enum { LOST = 3 }; // losers that a row names

static const variant *candidate(const outcome *o, uint32_t index) {
    return &o->contest->variants[o->plan[index]];
}

const variant *outcome_winner(const outcome *o) { return candidate(o, o->decision.winner); }

// Only what differs from `own`, word by word: both are complete and in the same order.
static void difference(const char *own, const char *other, char *text, size_t capacity) {
    *text = 0;
    for (size_t used = 0; *other;) {
        const size_t a = strcspn(own, " "), b = strcspn(other, " ");
        if (a != b || memcmp(own, other, a)) {
            const int length =
                snprintf(text + used, capacity - used, "%s%.*s", used ? " " : "", (int)b, other);
            if (length < 0 || (used += (size_t)length) >= capacity) return;
        }
        own += a, other += b;
        own += *own == ' ', other += *other == ' ';
    }
}

// The loser with the smallest ratio above `last`; `count` where there is none.
static uint32_t nearest_above(const outcome *o, double last) {
    const double *ratios = o->ratios;
    uint32_t best = o->count;
    for (uint32_t i = 0; i < o->count; i++)
        if (i != o->decision.winner && ratios[i] > last &&
            (best == o->count || ratios[i] < ratios[best]))
            best = i;
    return best;
}

// The nearest losers, as far as they differ from the winner: "words@ratio;…", or "-". What does not
// fit is left out whole.
static void print_lost(const outcome *o, char *text, size_t capacity) {
    const char *winner = outcome_winner(o)->config;
    double last = 0;
    size_t used = 0;
    *text = 0;
    for (int n = 0; n < LOST; n++) {
        const uint32_t best = nearest_above(o, last);
        if (best == o->count) break;
        char words[160];
        last = o->ratios[best];
        difference(winner, candidate(o, best)->config, words, sizeof words);
        const int length =
            snprintf(text + used, capacity - used, "%s%s@%.4f", used ? ";" : "", words, last);
        if (length < 0 || used + (size_t)length >= capacity) {
            text[used] = 0;
            break;
        }
        used += (size_t)length;
    }
    if (!*text) snprintf(text, capacity, "-");
}

static void print_date(char *date, size_t capacity) {
    const time_t now = time(NULL);
    struct tm utc;
    strftime(date, capacity, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
}

// What the decision measured. A default that was kept is as fast as itself, whatever the race's
// leader seemed to gain.
static void set_times(quernel_i_row *row, const outcome *o) {
    const decision *d = &o->decision;
    const median ratio = d->verdict == QUERNEL_VERDICT_WIN ? d->ratio : (median){1, 1, 1};
    row->base_ns = o->base_ns, row->best_ns = o->base_ns / ratio.middle;
    row->ratio = ratio.middle, row->lo = ratio.lo, row->hi = ratio.hi;
    row->rounds = d->rounds, row->verdict = d->verdict;
}

static void set_key(quernel_i_row *row, const quernel_i_key *key) {
    row->op = key->op, row->shape = key->shape, row->env = key->env;
    row->m = key->m, row->n = key->n, row->k = key->k;
}

const char *outcome_publish(const outcome *o, const char *table, int32_t effort, uint64_t seed) {
    const variant *won = outcome_winner(o);
    quernel_i_key key;
    char machine[QUERNEL_I_CLASS_MAX], date[32], lost[400];
    contest_key(o->contest, &key);
    quernel_i_class_print(quernel_i_product_of(won->op)->usable, machine, sizeof machine);
    print_date(date, sizeof date);
    print_lost(o, lost, sizeof lost);
    quernel_i_row row = {
        .config = won->config,
        .krev =
            quernel_i_product_of(won->op)->plan.kernels.main->krev, // every plan names its kernel
        .effort = effort,
        .seed = seed,
        .version = quernel_version(),
        .date = date,
        .machine = machine,
        .rates = host_rates(),
        .lost = lost,
        .extra = ""};
    set_key(&row, &key);
    set_times(&row, o);
    return publish_row(table, &row);
}

static void write_candidates(json *j, const outcome *o) {
    json_open(j, "candidates", '[');
    for (uint32_t i = 0; i < o->count; i++) {
        const variant *v = candidate(o, i);
        json_open(j, NULL, '{');
        json_text(j, "config", v->config), json_number(j, "predicted_ns", v->predicted_ns),
            json_number(j, "time_over_winner", o->ratios[i]);
        json_close(j, '}');
    }
    json_close(j, ']');
}

void outcome_write(json *j, const outcome *o) {
    const decision *d = &o->decision;
    quernel_i_key key;
    contest_key(o->contest, &key);
    json_open(j, NULL, '{');
    json_text(j, "op", key.op), json_text(j, "shape", key.shape), json_text(j, "env", key.env);
    json_text(j, "verdict", quernel_i_row_verdict_name(d->verdict));
    json_text(j, "config", outcome_winner(o)->config);
    json_number(j, "ratio", d->ratio.middle), json_number(j, "lo", d->ratio.lo),
        json_number(j, "hi", d->ratio.hi);
    json_integer(j, "rounds", d->rounds), json_integer(j, "samples", (int64_t)d->samples);
    write_candidates(j, o);
    json_close(j, '}');
}
