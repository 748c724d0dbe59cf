// SPDX-License-Identifier: Apache-2.0
// The `quernel` program: picks the command.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quernel/quernel.h"
#include "tune/program/options.h"
#include "tune/program/program.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *does;
} commands[] = {
    {"info", command_info, "what this build and this CPU can do; --probe measures its peaks"},
    {"verify", command_verify,
     "exactness of every kernel that can run here, against the plain C ones"},
    {"bench", command_bench,
     "speed of layers (--layers F) or products (--gemm F), checked before they are timed"},
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
    fprintf(to, "\n"
                "stdout is the result, stderr progress and errors. Exit: 0 done, 1 a result is "
                "wrong, 2 usage,\n"
                "4 the instruction set cannot run here, 130 interrupted. QUERNEL_ISA=X is a "
                "ceiling,\n"
                "QUERNEL_TABLE=F (or none) a table that is searched first, QUERNEL_VERBOSE=1 shows "
                "the log.\n");
}

static void show_log(void *user, const char *line) {
    (void)user;
    fprintf(stderr, "quernel: %s\n", line);
}

static int run(int argc, char **argv) {
    if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
        !strcmp(argv[1], "help")) {
        help(argc < 2 ? stderr : stdout);
        return argc < 2 ? EXIT_USAGE : EXIT_DONE;
    }
    if (!strcmp(argv[1], "--version")) {
        printf("quernel %s\n", quernel_version());
        return EXIT_DONE;
    }
    signal(SIGXFSZ, SIG_IGN); // a file that may not grow is an error message, not a crash
    const char *verbose = getenv("QUERNEL_VERBOSE");
    if (verbose && *verbose && strcmp(verbose, "0")) quernel_set_log(show_log, NULL);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(argv[1], commands[i].name)) return commands[i].run(argc - 2, argv + 2);
    return usage_error("quernel", "command", argv[1]);
}

// What was printed is there, or the command has failed, whatever it thought.
static int close_stdout(int code) {
    errno = 0; // that of an error before this one is not known any more
    if (!ferror(stdout) && !fclose(stdout)) return code;
    return code == EXIT_DONE ? write_error("output", "stdout") : code;
}

int main(int argc, char **argv) { return close_stdout(run(argc, argv)); }
