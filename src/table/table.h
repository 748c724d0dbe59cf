// SPDX-License-Identifier: Apache-2.0
// Tuning tables: files of rows, read once and never changed.
#ifndef QUERNEL_TABLE_TABLE_H
#define QUERNEL_TABLE_TABLE_H

#include "table/row.h"

typedef struct quernel_i_table {
    const char *path;    // or "embedded", "quernel_table_set"
    const char *wrong;   // why nothing could be read, or NULL
    uint32_t good, bad;  // rows
    quernel_i_row *rows; // [good], in the file's order
    char *text;          // what the rows point into
} quernel_i_table;

/// Told of each line that is no row.
typedef void quernel_i_table_bad(void *user, uint32_t line, const char *reason);

/// Parses a copy of the text. `path` is copied. NULL where no memory is left.
quernel_i_table *quernel_i_table_parse(const char *path, const char *text, size_t bytes,
                                       quernel_i_table_bad *bad, void *user);
/// Reads a file; a missing one or one above 16 MiB gives a table without rows that says so in
/// `wrong`.
quernel_i_table *quernel_i_table_read(const char *path, quernel_i_table_bad *bad, void *user);
/// NULL is allowed.
void quernel_i_table_free(quernel_i_table *table);

/// Every table of the process in the order in which they are searched, read at the first
/// call: QUERNEL_TABLE, the user's own, the tuner's, the site's, the embedded one. NULL at the end.
const quernel_i_table *const *quernel_i_tables(void);

/// "mac/l1 …" as the tuner probed it on this machine, or "" where it has not.
const char *quernel_i_tables_rates(void);

/// Where the tuner's table and probe are kept: the XDG cache. False where there is no home.
int quernel_i_tables_cache(const char *file, char *path, size_t capacity);

/// The table that was given by quernel_table_set, held for reading until _release; or NULL.
const quernel_i_table *quernel_i_table_given(void);
/// Ends the reading; also where NULL was returned.
void quernel_i_table_given_release(void);

#endif
