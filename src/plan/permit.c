// SPDX-License-Identifier: Apache-2.0
// A plan that the process may run. The permission for an instruction set is asked for once a plan
// takes its kernel, no sooner: being granted may cost a thread (cpu/amx.c).
#include "cpu/cpu.h"
#include "plan/plan.h"

int quernel_i_plan_make_permitted(const quernel_i_problem *problem, const quernel_i_config *config,
                                  const quernel_i_machine *machine, quernel_i_plan *ret_plan,
                                  quernel_error *error) {
    const int code = quernel_i_plan_make(problem, config, machine, ret_plan, error);
    if (code) return code;
    const quernel_isa isa = (quernel_isa)ret_plan->kernels.main->isa;
    if (!quernel_i_isa_request(isa)) return QUERNEL_OK;
    quernel_i_machine without = *machine;
    without.isas &= ~(1u << isa);
    return quernel_i_plan_make(problem, config, &without, ret_plan, error);
}
