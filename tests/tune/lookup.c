// SPDX-License-Identifier: Apache-2.0
// Which row an operator takes, why it takes no other, and that no row changes a bit.
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/check.h"
#include "cpu/cpu.h"
#include "op/product.h"
#include "plan/space.h"
#include "quernel/linear.h"
#include "registry/registry.h"
#include "table/class.h"
#include "table/key.h"
#include "tests.h"

enum { N = 96, K = 128 };

static quernel_weights *pack(void) {
    int8_t weights[N * K];
    for (int i = 0; i < N * K; i++) weights[i] = (int8_t)(i * 37 % 251);
    quernel_weights_desc w = QUERNEL_WEIGHTS_DESC_INIT;
    w.type = QUERNEL_TYPE_S8, w.out = N, w.in = K, w.data = weights;
    quernel_weights *packed = NULL;
    return quernel_weights_pack(&w, &packed, NULL) ? NULL : packed;
}

// A product of `m` rows, s32 out, by the plan that the tables and `config` give, with kernels of
// sets up to `isa`; NULL where it is refused.
static quernel_operator *create_up_to(int32_t isa, quernel_weights *packed, uint32_t m,
                                      const char *config) {
    quernel_linear_desc d = QUERNEL_LINEAR_DESC_INIT;
    quernel_operator *op = NULL;
    d.weights = packed, d.m = m, d.x_type = QUERNEL_TYPE_U8, d.config = config, d.isa = isa,
    d.epilogue.y_type = QUERNEL_TYPE_S32;
    return quernel_linear_create(&d, &op, NULL) ? NULL : op;
}

static quernel_operator *create(quernel_weights *packed, uint32_t m, const char *config) {
    return create_up_to(-1, packed, m, config);
}

static quernel_operator *product_up_to(int32_t isa, uint32_t m, const char *config) {
    quernel_weights *packed = pack();
    quernel_operator *op = create_up_to(isa, packed, m, config);
    CHECK(op != NULL, "%u rows, %s: refused", m, config ? config : "no config");
    quernel_weights_release(packed);
    return op;
}

static quernel_operator *product(uint32_t m, const char *config) {
    return product_up_to(-1, m, config);
}

// Where reports are read: one ranks the whole space, which is small without faster sets.
static quernel_operator *reported(uint32_t m, const char *config) {
    return product_up_to(QUERNEL_ISA_REF, m, config);
}

static const quernel_i_product *of(const quernel_operator *op) { return quernel_i_product_of(op); }

static quernel_plan_choice choice_of(const quernel_operator *op) {
    quernel_plan_choice choice = QUERNEL_PLAN_CHOICE_INIT;
    CHECK(!quernel_operator_choice(op, &choice), "no choice");
    return choice;
}

// A row for `op` and for this machine, whose config is the default's with `change` behind it.
typedef struct own_row {
    quernel_i_row row;
    quernel_i_key key;
    char machine[QUERNEL_I_CLASS_MAX], config[512];
} own_row;

static void row_for(own_row *r, const quernel_operator *op, const char *change) {
    r->row = sample_row();
    quernel_i_key_of(&of(op)->problem, &r->key);
    quernel_i_class_print(of(op)->usable, r->machine, sizeof r->machine);
    snprintf(r->config, sizeof r->config, "kernel=%s %s", of(op)->plan.kernels.main->name, change);
    r->row.op = r->key.op, r->row.shape = r->key.shape, r->row.env = r->key.env,
    r->row.config = r->config;
    r->row.machine = r->machine, r->row.krev = of(op)->plan.kernels.main->krev;
    r->row.m = r->key.m, r->row.n = r->key.n, r->row.k = r->key.k;
}

// Makes it the process's table.
static void give(const quernel_i_row *row) {
    char text[QUERNEL_I_ROW_MAX];
    const size_t bytes = quernel_i_row_print(row, text, sizeof text);
    CHECK(bytes && !quernel_table_set(text, bytes, NULL), "the row was not taken");
}

// The report names plan and table, and is cut to the capacity that it is given.
static void check_report(const quernel_operator *tuned) {
    char text[8192];
    const size_t length = quernel_operator_report(tuned, text, sizeof text);
    CHECK(length == strlen(text) && strstr(text, "chunk=7") && strstr(text, "quernel_table_set"),
          "%s", text);
    CHECK(quernel_operator_report(tuned, text, 10) == length && strlen(text) == 9,
          "a short report: %zu", length);
}

