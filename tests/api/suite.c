// SPDX-License-Identifier: Apache-2.0
// The tests of the interface: refusals, memory, sharing.
// Build: gcc -std=gnu11 -O2 -I../../include suite.c refuse_*.c memory.c sharing.c slices.c
// fixture.c counting.c malloc_count.c
//        ../unit/check.c ../unit/main_plain.c -lquernel -lm -lpthread (Criterion:
//        ../unit/main_criterion.c, -lcriterion)
#include "tests.h"

#include "../unit/check.h"

const char test_suite[] = "api";
const test_entry test_entries[] = {
    {"refuse_weights_sizes", test_refuse_weights_sizes},
    {"refuse_weights_strides", test_refuse_weights_strides},
    {"refuse_weights_values", test_refuse_weights_values},
    {"refuse_weights_smoothing", test_refuse_weights_smoothing},
    {"refuse_weights_pointers", test_refuse_weights_pointers},
    {"refuse_weights_get", test_refuse_weights_get},
    {"refuse_blobs", test_refuse_blobs},
    {"refuse_create_pointers", test_refuse_create_pointers},
    {"refuse_create_sizes", test_refuse_create_sizes},
    {"refuse_create_window", test_refuse_create_window},
    {"refuse_create_tensors", test_refuse_create_tensors},
    {"refuse_create_quant", test_refuse_create_quant},
    {"refuse_create_epilogue", test_refuse_create_epilogue},
    {"refuse_create_residual", test_refuse_create_residual},
    {"refuse_create_bounds", test_refuse_create_bounds},
    {"refuse_create_choices", test_refuse_create_choices},
    {"refuse_run_pointers", test_refuse_run_pointers},
    {"refuse_run_workspace", test_refuse_run_workspace},
    {"refuse_run_tensors", test_refuse_run_tensors},
    {"refuse_run_threads", test_refuse_run_threads},
    {"refuse_chain", test_refuse_chain},
    {"refuse_pool", test_refuse_pool},
    {"refuse_queries", test_refuse_queries},
    {"refuse_gemm", test_refuse_gemm},
    {"refuse_quantize", test_refuse_quantize},
    {"refuse_range_and_smoothing", test_refuse_range_and_smoothing},
    {"refuse_network_desc", test_refuse_network_desc},
    {"refuse_network_tensors", test_refuse_network_tensors},
    {"refuse_network_layers", test_refuse_network_layers},
    {"refuse_network_run", test_refuse_network_run},
    {"sizes_read", test_sizes_read},
    {"sizes_written", test_sizes_written},
    {"sizes_of_arrays", test_sizes_of_arrays},
    {"sizes_of_old_arrays", test_sizes_of_old_arrays},
    {"reserved", test_reserved},
    {"reserved_of_operators", test_reserved_of_operators},
    {"allocation_fails", test_allocation_fails},
    {"allocator_is_the_only_one", test_allocator_is_the_only_one},
    {"run_allocates_nothing", test_run_allocates_nothing},
    {"slices_of_every_layout", test_slices_of_every_layout},
    {"slice_as_input", test_slice_as_input},
    {"concat_equals_packing", test_concat_equals_packing},
    {"refuse_concat", test_refuse_concat},
    {"weights_are_shared", test_weights_are_shared},
    {"references_from_threads", test_references_from_threads},
    {"tiles_are_kept", test_tiles_are_kept},
    {"operators_from_threads", test_operators_from_threads},
    {"blob_round_trip", test_blob_round_trip},
    {"config_round_trip", test_config_round_trip},
    {"sums_keep_a_bound", test_sums_keep_a_bound},
    {"narrow_kernels_read_slices", test_narrow_kernels_read_slices},
    {"dead_channels", test_dead_channels},
    {"network_allocation_fails", test_network_allocation_fails},
    {"network_run_allocates_nothing", test_network_run_allocates_nothing},
    {"network_queries", test_network_queries},
    {"network_from_threads", test_network_from_threads},
    {NULL, NULL}};
