// SPDX-License-Identifier: Apache-2.0
// The `quernel` program: picks the command.
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tune/program/program.h"

#ifndef QUERNEL_COMMIT
#define QUERNEL_COMMIT "unknown"
#endif
#ifndef QUERNEL_FLAGS
#define QUERNEL_FLAGS "unknown"
#endif

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *does;
} commands[] = {
    {"info", command_info, "what this build and this CPU can do; --probe measures its peaks"},
    {"verify", command_verify, "exactness of every kernel that can run here, against the plain C ones"},
    {"bench", command_bench, "speed of layers (--layers F) or products (--gemm F), checked before they are timed"},
    {"tune", command_tune, "fills a table with the plans that are surely faster here"},
    {"explain", command_explain, "what runs for a layer, why, what lost, how to override"},
    {"compare", command_compare, "two plans of a layer, paired"},
    {"recheck", command_recheck, "whether the rows of a table still hold"},
    {"table", command_table, "show, lint, merge: files of rows"},
    {"doctor", command_doctor, "whether this host is quiet enough to tune on"},
    {"record", command_record, "measures the search space of layers into landscapes"},
    {"plot", command_plot, "a landscape as an SVG"},
};

static void help(FILE *to) {
    fprintf(to, "usage: quernel COMMAND [OPTIONS]      (quernel COMMAND --help)\n\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].does);
    fprintf(to, "\nstdout is the result, stderr progress and errors. Exit: 0 done, 1 a result is wrong, 2 usage,\n"
                "4 the asked instruction set cannot run here, 130 interrupted. QUERNEL_ISA=X is a ceiling, QUERNEL_TABLE=F (or none)\n"
                "a table that is searched first, QUERNEL_VERBOSE=1 shows the log.\n");
}

static void show_log(void *user, const char *line) {
    (void)user;
    fprintf(stderr, "quernel: %s\n", line);
}

int main(int argc, char **argv) {
    if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        help(argc < 2 ? stderr : stdout);
        return argc < 2 ? EXIT_USAGE : EXIT_DONE;
    }
    if (!strcmp(argv[1], "--version")) {
        printf("quernel %s\n", quernel_version());
        return EXIT_DONE;
    }
    signal(SIGXFSZ, SIG_IGN); // a file that may not grow is told of, not died of
    const char *verbose = getenv("QUERNEL_VERBOSE");
    if (verbose && *verbose && strcmp(verbose, "0")) quernel_set_log(show_log, NULL);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(argv[1], commands[i].name)) return commands[i].run(argc - 2, argv + 2);
    return usage_error("quernel", "command", argv[1]);
}

int usage_error(const char *what, const char *argument, const char *value) {
    fprintf(stderr, "quernel: %s: %s: %s\n", what, argument, value ? value : "(missing)");
    return EXIT_USAGE;
}

option_seen option_next(options *o, const char *flags) {
    if (o->at >= o->argc) return (option_seen){NULL, NULL};
    char *word = o->argv[o->at++];
    if (strncmp(word, "--", 2)) return (option_seen){"?", word};
    char *name = word + 2, *equals = strchr(name, '=');
    if (equals) {
        *equals = 0;
        return (option_seen){name, equals + 1};
    }
    char padded[64];
    snprintf(padded, sizeof padded, " %s ", name);
    if (strstr(flags, padded)) return (option_seen){name, NULL};
    return (option_seen){name, o->at < o->argc ? o->argv[o->at++] : NULL};
}

bool parse_u64(const char *text, uint64_t *ret) {
    if (!text || *text < '0' || *text > '9') return false;
    char *end;
    *ret = strtoull(text, &end, 10);
    return *end == 0;
}

bool parse_u32(const char *text, uint32_t least, uint32_t *ret) {
    uint64_t wide;
    if (!parse_u64(text, &wide) || wide < least || wide > INT32_MAX) return false;
    *ret = (uint32_t)wide;
    return true;
}

const char *build_commit(void) { return QUERNEL_COMMIT; }
const char *build_flags(void) { return QUERNEL_FLAGS; }
const char *build_compiler(void) {
#if defined(__clang__)
    return "clang " __clang_version__;
#else
    return "gcc " __VERSION__;
#endif
}
