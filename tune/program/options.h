// SPDX-License-Identifier: Apache-2.0
// Options of a command, of the form --name VALUE or --name=VALUE.
#ifndef QUERNEL_TUNE_OPTIONS_H
#define QUERNEL_TUNE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "tune/program/program.h"

/// "quernel: what: which argument: which value" on stderr; returns EXIT_USAGE.
int usage_error(const char *what, const char *argument, const char *value);

/// "quernel: what: which file: why it could not be written", by errno where that is known; returns
/// EXIT_WRONG.
int write_error(const char *what, const char *path);

/// One option of a command line.
typedef struct option {
    const char *name;  // without the dashes; "?" where the value is a word that has none
    const char *value; // NULL where none follows
} option;

/// Whether the option has this name, and a value.
bool option_is(option o, const char *name);

/// Takes one option; false where its name or value is unknown.
typedef bool option_taker(void *user, option o);

typedef struct command_line {
    const char *command;
    const char *flags;  // names that take no value, each between spaces
    void (*help)(void); // for --help
    option_taker *take;
} command_line;

enum { GO_ON = -1 }; // no exit code

/// Hands each option to `take`. Returns GO_ON, or the exit code to leave with: after --help, and
/// where one is unknown.
int options_read(const command_line *line, int argc, char **argv, void *user);

bool parse_u32(const char *text, uint32_t min, uint32_t *ret);
bool parse_u64(const char *text, uint64_t *ret);
/// Index of a word among those that end with NULL, or −1.
int parse_choice(const char *text, const char *const *words);

#endif
