// SPDX-License-Identifier: Apache-2.0
// The structs of the interface, checked while compiling: of frozen ones the size and the offsets of
// last member and room, of sized ones that they are no smaller than their first layouts.
#include "quernel/quernel.h"

#define FROZEN(type, bytes, last, at)                                              \
    _Static_assert(sizeof(type) == (bytes), #type " is frozen: its size changed"); \
    _Static_assert(offsetof(type, last) == (at), #type " is frozen: " #last " moved")

#define ROOM(type, bytes, room, last, at) \
    FROZEN(type, bytes, last, at);        \
    _Static_assert(offsetof(type, reserved) == (room), #type " is frozen: its room moved")

FROZEN(quernel_error, 200, text, 40);
ROOM(quernel_allocator, 40, 24, user, 16);
ROOM(quernel_parallel, 32, 20, threads, 16);
ROOM(quernel_tensor, 80, 64, border_w, 60);
ROOM(quernel_quant, 48, 32, row_scale, 24);
ROOM(quernel_epilogue, 128, 112, table_zero, 108);
ROOM(quernel_operand, 112, 96, scales, 88);
ROOM(quernel_sample, 112, 96, expected, 88);
ROOM(quernel_comparison, 80, 64, max, 56);
ROOM(quernel_layer_cost, 32, 24, float_seconds, 16);
ROOM(quernel_float_step, 32, 24, time_ratio, 16);
ROOM(quernel_chain_layer, 104, 88, float_input, 80);
ROOM(quernel_chain_output, 48, 32, reason, 24);
ROOM(quernel_plan_candidate, 344, 328, predicted_ns, 320);
ROOM(quernel_table_info, 344, 328, wrong, 264);

// It grows, at its end alone, because its last member does.
_Static_assert(offsetof(quernel_network_layer, conv) == 48, "quernel_network_layer: conv moved");

#define SIZED(type, MIN)                                                               \
    _Static_assert(offsetof(type, size) == 0, #type ": its size does not come first"); \
    _Static_assert(sizeof(type) >= QUERNEL_##MIN##_MIN, #type " is smaller than its first layout")

SIZED(quernel_weights_desc, WEIGHTS_DESC);
SIZED(quernel_weights_info, WEIGHTS_INFO);
SIZED(quernel_conv2d_desc, CONV2D_DESC);
SIZED(quernel_linear_desc, LINEAR_DESC);
SIZED(quernel_eltwise_desc, ELTWISE_DESC);
SIZED(quernel_pool2d_desc, POOL2D_DESC);
SIZED(quernel_resize2d_desc, RESIZE2D_DESC);
SIZED(quernel_shuffle2d_desc, SHUFFLE2D_DESC);
SIZED(quernel_normalize_desc, NORMALIZE_DESC);
SIZED(quernel_network_tensor, NETWORK_TENSOR);
SIZED(quernel_network_layer, NETWORK_LAYER);
SIZED(quernel_network_desc, NETWORK_DESC);
SIZED(quernel_smooth_options, SMOOTH_OPTIONS);
SIZED(quernel_observer_desc, OBSERVER_DESC);
SIZED(quernel_observer_stats, OBSERVER_STATS);
SIZED(quernel_calibration_options, CALIBRATION_OPTIONS);
SIZED(quernel_calibration, CALIBRATION);
SIZED(quernel_float_layer, FLOAT_LAYER);
SIZED(quernel_search_options, SEARCH_OPTIONS);
SIZED(quernel_choice, CHOICE);
SIZED(quernel_report, REPORT);
SIZED(quernel_batch_norm, BATCH_NORM);
SIZED(quernel_plan_choice, PLAN_CHOICE);
SIZED(quernel_table_counters, TABLE_COUNTERS);
SIZED(quernel_cpu, CPU);
