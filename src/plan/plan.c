// SPDX-License-Identifier: Apache-2.0
// Makes a plan: kernels, then the path of the rows, then sizes that keep a strip and a block of
// weights in L2, then the split into tasks, then the workspace.
#include "plan/plan.h"

#include <assert.h>

#include "base/error.h"
#include "plan/blocking.h"
#include "plan/kernels.h"
#include "plan/rows.h"

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

int quernel_i_plan_make(const quernel_i_problem *p, const quernel_i_config *config,
                        const quernel_i_machine *machine, quernel_i_plan *ret_plan,
                        quernel_error *error) {
    assert(p->threads >= 1 && p->grid_h >= 1 && p->grid_w >= 1 &&
           machine->isas & 1u << QUERNEL_ISA_REF);
    quernel_i_path path;
    int code = config->kernel ? quernel_i_plan_kernel_check(p, config, machine, error) : QUERNEL_OK;
    if (code) return code;
    const quernel_i_plan_kernels kernels = quernel_i_plan_kernels_of(p, config, machine);
    if (!quernel_i_plan_path_of(p, &kernels, config, &path)) return refuse(error, p, "path");
    const quernel_i_plan_rows rows = quernel_i_plan_rows_of(p, &kernels, path);
    if (config->dedup && !can_dedup(p, &rows)) return refuse(error, p, "dedup");
    const quernel_i_plan_base base = {p, config, machine, &kernels, &rows};
    const quernel_i_plan_strip strip = quernel_i_plan_strip_of(&base);
    const quernel_i_plan_n_blocks n = quernel_i_plan_n_blocks_of(&base, &strip);
    bool collapse;
    if ((code = quernel_i_plan_flat_of(&base, &strip, &n, config->dedup, &collapse, error)))
        return code;
    quernel_i_plan plan = {
        .kernels = kernels,
        .rows = rows,
        .strip = strip,
        .n_blocks = n,
        .streams = quernel_i_plan_streams_of(&base, &n),
        .dedup = config->dedup,
        .collapse = collapse,
        .chunk = quernel_i_plan_chunk_of(&base, &strip, &n, collapse),
        .float_pixels = quernel_i_plan_float_pixels(p),
        .range_tasks = quernel_i_plan_range_tasks(p),
    };
    if ((code = quernel_i_plan_workspace_of(&base, &plan, &plan.workspace, error))) return code;
    check_plan(p, &plan);
    *ret_plan = plan;
    return QUERNEL_OK;
}
