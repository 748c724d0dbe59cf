// SPDX-License-Identifier: Apache-2.0
// The rounds of quernel bench.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "tune/common/clock.h"
#include "tune/probe/probe.h"
#include "tune/program/bench.h"

static double time_runs(workload *w, const quernel_parallel *parallel, uint32_t calls) {
    const double start = clock_now();
    for (uint32_t i = 0; i < calls; i++) workload_run(w, parallel);
    return (clock_now() - start) / calls;
}

// The peak is measured in each round: what slows the core down hits both.
static void time_rounds(const bench_options *o, bench_row *r, const quernel_parallel *parallel) {
    workload *w = &r->workload;
    const double once = time_runs(w, parallel, 1), gop = 2e-6 * (double)r->shape->macs;
    const uint32_t probe = probe_calibrate(r->isa, fmin(fmax(once / 2, 1e-4), 2e-3));
    // A round lasts at least 100 µs, so that short rows are not a reading of the clock.
    const uint32_t calls = once < 1e-4 ? (uint32_t)(1e-4 / (once + 1e-9)) + 1 : 1;
    double *ms = malloc(3 * o->rounds * sizeof *ms);
    if (!ms) return;
    double *peak = ms + o->rounds, *percent = peak + o->rounds;
    for (uint32_t i = 0; i < o->rounds; i++) {
        peak[i] = probe_gops(r->isa, probe, w->request.threads, parallel);
        ms[i] = 1e3 * time_runs(w, parallel, calls);
        percent[i] = 100 * (gop / ms[i]) / peak[i];
    }
    r->ms = median_of(ms, o->rounds);
    r->gops = gop / r->ms.middle;
    r->peak_gops = probe ? median_of(peak, o->rounds).middle : NAN;
    r->percent = probe ? median_of(percent, o->rounds).middle : NAN;
    free(ms);
}

static void race_reading(const bench_options *o, bench_row *r, const quernel_parallel *parallel,
                         const void *memory, size_t bytes) {
    double *probe = malloc(2 * o->rounds * sizeof *probe);
    if (!probe) return;
    double *own = probe + o->rounds;
    for (uint32_t i = 0; i < o->rounds; i++) {
        // Each side runs twice: its own bytes are in the caches that they fit when the second is
        // timed.
        probe_read(r->isa, memory, bytes);
        probe[i] = probe_read(r->isa, memory, bytes);
        workload_run(&r->workload, parallel);
        own[i] = 1e-9 * (double)r->workload.weights_bytes / time_runs(&r->workload, parallel, 1);
    }
    r->probe_read_gbs = median_of(probe, o->rounds).middle;
    r->read_gbs = median_of(own, o->rounds).middle;
    free(probe);
}

// Few rows are bound by reading the weights: the same bytes read by a plain loop, beside each call.
static void time_reading(const bench_options *o, bench_row *r, const quernel_parallel *parallel) {
    const workload *w = &r->workload;
    r->read_gbs = 1e-6 * (double)(w->weights_bytes + w->x_bytes) / r->ms.middle;
    r->probe_read_gbs = NAN;
    if (r->shape->m > 4 || probe_bound(r->isa) == 0) return;
    const size_t bytes = w->weights_bytes / 1024 * 1024;
    const quernel_allocator allocator = quernel_i_allocator(NULL); // whose pages the weights lie on
    uint8_t *memory = bytes ? quernel_i_allocate(&allocator, bytes) : NULL;
    if (memory) {
        memset(memory, 1, bytes);
        race_reading(o, r, parallel, memory, bytes);
    }
    quernel_i_release(&allocator, memory, bytes);
}

void bench_time(const bench_options *o, bench_row *r, const quernel_parallel *parallel) {
    time_rounds(o, r, parallel);
    time_reading(o, r, parallel);
}
