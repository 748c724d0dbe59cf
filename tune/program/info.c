// SPDX-License-Identifier: Apache-2.0
// quernel info: the build, the CPU, and with --probe its peaks.
#include <stdio.h>
#include <string.h>

#include "cpu/cpu.h"
#include "tune/common/json.h"
#include "tune/probe/probe.h"
#include "tune/program/build.h"
#include "tune/program/options.h"
#include "tune/program/output.h"
#include "tune/program/program.h"

static const char usage[] = "usage: quernel info [--probe] [--json]\n\nVersion, instruction sets, "
                            "caches; --probe measures for "
                            "less than a second.\n";

enum { TABLES = 32 }; // that are listed

typedef struct reading {
    quernel_isa isa;
    double gops, per_cycle; // 2·MAC per ns; MAC per cycle
    double l1, l2, l3;      // bytes per ns; l3: from beyond L2
} reading;

// The best of three: others only take away from a peak.
static reading probe_isa(const quernel_cpu *cpu, quernel_isa isa, uint32_t rounds) {
    reading r = {.isa = isa};
    for (int i = 0; i < 3; i++) {
        const double clock = probe_clock(), now = probe_gops(isa, rounds, 1, NULL);
        if (now > r.gops) r.gops = now, r.per_cycle = now / 2 / clock;
    }
    r.l1 = probe_read_best(isa, cpu->l1d_bytes / 2), r.l2 = probe_read_best(isa, cpu->l2_bytes / 2);
    r.l3 = probe_read_best(isa, 4 * cpu->l2_bytes);
    return r;
}

static int probe_all(const quernel_cpu *cpu, reading *readings) {
    int count = 0;
    for (int i = 1; i < QUERNEL_I_ISA_COUNT; i++) {
        const quernel_isa isa = (quernel_isa)i;
        if (!(cpu->usable >> i & 1) || probe_bound(isa) == 0) continue;
        const uint32_t rounds = probe_calibrate(isa, 0.02);
        if (!rounds) continue; // refused by the kernel
        readings[count++] = probe_isa(cpu, isa, rounds);
    }
    return count;
}

// "ref avx2".
static void names_of(uint32_t mask, char *to, size_t capacity) {
    *to = 0;
    for (int i = 0; i < QUERNEL_I_ISA_COUNT; i++)
        if (mask >> i & 1) {
            const size_t used = strlen(to);
            snprintf(to + used, capacity - used, "%s%s", used ? " " : "",
                     quernel_isa_name((quernel_isa)i));
        }
}

// AMX needs four things; the last is requested here, as creating an operator would.
static void print_amx(const quernel_cpu *cpu) {
    quernel_error error = {0};
    if (!(cpu->compiled >> QUERNEL_ISA_AMXINT8 & 1)) printf("amx       not compiled\n");
    else
        printf("amx       cpuid %s, xcr0 %s, palette %s, permission %s\n",
               cpu->amx_cpuid ? "yes" : "no", cpu->amx_xcr0 ? "yes" : "no",
               cpu->amx_palette ? "yes" : "no",
               quernel_amx_request(&error) ? error.text : "granted");
}

static void json_amx(json *j, const quernel_cpu *cpu) {
    quernel_error error = {0};
    const int refused = quernel_amx_request(&error);
    json_open(j, "amx", '{');
    json_integer(j, "cpuid", cpu->amx_cpuid), json_integer(j, "xcr0", cpu->amx_xcr0);
    json_integer(j, "palette", cpu->amx_palette), json_integer(j, "permission", !refused);
    json_text(j, "reason", refused ? error.text : NULL);
    json_close(j, '}');
}

static void print_tables(void) {
    quernel_table_info tables[TABLES];
    const size_t count = quernel_tables_get(tables, TABLES);
    for (size_t i = 0; i < count && i < TABLES; i++)
        printf("%s%s: %u rows, %u bad%s%s\n", i ? "          " : "tables    ", tables[i].path,
               tables[i].good, tables[i].bad, *tables[i].wrong ? ", " : "", tables[i].wrong);
}

static void print_peaks(const reading *readings, int count) {
    for (int i = 0; i < count; i++)
        printf("peak      %-10s %.0f GOPS, %.1f MAC per cycle (instructions allow %.0f); reads L1 "
               "%.0f, L2 %.0f, "
               "beyond %.0f GB/s\n",
               quernel_isa_name(readings[i].isa), readings[i].gops, readings[i].per_cycle,
               probe_bound(readings[i].isa), readings[i].l1, readings[i].l2, readings[i].l3);
}

