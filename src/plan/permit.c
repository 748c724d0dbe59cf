// SPDX-License-Identifier: Apache-2.0
// A plan that the process may run. The right to use AMX tiles is asked for once a plan takes them, no sooner.
#include "cpu/cpu.h"
#include "plan/plan.h"

int quernel_i_plan_make_permitted(const quernel_i_problem *problem, const quernel_i_config *config,
                                  const quernel_i_machine *machine, quernel_i_plan *ret_plan, quernel_error *error) {
    quernel_i_machine without = *machine;
    without.isas &= ~(1u << QUERNEL_ISA_AMXINT8);
    const int code = quernel_i_plan_make(problem, config, machine, ret_plan, error);
    const bool tiles = !code && ret_plan->kernels.main->isa == QUERNEL_ISA_AMXINT8;
    if (!tiles || !quernel_i_amx_request()) return code;
    return quernel_i_plan_make(problem, config, &without, ret_plan, error);
}
