// SPDX-License-Identifier: Apache-2.0
// Options of a command.
#ifndef QUERNEL_TUNE_OPTIONS_H
#define QUERNEL_TUNE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "tune/program/program.h"

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

#endif
