// SPDX-License-Identifier: Apache-2.0
// A row of a tuning table: one decision with its evidence, one line of text. tune/FORMAT.md fixes
// the grammar.
#ifndef QUERNEL_TABLE_ROW_H
#define QUERNEL_TABLE_ROW_H

#include <stddef.h>
#include <stdint.h>

#include "quernel/tune.h"

enum { QUERNEL_I_ROW_MAX = 4096 }; // bytes of a line: tune/FORMAT.md

/// Texts point into the line that was parsed. `extra` holds fields of a later version, tabs
/// included, or "".
typedef struct quernel_i_row {
    const char *op, *shape, *env, *config, *version, *date, *machine, *rates, *lost, *extra;
    uint64_t m, n, k;
    uint32_t krev, rounds;
    double base_ns, best_ns, ratio, lo, hi;
    int32_t verdict; // quernel_verdict
    int32_t effort;  // quernel_effort
    uint64_t seed;
} quernel_i_row;

/// Reads a line of `length` bytes without its newline. The line is changed: fields are terminated
/// and unescaped in place, and it has room for a terminator behind it. Returns NULL, or why the
/// line is no row.
const char *quernel_i_row_parse(char *line, size_t length, quernel_i_row *ret_row);

/// Writes the row as one line with its checksum and a newline in front and behind, so that a torn
/// line before it costs that line alone. Returns its length, 0 where it does not fit.
size_t quernel_i_row_print(const quernel_i_row *row, char *text, size_t capacity);

/// As FORMAT.md writes them; "unknown" for other values.
const char *quernel_i_row_verdict_name(int32_t verdict);
const char *quernel_i_row_effort_name(int32_t effort);
/// The value whose name this is; −1 where there is none.
int32_t quernel_i_row_effort_parse(const char *name);

#endif