static const char *clamping(const quernel_cpu *cpu) {
    static const char *const texts[] = {"", " (QUERNEL_ISA names one that cannot run here)",
                                        " (QUERNEL_ISA is unknown: no name of an instruction set)"};
    return texts[cpu->ceiling_clamped];
}

static void print_text(const quernel_cpu *cpu, const reading *readings, int count) {
    char detected[128], compiled[128], usable[128];
    names_of(cpu->detected, detected, sizeof detected);
    names_of(cpu->compiled, compiled, sizeof compiled);
    names_of(cpu->usable, usable, sizeof usable);
    printf("quernel   %s (commit %s, %s)\n", quernel_version(), build_commit(), build_compiler());
    const char *core = quernel_i_cpu_traits_of()->core;
    printf("cpu       %s, %u cores%s%s\n", cpu->model, cpu->cores, *core ? ", " : "", core);
    printf("detected  %s\ncompiled  %s\nusable    %s\n", detected, compiled, usable);
    printf("ceiling   %s%s\n", quernel_isa_name((quernel_isa)cpu->ceiling), clamping(cpu));
    print_amx(cpu);
    printf("caches    L1d %zu KiB, L2 %zu KiB, L3 %zu KiB%s\n", cpu->l1d_bytes / 1024,
           cpu->l2_bytes / 1024, cpu->l3_bytes / 1024, cpu->caches_clamped ? " (clamped)" : "");
    print_tables();
    print_peaks(readings, count);
}

static void json_isas(json *j, const quernel_cpu *cpu) {
    const struct {
        const char *name;
        uint32_t mask;
    } masks[] = {{"detected", cpu->detected}, {"compiled", cpu->compiled}, {"usable", cpu->usable}};
    for (int i = 0; i < 3; i++) {
        char names[128];
        names_of(masks[i].mask, names, sizeof names);
        json_text(j, masks[i].name, names);
    }
}

static void json_peaks(json *j, const reading *readings, int count) {
    json_open(j, "peaks", '[');
    for (int i = 0; i < count; i++) {
        json_open(j, NULL, '{');
        json_text(j, "isa", quernel_isa_name(readings[i].isa));
        json_number(j, "gops", readings[i].gops),
            json_number(j, "mac_per_cycle", readings[i].per_cycle);
        json_number(j, "bound_mac_per_cycle", probe_bound(readings[i].isa));
        json_number(j, "read_l1_gbs", readings[i].l1),
            json_number(j, "read_l2_gbs", readings[i].l2);
        json_number(j, "read_beyond_gbs", readings[i].l3);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void print_json(const quernel_cpu *cpu, const reading *readings, int count) {
    json j = json_document(stdout, "quernel-info-1");
    output_build(&j);
    json_text(&j, "model", cpu->model), json_integer(&j, "cores", cpu->cores);
    json_text(&j, "core", quernel_i_cpu_traits_of()->core);
    json_isas(&j, cpu);
    json_text(&j, "ceiling", quernel_isa_name((quernel_isa)cpu->ceiling));
    json_integer(&j, "ceiling_clamped", cpu->ceiling_clamped);
    json_amx(&j, cpu);
    json_integer(&j, "l1d_bytes", (int64_t)cpu->l1d_bytes),
        json_integer(&j, "l2_bytes", (int64_t)cpu->l2_bytes);
    json_integer(&j, "l3_bytes", (int64_t)cpu->l3_bytes),
        json_integer(&j, "caches_clamped", cpu->caches_clamped);
    output_tables(&j);
    json_peaks(&j, readings, count);
    json_document_end(&j);
}

static void help(void) { fputs(usage, stdout); }

typedef struct info_options {
    bool probe, as_json;
} info_options;

static bool take(void *user, option o) {
    info_options *i = user;
    if (!strcmp(o.name, "probe")) return i->probe = true;
    return !strcmp(o.name, "json") && (i->as_json = true);
}

int command_info(int argc, char **argv) {
    static const command_line line = {"info", " probe json ", help, take};
    info_options i = {0};
    const int code = options_read(&line, argc, argv, &i);
    if (code != GO_ON) return code;
    quernel_cpu cpu = QUERNEL_CPU_INIT;
    quernel_cpu_get(&cpu);
    reading readings[QUERNEL_I_ISA_COUNT];
    const int count = i.probe ? probe_all(&cpu, readings) : 0;
    (i.as_json ? print_json : print_text)(&cpu, readings, count);
    return EXIT_DONE;
}