void test_lookup_exact(void) {
    quernel_operator *plain = reported(64, NULL);
    own_row r;
    row_for(&r, plain, "chunk=7");
    give(&r.row);
    quernel_operator *tuned = reported(64, NULL), *forced = reported(64, "chunk=9");
    const quernel_plan_choice t = choice_of(tuned), f = choice_of(forced);
    CHECK(t.from == QUERNEL_FROM_TABLE && t.match == QUERNEL_MATCH_EXACT && t.ratio == 1.1,
          "from %d, match %d", t.from, t.match);
    CHECK(!strcmp(t.table, "quernel_table_set"), "table %s", t.table);
    CHECK(of(tuned)->plan.chunk == 7, "chunk %u", of(tuned)->plan.chunk);
    CHECK(f.from == QUERNEL_FROM_CONFIG && of(forced)->plan.chunk == 9,
          "a config must win: from %d, chunk %u", f.from, of(forced)->plan.chunk);
    check_report(tuned);
    quernel_operator_destroy(plain), quernel_operator_destroy(tuned),
        quernel_operator_destroy(forced);
    quernel_table_set(NULL, 0, NULL);
}

static void name_gone_kernel(quernel_i_row *r) { r->config = "kernel=quernel_uk_gemm_gone_avx2"; }
static void raise_krev(quernel_i_row *r) { r->krev += 1; }
static void name_other_machine(quernel_i_row *r) { r->machine = "ref+sve l1d=64K l2=1024K"; }
// The same sets and caches of a core that is not named, or of another design.
static void name_other_core(quernel_i_row *r) {
    static char text[QUERNEL_I_CLASS_MAX];
    const char *core = strstr(r->machine, " core=");
    CHECK(core || !*quernel_i_cpu_traits_of()->core, "no core: %s", r->machine);
    const int shared = core ? (int)(core - r->machine) : (int)strlen(r->machine);
    snprintf(text, sizeof text, "%.*s%s", shared, r->machine, core ? "" : " core=amd-25-1");
    r->machine = text;
}
static void name_unknown_key(quernel_i_row *r) { r->config = "colour=blue"; }

// A kernel that exists, for another operator.
static void name_depthwise(quernel_i_row *r) {
    r->config = "kernel=quernel_uk_depthwise_u8s8_1x16x1_ref";
    r->krev = quernel_i_registry_named("quernel_uk_depthwise_u8s8_1x16x1_ref")->krev;
}

static quernel_table_counters count_rejections(void) {
    quernel_table_counters counters = QUERNEL_TABLE_COUNTERS_INIT;
    quernel_table_counters_get(&counters);
    return counters;
}

// The rejection is counted once, the model chooses, and the report says that there was a row.
static void check_rejected(const char *name, size_t counter) {
    const quernel_table_counters before = count_rejections();
    quernel_operator *op = reported(64, NULL);
    const quernel_table_counters after = count_rejections();
    uint64_t was, is;
    memcpy(&was, (const char *)&before + counter, sizeof was);
    memcpy(&is, (const char *)&after + counter, sizeof is);
    CHECK(is == was + 1 && after.missed == before.missed + 1, "%s: counted %llu times", name,
          (unsigned long long)(is - was));
    CHECK(choice_of(op).from == QUERNEL_FROM_MODEL, "%s: the row was taken", name);
    char text[8192];
    quernel_operator_report(op, text, sizeof text);
    CHECK(strstr(text, "quernel_table_set: its own row"), "%s: the report is silent: %s", name,
          text);
    quernel_operator_destroy(op);
}

void test_lookup_rejections(void) {
    static const struct {
        const char *name;
        size_t counter;
        void (*spoil)(quernel_i_row *row);
    } cases[] = {
        {"no_kernel", offsetof(quernel_table_counters, no_kernel), name_gone_kernel},
        {"other_krev", offsetof(quernel_table_counters, other_krev), raise_krev},
        {"other_machine", offsetof(quernel_table_counters, other_machine), name_other_machine},
        {"other core", offsetof(quernel_table_counters, other_machine), name_other_core},
        {"not_legal", offsetof(quernel_table_counters, not_legal), name_depthwise},
        {"unknown key", offsetof(quernel_table_counters, no_kernel), name_unknown_key}};
    quernel_operator *plain = reported(64, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        own_row r;
        row_for(&r, plain, "chunk=7");
        cases[i].spoil(&r.row);
        give(&r.row);
        check_rejected(cases[i].name, cases[i].counter);
    }
    quernel_operator_destroy(plain);
    quernel_table_set(NULL, 0, NULL);
}

