// SPDX-License-Identifier: Apache-2.0
// The tests of this folder, one declaration a test, and the row that they spoil.
#ifndef QUERNEL_TESTS_TUNE_TESTS_H
#define QUERNEL_TESTS_TUNE_TESTS_H

#include "table/row.h"

/// A legal row; texts are static.
quernel_i_row sample_row(void);

void test_row_round_trip(void);
void test_row_flipped_bits(void);
void test_row_torn(void);
void test_table_flips(void);
void test_row_refusals(void);
void test_row_later_columns(void);
void test_table_garbage(void);
void test_table_torn_last_line(void);
void test_table_too_large(void);
void test_table_embedded(void);
void test_lookup_exact(void);
void test_lookup_rejections(void);
void test_lookup_neighbours(void);
void test_lookup_veto(void);
void test_lookup_network(void);
void test_lookup_tie(void);
void test_lookup_bits(void);
void test_lookup_threads(void);
void test_space(void);
void test_choice_conv3x3(void);
void test_choice_arm_conv3x3(void);
void test_choice_narrow(void);
void test_choice_arm_narrow(void);
void test_choice_few_rows(void);
void test_choice_groups(void);
void test_choice_arm_groups(void);
void test_choice_tiles(void);
void test_choice_multipliers(void);
void test_cores(void);
void test_choice_collapse(void);
void test_choice_costs(void);
void test_roles_space(void);
void test_roles_demands(void);
void test_roles_bits(void);
void test_tiles(void);
void test_products(void);
void test_ahead(void);
void test_network_ahead(void);
void test_products_few_rows(void);
void test_network_parts(void);
void test_network_refusals(void);
void test_model_regret(void);
void test_untuned(void);
void test_race_rules(void);
void test_replay(void);
void test_replay_poor(void);

#endif
