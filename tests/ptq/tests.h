// SPDX-License-Identifier: Apache-2.0
// The tests of this program.
#ifndef QUERNEL_TESTS_AUDIT_TESTS_H
#define QUERNEL_TESTS_AUDIT_TESTS_H

void test_codes_by_the_specification(void);
void test_outputs_against_float64(void);
void test_search_finds_smoothing(void);
void test_search_keeps_off(void);
void test_search_tells_the_truth(void);
void test_search_every_kind(void);
void test_search_silent_channels(void);
void test_search_refuses(void);
void test_search_memory(void);
void test_bias_correct(void);
void test_round_gains(void);
void test_round_dead(void);
void test_round_refuses(void);
void test_audit_splits_the_error(void);
void test_audit_of_exact_weights(void);
void test_audit_finds(void);
void test_audit_finds_dead_channels(void);
void test_audit_finds_nonfinite(void);
void test_compare(void);
void test_accept(void);
void test_rank_float(void);

#endif