// Shapes beside a measured one, m = 128, and how near the table takes them to be.
static const struct {
    uint32_t m;
    quernel_match match;
} neighbours[] = {{128, QUERNEL_MATCH_EXACT},  {140, QUERNEL_MATCH_BUCKET},
                  {100, QUERNEL_MATCH_BUCKET}, {200, QUERNEL_MATCH_NEAR},
                  {64, QUERNEL_MATCH_NEAR},    {300, QUERNEL_MATCH_NONE},
                  {40, QUERNEL_MATCH_NONE}};

void test_lookup_neighbours(void) {
    quernel_operator *plain = product(128, NULL);
    own_row r;
    row_for(&r, plain, "n_split=1");
    give(&r.row);
    for (size_t i = 0; i < sizeof neighbours / sizeof *neighbours; i++) {
        quernel_operator *op = product(neighbours[i].m, NULL);
        const quernel_plan_choice c = choice_of(op);
        CHECK(c.match == (int32_t)neighbours[i].match, "m %u: match %d", neighbours[i].m, c.match);
        quernel_operator_destroy(op);
    }
    quernel_operator_destroy(plain);
    quernel_table_set(NULL, 0, NULL);
}

// What the model thinks slow is not taken for another shape; for its own it was measured.
void test_lookup_veto(void) {
    quernel_operator *plain = product(128, NULL);
    own_row r;
    row_for(&r, plain, "chunk=1 n_block=16");
    give(&r.row);
    quernel_operator *vetoed = product(140, NULL), *exact = product(128, NULL);
    CHECK(choice_of(vetoed).from == QUERNEL_FROM_MODEL, "no veto");
    CHECK(choice_of(exact).from == QUERNEL_FROM_TABLE, "a veto of what was measured");
    quernel_operator_destroy(vetoed), quernel_operator_destroy(exact),
        quernel_operator_destroy(plain);
    quernel_table_set(NULL, 0, NULL);
}

// Of equal matches the row that was timed within a network, wherever it stands; its times are not
// the layer's.
void test_lookup_network(void) {
    quernel_operator *plain = reported(64, NULL);
    own_row alone, within;
    char text[2 * QUERNEL_I_ROW_MAX], report[8192];
    row_for(&alone, plain, "chunk=7"), row_for(&within, plain, "chunk=5");
    within.row.env = within.key.network_env;
    for (int first = 0; first < 2; first++) {
        const quernel_i_row *rows[] = {first ? &within.row : &alone.row,
                                       first ? &alone.row : &within.row};
        size_t bytes = quernel_i_row_print(rows[0], text, sizeof text);
        bytes += quernel_i_row_print(rows[1], text + bytes, sizeof text - bytes);
        CHECK(!quernel_table_set(text, bytes, NULL), "the rows were not taken");
        quernel_operator *op = reported(64, NULL);
        const quernel_plan_choice c = choice_of(op);
        CHECK(of(op)->plan.chunk == 5 && c.match == QUERNEL_MATCH_EXACT, "chunk %u, match %d",
              of(op)->plan.chunk, c.match);
        CHECK(c.base_ns == 0 && c.best_ns == 0 && c.ratio > 1, "%g, %g ns, ratio %g", c.base_ns,
              c.best_ns, c.ratio);
        quernel_operator_report(op, report, sizeof report);
        CHECK(strstr(report, "its network is") && !strstr(report, "measured"), "%s", report);
        quernel_operator_destroy(op);
    }
    give(&alone.row);
    quernel_operator *op = reported(64, NULL);
    CHECK(of(op)->plan.chunk == 7 && choice_of(op).best_ns > 0, "chunk %u", of(op)->plan.chunk);
    quernel_operator_destroy(op), quernel_operator_destroy(plain);
    quernel_table_set(NULL, 0, NULL);
}

void test_lookup_tie(void) {
    quernel_operator *plain = product(64, NULL);
    own_row r;
    row_for(&r, plain, "chunk=7");
    r.row.verdict = QUERNEL_VERDICT_TIE;
    give(&r.row);
    quernel_operator *op = product(64, NULL);
    const quernel_plan_choice c = choice_of(op);
    CHECK(c.from == QUERNEL_FROM_TABLE && c.verdict == QUERNEL_VERDICT_TIE, "from %d, verdict %d",
          c.from, c.verdict);
    CHECK(of(op)->plan.chunk == of(plain)->plan.chunk, "a tie must leave the default: chunk %u",
          of(op)->plan.chunk);
    quernel_operator_destroy(op), quernel_operator_destroy(plain);
    quernel_table_set(NULL, 0, NULL);
}

