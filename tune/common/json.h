// SPDX-License-Identifier: Apache-2.0
// A small JSON writer: commas and quotes where they belong, absent numbers as null.
#ifndef QUERNEL_TUNE_JSON_H
#define QUERNEL_TUNE_JSON_H

#include <stdint.h>
#include <stdio.h>

#include "tune/common/outfile.h"

typedef struct json {
    FILE *to;
    int first; // the open object or array is still empty
} json;

/// Opens the object that a command writes, with its schema; closes it and ends the line.
json json_document(FILE *to, const char *schema);
void json_document_end(json *j);

void json_open(json *j, const char *name, char bracket); // '{' or '['; name NULL inside arrays
void json_close(json *j, char bracket);
void json_text(json *j, const char *name, const char *value); // NULL: null
void json_number(json *j, const char *name, double value);    // NaN: null
void json_integer(json *j, const char *name, int64_t value);

/// A JSON file; "-" is stdout, NULL none.
typedef struct json_file {
    json json;
    outfile file;
} json_file;
int json_file_open(json_file *f, const char *path);
int json_file_close(json_file *f); // 0 where it could not be written; errno says why

#endif
