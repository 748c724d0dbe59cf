// SPDX-License-Identifier: Apache-2.0
// Lines of the text files that commands read. None is cut, split or passed over: what cannot be
// read whole is refused by its number.
#ifndef QUERNEL_TUNE_LINES_H
#define QUERNEL_TUNE_LINES_H

#include <stdbool.h>
#include <stdio.h>

/// The longest line: a landscape's of a thousand rounds.
enum { LINES_MOST = 8191 };

typedef struct lines {
    const char *path;
    FILE *from;
    int number;  // of the line that was read last, from 1 on
    bool failed; // something was refused
    char text[LINES_MOST + 1];
} lines;

/// False, with a line on stderr, where the file cannot be opened.
bool lines_open(lines *l, const char *path);
/// The next line without its end, until the next call; NULL behind the last one, and where one was
/// refused.
char *lines_next(lines *l);
/// Refuses the line that was read last: "quernel: path:line: what: value" on stderr. Returns false.
bool lines_refuse(lines *l, const char *what, const char *value);
/// Closes the file. False where anything was refused.
bool lines_close(lines *l);

#endif
