// SPDX-License-Identifier: Apache-2.0
// The tests of this folder, one declaration a test.
#ifndef QUERNEL_TESTS_API_TESTS_H
#define QUERNEL_TESTS_API_TESTS_H

void test_refuse_weights_sizes(void);
void test_refuse_weights_strides(void);
void test_refuse_weights_values(void);
void test_refuse_weights_smoothing(void);
void test_refuse_weights_pointers(void);
void test_refuse_weights_get(void);
void test_refuse_blobs(void);
void test_refuse_create_pointers(void);
void test_refuse_create_sizes(void);
void test_refuse_create_window(void);
void test_refuse_create_tensors(void);
void test_refuse_create_quant(void);
void test_refuse_create_finish(void);
void test_refuse_create_residual(void);
void test_refuse_create_bounds(void);
void test_refuse_create_choices(void);
void test_refuse_run_pointers(void);
void test_refuse_run_workspace(void);
void test_refuse_run_tensors(void);
void test_refuse_run_threads(void);
void test_refuse_chain(void);
void test_refuse_pool(void);
void test_refuse_queries(void);
void test_refuse_gemm(void);
void test_refuse_quantize(void);
void test_refuse_range_and_smoothing(void);
void test_refuse_network_desc(void);
void test_refuse_network_tensors(void);
void test_refuse_network_layers(void);
void test_refuse_network_run(void);
void test_allocation_fails(void);
void test_allocator_is_the_only_one(void);
void test_run_allocates_nothing(void);
void test_slices_of_every_layout(void);
void test_slice_as_input(void);
void test_concat_equals_packing(void);
void test_refuse_concat(void);
void test_weights_are_shared(void);
void test_references_from_threads(void);
void test_tiles_are_kept(void);
void test_operators_from_threads(void);
void test_blob_round_trip(void);
void test_config_round_trip(void);
void test_sums_keep_a_bound(void);
void test_narrow_kernels_read_slices(void);
void test_dead_channels(void);
void test_network_allocation_fails(void);
void test_network_run_allocates_nothing(void);
void test_network_queries(void);
void test_network_from_threads(void);

#endif