enum { THREADS = 4, CREATES = 100 };

// Returns NULL where every create went well.
static void *create_many(void *arg) {
    for (uint32_t i = 0; i < CREATES; i++) {
        quernel_operator *op = create(arg, 32 + i % 64, NULL);
        if (!op) return arg;
        quernel_operator_destroy(op);
    }
    return NULL;
}

// Tables come and go while operators are created.
void test_lookup_threads(void) {
    pthread_t threads[THREADS];
    quernel_weights *packed = pack();
    quernel_operator *plain = create(packed, 64, NULL);
    if (!CHECK(plain != NULL, "refused")) return;
    own_row r;
    row_for(&r, plain, "chunk=7");
    quernel_operator_destroy(plain);
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, create_many, packed);
    for (int i = 0; i < CREATES; i++) {
        give(&r.row);
        quernel_table_set(NULL, 0, NULL);
    }
    for (int i = 0; i < THREADS; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        CHECK(!failed, "a create failed");
    }
    quernel_weights_release(packed);
}

static void run(const quernel_operator *op, const uint8_t *x, int32_t *y) {
    const size_t bytes = quernel_operator_workspace(op);
    void *workspace = aligned_alloc(64, bytes + 64);
    CHECK(!quernel_operator_run(op, x, NULL, y, workspace, bytes, NULL, NULL), "run");
    free(workspace);
}

enum { ROWS = 37, SPACE = 4096 };

// All plans of an operator with kernels that can run here; the caller frees them.
static quernel_i_candidate *list_space(const quernel_operator *op, uint32_t moves,
                                       size_t *ret_count) {
    const quernel_i_machine machine = quernel_i_machine_asked(quernel_i_cpu()->usable);
    quernel_i_candidate *space = malloc(SPACE * sizeof *space);
    *ret_count = space ? quernel_i_space(&of(op)->problem, &machine, moves, space, SPACE) : 0;
    return space;
}

// Every plan of the space, whatever its kernel: the same bits.
void test_lookup_bits(void) {
    static uint8_t x[ROWS * K];
    static int32_t expected[ROWS * N], y[ROWS * N];
    for (size_t i = 0; i < sizeof x; i++) x[i] = (uint8_t)(i * 89 % 256);
    quernel_operator *plain = product(ROWS, NULL);
    run(plain, x, expected);
    size_t count;
    quernel_i_candidate *space = list_space(plain, 2, &count);
    CHECK(count > 20, "%zu plans", count);
    for (size_t i = 0; i < count; i++) {
        char config[512];
        quernel_i_config_print(&space[i].config, config, sizeof config);
        quernel_operator *op = product(ROWS, config);
        memset(y, 0xa5, sizeof y); // what a plan leaves out differs
        if (op) run(op, x, y);
        CHECK(!memcmp(y, expected, sizeof y), "%s: other bits", config);
        quernel_operator_destroy(op);
    }
    free(space);
    quernel_operator_destroy(plain);
}

// A candidate is legal, and its config makes the same plan again.
static void check_candidate(const quernel_operator *op, const quernel_i_candidate *c) {
    const quernel_i_machine machine = quernel_i_machine_asked(quernel_i_cpu()->usable);
    char config[512], again[512];
    quernel_i_plan plan;
    quernel_i_config_print(&c->config, config, sizeof config);
    CHECK(c->ns > 0, "%s: predicted %g", config, c->ns);
    if (!CHECK(!quernel_i_plan_make(&of(op)->problem, &c->config, &machine, &plan, NULL),
               "%s: not legal", config))
        return;
    quernel_i_plan_explain(&plan, again, sizeof again);
    CHECK(!strcmp(config, again), "%s became %s", config, again);
}

// Each plan once, complete, the plan's own choice first.
void test_space(void) {
    quernel_operator *op = product(500, NULL);
    size_t count;
    quernel_i_candidate *space = list_space(op, 2, &count);
    char config[512], own[512];
    quernel_operator_explain(op, own, sizeof own);
    for (size_t i = 0; i < count; i++) {
        check_candidate(op, &space[i]);
        quernel_i_config_print(&space[i].config, config, sizeof config);
        CHECK(i || !strcmp(config, own), "the plan's own choice must come first: %s", config);
        for (size_t j = 0; j < i; j++)
            CHECK(memcmp(&space[i].config, &space[j].config, sizeof space[i].config), "%s: twice",
                  config);
    }
    CHECK(count > 50 && count < SPACE, "%zu plans", count);
    free(space);
    quernel_operator_destroy(op);
}
