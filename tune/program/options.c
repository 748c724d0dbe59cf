// SPDX-License-Identifier: Apache-2.0
// Words of the command line.
#include "tune/program/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int usage_error(const char *what, const char *argument, const char *value) {
    fprintf(stderr, "quernel: %s: %s: %s\n", what, argument, value ? value : "(missing)");
    return EXIT_USAGE;
}

int write_error(const char *what, const char *path) {
    fprintf(stderr, "quernel: %s: %s: %s\n", what, path,
            errno ? strerror(errno) : "cannot be written");
    return EXIT_WRONG;
}

bool option_is(option o, const char *name) { return o.value && !strcmp(o.name, name); }

static bool is_flag(const char *flags, const char *name) {
    char padded[64];
    snprintf(padded, sizeof padded, " %s ", name);
    return strstr(" help ", padded) || strstr(flags, padded);
}

// Reads the option at argv[*at] and moves on.
static option next(const char *flags, int argc, char **argv, int *at) {
    char *word = argv[(*at)++];
    if (strncmp(word, "--", 2)) return (option){"?", word};
    char *name = word + 2, *equals = strchr(name, '=');
    if (equals) {
        *equals = 0;
        return (option){name, equals + 1};
    }
    if (is_flag(flags, name)) return (option){name, NULL};
    return (option){name, *at < argc ? argv[(*at)++] : NULL};
}

int options_read(const command_line *line, int argc, char **argv, void *user) {
    for (int at = 0; at < argc;) {
        const option o = next(line->flags, argc, argv, &at);
        if (!strcmp(o.name, "help")) {
            line->help();
            return EXIT_DONE;
        }
        if (!line->take(user, o)) return usage_error(line->command, o.name, o.value);
    }
    return GO_ON;
}

int parse_choice(const char *text, const char *const *words) {
    for (int i = 0; text && words[i]; i++)
        if (!strcmp(text, words[i])) return i;
    return -1;
}

bool parse_u64(const char *text, uint64_t *ret) {
    if (!text || *text < '0' || *text > '9') return false;
    char *end;
    errno = 0;
    *ret = strtoull(text, &end, 10);
    return !*end && !errno;
}

bool parse_u32(const char *text, uint32_t min, uint32_t *ret) {
    uint64_t wide;
    if (!parse_u64(text, &wide) || wide < min || wide > INT32_MAX) return false;
    *ret = (uint32_t)wide;
    return true;
}
