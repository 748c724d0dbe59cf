// SPDX-License-Identifier: Apache-2.0
// Peaks of this machine: bursts of the loops, timed.
#include "tune/probe/probe.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cpu/cpu.h"
#include "tune/common/clock.h"

// How each instruction set is probed, by quernel_isa; without a loop it is not. A new one is a line
// here and its probe_NAME.c, whose functions probe.h declares.
#define IF_BUILT(isa, function) (QUERNEL_HAVE_##isa ? (function) : NULL)
static const struct {
    probe_loop *loop;
    probe_reader *read;
    double macs_per_cycle; // at most, on two vector ports or one tile unit
} probes[QUERNEL_I_ISA_COUNT] = {
    [QUERNEL_ISA_AVX2] = {IF_BUILT(AVX2, probe_avx2), IF_BUILT(AVX2, probe_read_avx2), 32},
    [QUERNEL_ISA_AVXVNNI] = {IF_BUILT(AVXVNNI, probe_avxvnni), IF_BUILT(AVX2, probe_read_avx2), 64},
    [QUERNEL_ISA_AVX512VNNI] = {IF_BUILT(AVX512VNNI, probe_avx512vnni),
                                IF_BUILT(AVX512VNNI, probe_read_avx512vnni), 128},
    [QUERNEL_ISA_AMXINT8] = {IF_BUILT(AMXINT8, probe_amxint8),
                             IF_BUILT(AVX512VNNI, probe_read_avx512vnni), 1024},
    [QUERNEL_ISA_NEON] = {IF_BUILT(NEON, probe_neon), IF_BUILT(NEON, probe_read_neon), 8},
    [QUERNEL_ISA_DOTPROD] = {IF_BUILT(DOTPROD, probe_dotprod), IF_BUILT(NEON, probe_read_neon), 32},
    [QUERNEL_ISA_I8MM] = {IF_BUILT(I8MM, probe_i8mm), IF_BUILT(NEON, probe_read_neon), 64},
};

// NULL too where the operating system refuses the instruction set to this process.
static probe_loop *loop_of(quernel_isa isa) {
    const bool refused = quernel_i_isas[isa].asks && quernel_amx_request(NULL);
    return refused ? NULL : probes[isa].loop;
}

double probe_bound(quernel_isa isa) { return probes[isa].macs_per_cycle; }

uint32_t probe_calibrate(quernel_isa isa, double seconds) {
    probe_loop *loop = loop_of(isa);
    if (!loop) return 0;
    uint32_t rounds = 1000;
    // Doubled until the burst is long enough for the clock's grain not to matter.
    for (;;) {
        const double start = clock_now();
        loop(rounds);
        const double took = clock_now() - start;
        if (took > seconds / 4) return (uint32_t)(rounds * seconds / took) + 1;
        rounds *= 2;
    }
}

// One loop on several threads at once.
typedef struct burst {
    probe_loop *loop;
    uint32_t rounds;
    atomic_ullong macs; // of all threads so far
} burst;

static void run_burst(void *arg, uint32_t task, uint32_t worker) {
    (void)task, (void)worker;
    burst *b = arg;
    atomic_fetch_add(&b->macs, b->loop(b->rounds));
}

double probe_gops(quernel_isa isa, uint32_t rounds, uint32_t threads,
                  const quernel_parallel *parallel) {
    burst b = {loop_of(isa), rounds, 0};
    if (!b.loop || !rounds) return 0;
    const double start = clock_now();
    if (threads > 1 && parallel && parallel->run)
        parallel->run(parallel->user, threads, run_burst, &b);
    else run_burst(&b, 0, 0);
    return 2e-9 * (double)atomic_load(&b.macs) / (clock_now() - start);
}

double probe_read(quernel_isa isa, const void *from, size_t bytes) {
    probe_reader *const read = probes[isa].read;
    if (!read) return 0;
    bytes = bytes / 1024 * 1024;
    // Small footprints are read often enough to outlast the clock's grain.
    const uint32_t passes =
        bytes < (1u << 20) ? (uint32_t)((1u << 20) / (bytes ? bytes : 1)) + 1 : 1;
    const double start = clock_now();
    for (uint32_t i = 0; i < passes; i++) read(from, bytes);
    return 1e-9 * (double)bytes * passes / (clock_now() - start);
}

double probe_read_best(quernel_isa isa, size_t bytes) {
    enum { PASSES = 5 };
    bytes = (bytes + 1023) / 1024 * 1024;
    const quernel_allocator allocator = quernel_i_allocator(NULL); // whose pages weights lie on
    void *memory = quernel_i_allocate(&allocator, bytes);
    if (!memory) return 0;
    memset(memory, 1, bytes);
    double best = 0;
    for (int i = 0; i < PASSES; i++) {
        const double now = probe_read(isa, memory, bytes);
        if (now > best) best = now;
    }
    quernel_i_release(&allocator, memory, bytes);
    return best;
}

double probe_clock(void) {
    enum { CHAIN = 8, ROUNDS = 400000 };
    uint64_t x = 1, step = 3;
    const double start = clock_now();
    for (uint32_t i = 0; i < ROUNDS; i++) {
        // Eight dependent additions that no compiler can join.
        for (int j = 0; j < CHAIN; j++) {
            x += step;
            __asm__ volatile("" : "+r"(x), "+r"(step));
        }
    }
    return 1e-9 * CHAIN * ROUNDS / (clock_now() - start);
}
