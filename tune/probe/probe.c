// SPDX-License-Identifier: Apache-2.0
// Peaks of this machine.
#include "tune/probe/probe.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "tune/common/clock.h"

static probe_loop *loop_of(quernel_isa isa) {
    switch (isa) {
#if QUERNEL_HAVE_AVX2
    case QUERNEL_ISA_AVX2: return probe_avx2;
#endif
#if QUERNEL_HAVE_AVXVNNI
    case QUERNEL_ISA_AVXVNNI: return probe_avxvnni;
#endif
#if QUERNEL_HAVE_AVX512VNNI
    case QUERNEL_ISA_AVX512VNNI: return probe_avx512vnni;
#endif
#if QUERNEL_HAVE_AMXINT8
    case QUERNEL_ISA_AMXINT8: return quernel_amx_request(NULL) ? NULL : probe_amxint8;
#endif
#if QUERNEL_HAVE_NEON
    case QUERNEL_ISA_NEON: return probe_neon;
#endif
    default: return NULL;
    }
}

static void (*reader_of(quernel_isa isa))(const void *, size_t) {
    switch (isa) {
#if QUERNEL_HAVE_AVX2
    case QUERNEL_ISA_AVX2:
    case QUERNEL_ISA_AVXVNNI: return probe_read_avx2;
#endif
#if QUERNEL_HAVE_AVX512VNNI
    case QUERNEL_ISA_AMXINT8:
    case QUERNEL_ISA_AVX512VNNI: return probe_read_avx512vnni;
#endif
#if QUERNEL_HAVE_NEON
    case QUERNEL_ISA_NEON: return probe_read_neon;
#endif
    default: return NULL;
    }
}

double probe_bound(quernel_isa isa) {
    switch (isa) {
    case QUERNEL_ISA_AVX2: return 32;
    case QUERNEL_ISA_AVXVNNI: return 64;
    case QUERNEL_ISA_AVX512VNNI: return 128;
    case QUERNEL_ISA_AMXINT8: return 1024;
    case QUERNEL_ISA_NEON: return 8;
    default: return 0;
    }
}

uint32_t probe_calibrate(quernel_isa isa, double seconds) {
    probe_loop *loop = loop_of(isa);
    if (!loop) return 0;
    uint32_t rounds = 1000;
    for (;;) {
        const double start = clock_now();
        loop(rounds);
        const double took = clock_now() - start;
        if (took > seconds / 4) return (uint32_t)(rounds * seconds / took) + 1;
        rounds *= 2;
    }
}

typedef struct burst {
    probe_loop *loop;
    uint32_t rounds;
    atomic_ullong macs;
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
    void (*reader)(const void *, size_t) = reader_of(isa);
    if (!reader) return 0;
    bytes = bytes / 1024 * 1024;
    // Small footprints are read often enough to outlast the clock's grain.
    const uint32_t passes =
        bytes < (1u << 20) ? (uint32_t)((1u << 20) / (bytes ? bytes : 1)) + 1 : 1;
    const double start = clock_now();
    for (uint32_t i = 0; i < passes; i++) reader(from, bytes);
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
