// SPDX-License-Identifier: Apache-2.0
// Walks the knobs one after another, each with its own choice first, then its tries.
#include "plan/space.h"

#include <stdlib.h>
#include <string.h>

#include "cpu/cpu.h"
#include "plan/model.h"

enum {
    TRIES_MAX = 16, // more than a line of knobs.def has, or an architecture sets
    CHAINS = 4096,  // of candidates by their predicted time: spaces have some thousands
};

typedef struct walk {
    const quernel_i_problem *problem;
    const quernel_i_machine *machine;
    quernel_i_candidate *candidates;
    size_t count, capacity;
    uint32_t moves;
    uint32_t chains[CHAINS]; // the last candidate of each, counted from 1; 0 ends a chain
} walk;

static bool plan(const walk *w, const quernel_i_config *config, quernel_i_plan *ret) {
    return !quernel_i_plan_make(w->problem, config, w->machine, ret, NULL);
}

// Equal plans are predicted equal times, so they are in one chain.
static uint32_t *chain_of(walk *w, double ns) {
    uint64_t bits;
    memcpy(&bits, &ns, sizeof bits);
    return &w->chains[(bits * 0x9E3779B97F4A7C15u >> 32) % CHAINS];
}

static bool known(const walk *w, uint32_t chain, const quernel_i_config *config) {
    for (uint32_t at = chain; at; at = w->candidates[at - 1].chained)
        if (!memcmp(&w->candidates[at - 1].config, config, sizeof *config)) return true;
    return false;
}

static void keep(walk *w, const quernel_i_config *demands) {
    quernel_i_plan planned;
    if (w->count == w->capacity || !plan(w, demands, &planned)) return;
    const quernel_i_config config = quernel_i_config_of(&planned);
    const double ns = quernel_i_model_ns(w->problem, &planned, w->machine);
    uint32_t *chain = chain_of(w, ns);
    if (known(w, *chain, &config)) return;
    w->candidates[w->count++] = (quernel_i_candidate){config, ns, *chain};
    *chain = (uint32_t)w->count;
}

// The values of "/2 *2 8" beside `own`; returns how many.
static size_t tries_of(const char *text, uint32_t own, uint32_t *ret) {
    size_t count = 0;
    while (*text && count < TRIES_MAX) {
        const char sign = *text;
        const uint32_t operand = (uint32_t)strtoul(text + (sign == '/' || sign == '*'), NULL, 10);
        const uint32_t value = sign == '/' ? own / operand : sign == '*' ? own * operand : operand;
        if (value && value != own) ret[count++] = value;
        text += strcspn(text, " ");
        text += strspn(text, " ");
    }
    return count;
}

static void walk_knobs(walk *w, const quernel_i_knob *knob, quernel_i_config *demands,
                       uint32_t moves);

// Every word of a choice.
static void walk_words(walk *w, const quernel_i_knob *knob, quernel_i_config *demands,
                       uint32_t moves) {
    uint32_t *demand = quernel_i_knob_demand(knob, demands), words = 1;
    for (const char *at = knob->words; (at = strchr(at, ' ')); at++) words++;
    for (*demand = 1; *demand <= words; ++*demand) walk_knobs(w, knob + 1, demands, moves);
}

// Every set that may be used but `own` and ref, which is no set to be fast with; none where the
// plan has no such role (0). Returns how many.
static size_t sets_of(const quernel_i_machine *machine, uint32_t own, uint32_t *ret) {
    size_t count = 0;
    for (uint32_t isa = QUERNEL_ISA_REF + 1; own && isa < QUERNEL_I_ISA_COUNT; isa++)
        if (machine->isas >> isa & 1 && isa + 1 != own) ret[count++] = isa + 1;
    return count;
}

// The tries of a count, or of a set, beside the plan's own: each is a move. A set moves alone: the
// model does not tell plans apart that differ in sets, which would fill the ranks of the best.
static void walk_tries(walk *w, const quernel_i_knob *knob, quernel_i_config *demands,
                       uint32_t moves) {
    quernel_i_plan planned;
    uint32_t tries[TRIES_MAX];
    if (!plan(w, demands, &planned)) return;
    const quernel_i_config own = quernel_i_config_of(&planned);
    const uint32_t value = quernel_i_knob_get(knob, &own), left = knob->tries ? moves - 1 : 0;
    const size_t count =
        knob->tries ? tries_of(knob->tries, value, tries) : sets_of(w->machine, value, tries);
    for (size_t i = 0; i < count; i++) {
        *quernel_i_knob_demand(knob, demands) = tries[i];
        walk_knobs(w, knob + 1, demands, left);
    }
}

// Keeps the plans of all demands for this knob and those behind it. Leaves the demands as they
// were.
static void walk_knobs(walk *w, const quernel_i_knob *knob, quernel_i_config *demands,
                       uint32_t moves) {
    if (!knob->key) {
        keep(w, demands);
        return;
    }
    walk_knobs(w, knob + 1, demands, moves);
    if (knob->words) walk_words(w, knob, demands, moves);
    else if (knob->tries ? moves : moves && moves == w->moves) walk_tries(w, knob, demands, moves);
    *quernel_i_knob_demand(knob, demands) = 0;
}

size_t quernel_i_space(const quernel_i_problem *problem, const quernel_i_machine *machine,
                       uint32_t moves, quernel_i_candidate *ret, size_t capacity) {
    walk w = {problem, machine, ret, 0, capacity, moves, {0}};
    quernel_i_config none = {0};
    walk_knobs(&w, quernel_i_knobs, &none, 0);
    for (const quernel_i_kernel *k = quernel_i_kernels; k->name; k++) {
        quernel_i_config demands = {.kernel = k};
        quernel_i_plan planned;
        if (plan(&w, &demands, &planned)) walk_knobs(&w, quernel_i_knobs, &demands, moves);
    }
    return w.count;
}
