// SPDX-License-Identifier: Apache-2.0
// Words of the command line.
#include "tune/program/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
