// SPDX-License-Identifier: Apache-2.0
// Units below the operators: formulas, quantization, names, the pool.
// Build: gcc -std=gnu11 -O2 -ffp-contract=off -I../../include -I../../src suite.c num.c quant.c
// names.c pool.c check.c
//        main_plain.c -lquernel -lm -lpthread (with Criterion: main_criterion.c and -lcriterion)
#include "check.h"
#include "tests.h"

const char test_suite[] = "unit";
const test_entry test_entries[] = {{"rne", test_rne},
                                   {"clamp", test_clamp},
                                   {"num_quantize", test_num_quantize},
                                   {"bf16", test_bf16},
                                   {"bf16_rounds_to_nearest", test_bf16_rounds_to_nearest},
                                   {"bf16_edges", test_bf16_edges},
                                   {"functions", test_functions},
                                   {"exp", test_exp},
                                   {"quantize", test_quantize},
                                   {"quantize_divide", test_quantize_divide},
                                   {"quantize_ties", test_quantize_ties},
                                   {"quantize_ties_to_even", test_quantize_ties_to_even},
                                   {"quantize_subnormal", test_quantize_subnormal},
                                   {"dequantize", test_dequantize},
                                   {"quant_range", test_quant_range},
                                   {"quant_range_extremes", test_quant_range_extremes},
                                   {"smooth_factors", test_smooth_factors},
                                   {"smooth_silent", test_smooth_silent},
                                   {"smooth_extremes", test_smooth_extremes},
                                   {"status_strings", test_status_strings},
                                   {"types", test_types},
                                   {"isa_names", test_isa_names},
                                   {"isa_parse", test_isa_parse},
                                   {"cpu", test_cpu},
                                   {"cpu_amx", test_cpu_amx},
                                   {"version", test_version},
                                   {"chain_describe", test_chain_describe},
                                   {"pool_runs_each_task_once", test_pool_runs_each_task_once},
                                   {"pool_workers_are_exclusive", test_pool_workers_are_exclusive},
                                   {"pool_is_reused", test_pool_is_reused},
                                   {"pool_second_run", test_pool_second_run},
                                   {"pool_is_forked", test_pool_is_forked},
                                   {NULL, NULL}};
