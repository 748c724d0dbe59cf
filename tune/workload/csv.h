// SPDX-License-Identifier: Apache-2.0
// Comma-separated files: a header that names the fields of the rows behind it. Nothing is dropped:
// a row has as many fields as the header, and no field is quoted.
#ifndef QUERNEL_TUNE_CSV_H
#define QUERNEL_TUNE_CSV_H

#include "tune/common/lines.h"

enum { CSV_FIELDS_MAX = 40 }; // twice the columns that a list of layers has

typedef struct csv {
    lines lines; // its number is the row's line
    char head[LINES_MOST + 1];
    int count; // of fields
    char *names[CSV_FIELDS_MAX], *fields[CSV_FIELDS_MAX];
} csv;

/// Opens a file and reads its header. False, with a line on stderr, where that cannot be done.
bool csv_open(csv *c, const char *path);
/// Reads the next row that is not blank; false behind the last one, and where one was refused.
bool csv_next(csv *c);
/// A field of the row; NULL where there is no such column, or it is empty.
const char *csv_field(const csv *c, const char *name);

#endif
