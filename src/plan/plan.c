// SPDX-License-Identifier: Apache-2.0
// Makes a plan: kernels, then the path of the rows, then sizes that keep a strip and a block of
// weights in L2, then the split into tasks, then the workspace.
#include "plan/plan.h"

#include <assert.h>

#include "base/error.h"
#include "plan/blocking.h"
#include "plan/cost.h"
#include "plan/kernels.h"
#include "plan/rows.h"
#include "plan/sizes.h"

static int refuse(quernel_error *error, const quernel_i_problem *p, const char *key) {
    return quernel_i_error_set(error, QUERNEL_E_VALUE, "config", -1,
                               "%s: config: %s: not legal for this layer", p->where, key);
}

// Equal rows give equal results where nothing else differs from pixel to pixel.
static bool can_dedup(const quernel_i_problem *p, const quernel_i_plan_rows *rows) {
    return rows->path != QUERNEL_I_PATH_IM2COL && !quernel_i_problem_depthwise(p) &&
           !p->epilogue.residual && !p->quant.row_scale && !p->weights->shape.interleaved;
}

static void check_plan(const quernel_i_problem *p, const quernel_i_plan *plan) {
    (void)p, (void)plan; // without assertions
    assert(plan->strip.h >= 1 && plan->strip.h <= p->grid_h && plan->strip.w >= 1 &&
           plan->strip.w <= p->grid_w);
    assert(plan->n_blocks.oc % 16 == 0 && plan->n_blocks.oc <= p->weights->shape.oc16);
    assert(plan->n_blocks.n_split >= 1 && plan->n_blocks.n_split <= plan->n_blocks.count);
    assert(p->weights->shape.subproblems % plan->n_blocks.fused == 0 && plan->chunk >= 1);
    assert(!plan->collapse || (plan->n_blocks.n_split == 1 && !plan->dedup));
}

// The key of a demanded set that has no kernel for its role, or whose role the problem has not;
// NULL where there is none.
static const char *unmet_set(const quernel_i_config *config, const quernel_i_plan *plan) {
#define COUNT(key, member, tries, meaning)
#define CHOICE(key, member, words, meaning)
#define SET(key, member, meaning) \
    if (config->key && !plan->member) return #key;
#include "plan/knobs.def"
    return NULL;
}

// The kernels and the rows that they read: all that blocks are chosen from. Refuses demands of them
// that are not legal.
static int choose_base(const quernel_i_problem *p, const quernel_i_config *config,
                       const quernel_i_machine *machine, quernel_i_plan *plan,
                       quernel_error *error) {
    quernel_i_path path;
    const int code =
        config->kernel ? quernel_i_plan_kernel_check(p, config, machine, error) : QUERNEL_OK;
    if (code) return code;
    plan->kernels = quernel_i_plan_kernels_of(p, config, machine);
    const char *unmet = unmet_set(config, plan);
    if (unmet) return refuse(error, p, unmet);
    if (!quernel_i_plan_path_of(p, &plan->kernels, config, machine, &path))
        return refuse(error, p, "path");
    plan->rows = quernel_i_plan_rows_of(p, &plan->kernels, path);
    return config->dedup && !can_dedup(p, &plan->rows) ? refuse(error, p, "dedup") : QUERNEL_OK;
}

// Sizes and splits, each from those before it, then the workspace for all of them.
static int choose_blocks(const quernel_i_plan_base *b, quernel_i_plan *plan, quernel_error *error) {
    plan->strip = quernel_i_plan_strip_of(b);
    plan->n_blocks = quernel_i_plan_n_blocks_of(b, &plan->strip);
    plan->dedup = b->config->dedup;
    const int code = quernel_i_plan_collapse_of(b, &plan->strip, &plan->n_blocks, plan->dedup,
                                                &plan->collapse, error);
    if (code) return code;
    plan->chunk = quernel_i_plan_chunk_of(b, &plan->strip, &plan->n_blocks, plan->collapse);
    plan->streams = quernel_i_plan_streams_of(b, &plan->n_blocks);
    plan->float_pixels = quernel_i_plan_float_pixels(b->problem);
    plan->range_tasks = quernel_i_plan_range_tasks(b->problem);
    return quernel_i_plan_workspace_of(b, plan, &plan->workspace, error);
}

// No thread is woken for less work than waking it takes.
static uint32_t threads_of(const quernel_i_problem *p, const quernel_i_config *config,
                           const quernel_i_plan_kernels *kernels) {
    if (config->threads) return (uint32_t)min(config->threads, p->threads);
    return quernel_i_cost_pieces(p, kernels->main, 1, p->threads);
}

int quernel_i_plan_make(const quernel_i_problem *p, const quernel_i_config *config,
                        const quernel_i_machine *machine, quernel_i_plan *ret_plan,
                        quernel_error *error) {
    // ref has a kernel for everything, so that there always is a plan.
    assert(p->threads >= 1 && p->grid_h >= 1 && p->grid_w >= 1 &&
           machine->isas & 1u << QUERNEL_ISA_REF);
    quernel_i_plan plan = {0};
    int code = choose_base(p, config, machine, &plan, error);
    if (code) return code;
    quernel_i_problem fewer = *p;
    fewer.threads = plan.threads = threads_of(p, config, &plan.kernels);
    plan.workers = plan.threads > 1 ? p->threads : 1;
    if ((code = choose_base(&fewer, config, machine, &plan, error))) return code;
    const quernel_i_plan_base base = {&fewer, config, machine, &plan.kernels, &plan.rows};
    if ((code = choose_blocks(&base, &plan, error))) return code;
    check_plan(p, &plan);
    *ret_plan = plan;
    return QUERNEL_OK;
}
