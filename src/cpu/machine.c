// SPDX-License-Identifier: Apache-2.0
// The machine as plans see it.
#include "cpu/machine.h"

#include "cpu/cpu.h"

quernel_i_machine quernel_i_machine_of(uint32_t isas) {
    const quernel_cpu *cpu = quernel_i_cpu();
    return (quernel_i_machine){isas, cpu->l1d_bytes, cpu->l2_bytes};
}

quernel_i_machine quernel_i_machine_asked(uint32_t isas) {
    const uint32_t amx = 1u << QUERNEL_ISA_AMXINT8;
    return quernel_i_machine_of(isas & amx && quernel_i_amx_request() ? isas & ~amx : isas);
}
