// SPDX-License-Identifier: Apache-2.0
// Observers, calibrators and folding against naive restatements, and the rules that hold for any
// data.
#include "tests.h"

#include "../unit/check.h"

const char test_suite[] = "quant";
const test_entry test_entries[] = {
    {"merge_is_order_free", test_merge_is_order_free},
    {"groups_match_a_naive_walk", test_groups_match_a_naive_walk},
    {"columns_match_im2col", test_columns_match_im2col},
    {"percentile_clips_what_it_may", test_percentile_clips_what_it_may},
    {"mse_is_near_the_best", test_mse_is_near_the_best},
    {"entropy_of_sparse_maps", test_entropy_of_sparse_maps},
    {"mean_of_maxima", test_mean_of_maxima},
    {"types_are_chosen", test_types_are_chosen},
    {"calibrate_degenerate", test_calibrate_degenerate},
    {"calibrate_refuses", test_calibrate_refuses},
    {"calibrate_needs_values", test_calibrate_needs_values},
    {"observer_refuses", test_observer_refuses},
    {"batch_norm_fold", test_batch_norm_fold},
    {"batch_norm_refuses", test_batch_norm_refuses},
    {"weights_absmax", test_weights_absmax},
    {"weights_absmax_refuses", test_weights_absmax_refuses},
    {"chain_plan", test_chain_plan},
    {NULL, NULL}};
