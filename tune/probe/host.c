// SPDX-License-Identifier: Apache-2.0
// The host's health and rates.
#define _GNU_SOURCE
#include "tune/probe/host.h"

#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cpu/cpu.h"
#include "table/class.h"
#include "table/table.h"
#include "tune/common/clock.h"
#include "tune/common/folders.h"
#include "tune/common/outfile.h"
#include "tune/common/statistics.h"
#include "tune/probe/probe.h"

enum {
    BLOCK = 24,      // paired rounds whose median is one reading of the noise
    BLOCKS_MAX = 32, // readings, where the time allows
    PASSES = 5       // of a rate; the best counts, as others only take away from it
};

// The first line of a file, without its end; "" where it cannot be read.
static void read_line(const char *path, char *to, size_t capacity) {
    *to = 0;
    FILE *from = fopen(path, "re");
    if (!from) return;
    if (fgets(to, (int)capacity, from)) to[strcspn(to, "\n")] = 0;
    fclose(from);
}

// Jiffies of all states, and of those that the hypervisor took.
static void read_steal(double *total, double *stolen) {
    char line[256];
    read_line("/proc/stat", line, sizeof line);
    double v[8] = {0};
    if (sscanf(line, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &v[0], &v[1], &v[2], &v[3], &v[4],
               &v[5], &v[6], &v[7]) != 8)
        return;
    *total = *stolen = 0;
    for (int i = 0; i < 8; i++) *total += v[i];
    *stolen = v[7];
}

// The best instruction set that can be used and has a probe; REF where none has.
static quernel_isa best_probed(void) {
    quernel_cpu cpu = QUERNEL_CPU_INIT;
    quernel_cpu_get(&cpu);
    for (int isa = QUERNEL_I_ISA_COUNT - 1; isa > 0; isa--)
        if (cpu.usable >> isa & 1 && probe_bound((quernel_isa)isa) > 0) return (quernel_isa)isa;
    return QUERNEL_ISA_REF;
}

// The same burst against itself: what a tie looks like here.
static double noise_floor(double seconds) {
    const quernel_isa isa = best_probed();
    const uint32_t rounds = probe_calibrate(isa, 200e-6);
    if (!rounds) return 0;
    double worst = 0;
    const double end = clock_now() + seconds;
    for (int block = 0; block < BLOCKS_MAX && clock_now() < end; block++) {
        double ratios[BLOCK];
        for (int r = 0; r < BLOCK; r++)
            ratios[r] = probe_gops(isa, rounds, 1, NULL) / probe_gops(isa, rounds, 1, NULL);
        worst = fmax(worst, fabs(median_of(ratios, BLOCK).middle - 1));
    }
    return worst;
}

// What the system says without being measured.
static void read_system(host_health *h) {
    char text[64];
    cpu_set_t set;
    read_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", h->governor,
              sizeof h->governor);
    read_line("/proc/loadavg", text, sizeof text);
    h->load = strtod(text, NULL);
    h->cores = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
    h->affinity = sched_getaffinity(0, sizeof set, &set) ? h->cores : (uint32_t)CPU_COUNT(&set);
}

void host_measure(double seconds, host_health *ret_health) {
    host_health *h = ret_health;
    *h = (host_health){0};
    double total0 = 0, stolen0 = 0, total1 = 0, stolen1 = 0;
    struct rusage before = {0}, after = {0};
    read_system(h);
    read_steal(&total0, &stolen0);
    getrusage(RUSAGE_SELF, &before);
    h->noise = noise_floor(seconds);
    getrusage(RUSAGE_SELF, &after);
    read_steal(&total1, &stolen1);
    h->preempted = (double)(after.ru_nivcsw - before.ru_nivcsw) / fmax(seconds, 1e-3);
    h->steal = total1 > total0 ? 100 * (stolen1 - stolen0) / (total1 - total0) : 0;
}

const char *host_advice(const host_health *h, int index) {
    const struct {
        int applies;
        const char *text;
    } all[] = {
        {*h->governor && strcmp(h->governor, "performance"),
         "the frequency governor is not \"performance\": small gains will be ties"},
        {h->load > h->cores * 0.75, "other work runs: its load is near the number of cores"},
        {h->steal > 1, "the hypervisor takes time from this machine"},
        {h->preempted > 20,
         "other processes interrupt this one often: taskset to a quiet core helps"},
        {h->noise > 0.02,
         "two runs of the same code differ by more than 2 %: smaller gains will be ties"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].applies && index-- == 0) return all[i].text;
    return NULL;
}

// What a rate is divided by: 1 where nothing can be read.
static double read_rate(quernel_isa isa, size_t bytes) {
    const double rate = probe_read_best(isa, bytes);
    return rate > 0 ? rate : 1;
}

// Multiply-adds in registers over bytes that can be read from half of L1, half of L2 (a half, so
// that the footprint surely stays there), and from beyond L2.
static void probe_rates(char *text, size_t capacity) {
    const quernel_isa isa = best_probed();
    quernel_cpu cpu = QUERNEL_CPU_INIT;
    quernel_cpu_get(&cpu);
    const uint32_t rounds = probe_calibrate(isa, 5e-3);
    double macs = 0;
    for (int i = 0; i < PASSES; i++) macs = fmax(macs, probe_gops(isa, rounds, 1, NULL) / 2);
    if (macs <= 0) snprintf(text, capacity, "-");
    else
        snprintf(text, capacity, "mac/l1=%.0f mac/l2=%.0f mac/far=%.0f",
                 1e3 * macs / read_rate(isa, cpu.l1d_bytes / 2),
                 1e3 * macs / read_rate(isa, cpu.l2_bytes / 2),
                 1e3 * macs / read_rate(isa, 4 * cpu.l2_bytes));
}

// "class TAB rates TAB boot"; true where the cached line is of this boot and class.
static int read_cached(const char *path, const char *machine, const char *boot, char *rates,
                       size_t capacity) {
    char line[512], wanted[192];
    read_line(path, line, sizeof line);
    const int head = snprintf(wanted, sizeof wanted, "%s\t", machine);
    char *last = strrchr(line, '\t');
    if (!last || strncmp(line, wanted, (size_t)head) || strcmp(last + 1, boot) ||
        last <= line + head)
        return 0;
    snprintf(rates, capacity, "%.*s", (int)(last - line - head), line + head);
    return 1;
}

// A cache that cannot be written is no error: the next process probes again.
static void write_cached(const char *path, const char *machine, const char *boot,
                         const char *rates) {
    outfile out;
    if (!folders_make(path) || !outfile_open(&out, path)) return;
    fprintf(out.to, "%s\t%s\t%s\n", machine, rates, boot);
    outfile_close(&out, 1);
}

const char *host_rates(void) {
    static char rates[128];
    char path[1024], machine[QUERNEL_I_CLASS_MAX], boot[64];
    if (*rates) return rates;
    quernel_i_class_print(quernel_i_cpu()->usable, machine, sizeof machine);
    read_line("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
    const int kept = folders_cache("probe", path, sizeof path);
    if (kept && read_cached(path, machine, boot, rates, sizeof rates)) return rates;
    probe_rates(rates, sizeof rates);
    if (kept) write_cached(path, machine, boot, rates);
    return rates;
}
