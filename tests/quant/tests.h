// SPDX-License-Identifier: Apache-2.0
// The tests of this program.
#ifndef QUERNEL_TESTS_QUANT_TESTS_H
#define QUERNEL_TESTS_QUANT_TESTS_H

void test_merge_is_order_free(void);
void test_groups_match_a_naive_walk(void);
void test_columns_match_im2col(void);
void test_percentile_clips_what_it_may(void);
void test_mse_is_near_the_best(void);
void test_entropy_of_sparse_maps(void);
void test_mean_of_maxima(void);
void test_types_are_chosen(void);
void test_calibrate_degenerate(void);
void test_calibrate_refuses(void);
void test_calibrate_needs_values(void);
void test_observer_refuses(void);
void test_batch_norm_fold(void);
void test_batch_norm_refuses(void);
void test_weights_absmax(void);
void test_weights_absmax_refuses(void);
void test_chain_plan(void);

#endif
