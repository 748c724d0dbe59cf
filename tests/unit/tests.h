// SPDX-License-Identifier: Apache-2.0
// The tests of this folder, one declaration a test.
#ifndef QUERNEL_TESTS_UNIT_TESTS_H
#define QUERNEL_TESTS_UNIT_TESTS_H

void test_rne(void);
void test_clamp(void);
void test_num_quantize(void);
void test_bf16(void);
void test_bf16_rounds_to_nearest(void);
void test_bf16_edges(void);
void test_functions(void);
void test_exp(void);
void test_quantize(void);
void test_quantize_divide(void);
void test_quantize_ties(void);
void test_quantize_ties_to_even(void);
void test_quantize_subnormal(void);
void test_dequantize(void);
void test_quant_range(void);
void test_quant_range_extremes(void);
void test_smooth_factors(void);
void test_smooth_silent(void);
void test_smooth_extremes(void);
void test_status_strings(void);
void test_types(void);
void test_isa_names(void);
void test_isa_parse(void);
void test_cpu(void);
void test_cpu_amx(void);
void test_version(void);
void test_chain_describe(void);
void test_pool_runs_each_task_once(void);
void test_pool_workers_are_exclusive(void);
void test_pool_is_reused(void);
void test_pool_second_run(void);
void test_pool_is_forked(void);

#endif
