// SPDX-License-Identifier: Apache-2.0
// The front for Criterion: each entry of the table runs in a process of its own. Parameterized
// cases share one name, so the message has the entry's name.
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "check.h"

ParameterizedTestParameters(entries, run) {
    static size_t index[256];
    size_t count = 0;
    while (test_entries[count].name && count < sizeof index / sizeof index[0]) {
        index[count] = count;
        count++;
    }
    return cr_make_param_array(size_t, index, count);
}

ParameterizedTest(size_t *index, entries, run) {
    const test_result *result = test_run(*index);
    const char *name = test_entries[*index].name;
    cr_assert(result->failures == 0, "%s/%s: %zu failures, first: %s", test_suite, name,
              result->failures, result->first);
    if (result->skip[0]) cr_skip("%s/%s: %s", test_suite, name, result->skip);
}
