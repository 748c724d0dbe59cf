// SPDX-License-Identifier: Apache-2.0
// The machine as plans see it.
#include "cpu/machine.h"

#include "cpu/cpu.h"

quernel_i_machine quernel_i_machine_of(uint32_t isas) {
    const quernel_cpu *cpu = quernel_i_cpu();
    const quernel_i_cpu_traits *traits = quernel_i_cpu_traits_of();
    return (quernel_i_machine){isas,          cpu->l1d_bytes, cpu->l2_bytes, traits->one_multiplier,
                               traits->light, traits->near};
}

quernel_i_machine quernel_i_machine_asked(uint32_t isas) {
    for (int isa = 0; isa < QUERNEL_I_ISA_COUNT; isa++)
        if (isas >> isa & 1 && quernel_i_isa_request((quernel_isa)isa)) isas &= ~(1u << isa);
    return quernel_i_machine_of(isas);
}
