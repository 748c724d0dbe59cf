// SPDX-License-Identifier: Apache-2.0
// The search and the audit: against layers of which the answer is known, and against the public
// operators.
#include "tests.h"

#include "../unit/check.h"

const char test_suite[] = "audit";
const test_entry test_entries[] = {{"codes_by_the_specification", test_codes_by_the_specification},
                                   {"outputs_against_float64", test_outputs_against_float64},
                                   {"search_finds_smoothing", test_search_finds_smoothing},
                                   {"search_keeps_off", test_search_keeps_off},
                                   {"search_tells_the_truth", test_search_tells_the_truth},
                                   {"search_every_kind", test_search_every_kind},
                                   {"search_silent_channels", test_search_silent_channels},
                                   {"search_refuses", test_search_refuses},
                                   {"search_memory", test_search_memory},
                                   {"bias_correct", test_bias_correct},
                                   {"round_gains", test_round_gains},
                                   {"round_dead", test_round_dead},
                                   {"round_refuses", test_round_refuses},
                                   {"audit_splits_the_error", test_audit_splits_the_error},
                                   {"audit_of_exact_weights", test_audit_of_exact_weights},
                                   {"audit_finds", test_audit_finds},
                                   {"audit_finds_dead_channels", test_audit_finds_dead_channels},
                                   {"audit_finds_nonfinite", test_audit_finds_nonfinite},
                                   {"compare", test_compare},
                                   {"accept", test_accept},
                                   {"rank_float", test_rank_float},
                                   {NULL, NULL}};
