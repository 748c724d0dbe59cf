// SPDX-License-Identifier: Apache-2.0
// What the commands of the `quernel` program share.
#ifndef QUERNEL_TUNE_PROGRAM_H
#define QUERNEL_TUNE_PROGRAM_H

#include <stdbool.h>
#include <stdio.h>

#include "quernel/quernel.h"

/// Exit codes, the same for every command.
enum { EXIT_DONE = 0, EXIT_WRONG = 1, EXIT_USAGE = 2, EXIT_INSTALL = 3, EXIT_NO_ISA = 4, EXIT_INTERRUPTED = 130 };

int command_info(int argc, char **argv);
int command_verify(int argc, char **argv);
int command_bench(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_tune(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_compare(int argc, char **argv);
int command_recheck(int argc, char **argv);
int command_table(int argc, char **argv);
int command_record(int argc, char **argv);
int command_plot(int argc, char **argv);

/// "quernel: what: which argument: which value" on stderr; returns EXIT_USAGE.
int usage_error(const char *what, const char *argument, const char *value);

/// Walks options of the form --name VALUE or --name=VALUE. Flags have no value.
typedef struct options {
    int argc, at;
    char **argv;
} options;
typedef struct option_seen {
    const char *name;  // without the dashes; NULL at the end
    const char *value; // NULL where none follows
} option_seen;
/// The next option; `flags` is a space-separated list of the names that take no value, with spaces at both ends.
option_seen option_next(options *o, const char *flags);

bool parse_u32(const char *text, uint32_t least, uint32_t *ret);
bool parse_u64(const char *text, uint64_t *ret);

/// Commit and flags that the program was built from.
const char *build_commit(void);
const char *build_compiler(void);
const char *build_flags(void);

#endif
