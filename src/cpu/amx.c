// SPDX-License-Identifier: Apache-2.0
// The permission to use AMX tiles. Linux gives the state of tiles to a process that requests it, no
// sooner: a thread's first tile costs it 8 KiB more to save. So it is requested when it is needed,
// by one thread for all.
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "cpu/cpu.h"

static int answer = ENOSYS;

static void ask(void) {
    answer = quernel_i_cpu_permit_tiles();
    if (answer)
        quernel_i_log("amxint8: the kernel refuses tiles: %s: avx512vnni is used",
                      strerror(answer));
}

int quernel_i_amx_request(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (!(quernel_i_cpu()->usable >> QUERNEL_ISA_AMXINT8 & 1)) return ENOSYS;
    pthread_once(&once, ask);
    return answer;
}

int quernel_i_isa_request(quernel_isa isa) {
    return quernel_i_isas[isa].asks ? quernel_i_amx_request() : 0;
}

int quernel_amx_request(quernel_error *error) {
    const int refused = quernel_i_amx_request();
    if (!refused) return QUERNEL_OK;
    const bool usable = quernel_i_cpu()->usable >> QUERNEL_ISA_AMXINT8 & 1;
    return quernel_i_error_set(error, QUERNEL_E_ISA, "amxint8", -1, "amx: %s",
                               usable ? strerror(refused)
                                      : "not among the usable instruction sets");
}
