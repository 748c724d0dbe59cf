// SPDX-License-Identifier: Apache-2.0
// What several commands say.
#ifndef QUERNEL_TUNE_OUTPUT_H
#define QUERNEL_TUNE_OUTPUT_H

#include "quernel/quernel.h"
#include "tune/common/json.h"

/// "version", "commit", "compiler", "flags" of this build.
void output_build(json *j);
/// The array "tables": those that are searched, in that order.
void output_tables(json *j);
/// Of a quernel_plan_choice: "model", "override" or "table".
const char *output_plan_source(int32_t from);

/// The word behind "key=" in a config; NULL where it has none.
const char *config_word(const char *config, const char *key, char *to, size_t capacity);

#endif
