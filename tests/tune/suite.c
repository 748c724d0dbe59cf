// SPDX-License-Identifier: Apache-2.0
// Tables of tuning rows, the search space, the model and the race. Built against the static
// library: the floors below the interface are tested here as well.
#include "../unit/check.h"
#include "tests.h"

const char test_suite[] = "tune";
const test_entry test_entries[] = {{"row_round_trip", test_row_round_trip},
                                   {"row_flipped_bits", test_row_flipped_bits},
                                   {"row_torn", test_row_torn},
                                   {"row_refusals", test_row_refusals},
                                   {"row_later_columns", test_row_later_columns},
                                   {"table_garbage", test_table_garbage},
                                   {"table_torn_last_line", test_table_torn_last_line},
                                   {"table_too_large", test_table_too_large},
                                   {"table_embedded", test_table_embedded},
                                   {"lookup_exact", test_lookup_exact},
                                   {"lookup_rejections", test_lookup_rejections},
                                   {"lookup_neighbours", test_lookup_neighbours},
                                   {"lookup_veto", test_lookup_veto},
                                   {"lookup_network", test_lookup_network},
                                   {"lookup_tie", test_lookup_tie},
                                   {"lookup_bits", test_lookup_bits},
                                   {"lookup_threads", test_lookup_threads},
                                   {"space", test_space},
                                   {"choice_conv3x3", test_choice_conv3x3},
                                   {"choice_narrow", test_choice_narrow},
                                   {"choice_few_rows", test_choice_few_rows},
                                   {"choice_groups", test_choice_groups},
                                   {"choice_arm_groups", test_choice_arm_groups},
                                   {"choice_multipliers", test_choice_multipliers},
                                   {"choice_costs", test_choice_costs},
                                   {"roles_space", test_roles_space},
                                   {"roles_demands", test_roles_demands},
                                   {"roles_bits", test_roles_bits},
                                   {"tiles", test_tiles},
                                   {"products", test_products},
                                   {"network_parts", test_network_parts},
                                   {"network_refusals", test_network_refusals},
                                   {"model_regret", test_model_regret},
                                   {"race_rules", test_race_rules},
                                   {"replay", test_replay},
                                   {"replay_poor", test_replay_poor},
                                   {0}};
