// SPDX-License-Identifier: Apache-2.0
// A legal call for every struct that begins with its size.
#include "sized.h"

static const float values[64] = {1, -2, 3, 4, -5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7,
                                 1, -2, 3, 4, -5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7};
enum { CHANNELS = 4 };

static const quernel_weights_desc conv_weights = {.size = sizeof conv_weights,
                                                  .kind = QUERNEL_WEIGHTS_CONV2D,
                                                  .out = CHANNELS,
                                                  .in = CHANNELS,
                                                  .kernel_h = 1,
                                                  .kernel_w = 1,
                                                  .groups = 1,
                                                  .data = values};

static quernel_weights *pack(int32_t kind) {
    quernel_weights_desc d = conv_weights;
    d.kind = kind;
    quernel_weights *w = NULL;
    quernel_weights_pack(&d, &w, NULL);
    return w;
}

static int pack_weights(void *desc, quernel_error *error) {
    quernel_weights *w = NULL;
    const int code = quernel_weights_pack(desc, &w, error);
    quernel_weights_release(w);
    return code;
}

static int create_conv2d(void *desc, quernel_error *error) {
    quernel_conv2d_desc *d = desc;
    quernel_operator *op = NULL;
    d->weights = pack(QUERNEL_WEIGHTS_CONV2D);
    const int code = quernel_conv2d_create(d, &op, error);
    quernel_operator_destroy(op);
    quernel_weights_release(d->weights);
    return code;
}

static int create_linear(void *desc, quernel_error *error) {
    quernel_linear_desc *d = desc;
    quernel_operator *op = NULL;
    d->weights = pack(QUERNEL_WEIGHTS_LINEAR);
    const int code = quernel_linear_create(d, &op, error);
    quernel_operator_destroy(op);
    quernel_weights_release(d->weights);
    return code;
}

static int create_eltwise(void *desc, quernel_error *error) {
    quernel_operator *op = NULL;
    const int code = quernel_eltwise_create(desc, &op, error);
    quernel_operator_destroy(op);
    return code;
}

static int create_observer(void *desc, quernel_error *error) {
    quernel_observer *o = NULL;
    const int code = quernel_observer_create(desc, &o, error);
    quernel_observer_destroy(o);
    return code;
}

static int smooth(void *options, quernel_error *error) {
    float s[CHANNELS];
    return quernel_smooth_factors(&values[8], &values[8], CHANNELS, options, s, error);
}

static int fold(void *norm, quernel_error *error) {
    float w[CHANNELS * CHANNELS], bias[CHANNELS];
    return quernel_batch_norm_fold(norm, &conv_weights, NULL, w, bias, error);
}

static quernel_observer *observed(void) {
    const quernel_observer_desc d = QUERNEL_OBSERVER_DESC_INIT;
    const quernel_tensor t = {.n = 1, .c = CHANNELS, .h = 1, .w = 4};
    quernel_observer *o = NULL;
    if (!quernel_observer_create(&d, &o, NULL)) quernel_observer_update(o, &t, values, NULL);
    return o;
}

static int get_stats(void *stats, quernel_error *error) {
    quernel_observer *o = observed();
    const int code = quernel_observer_get(o, 0, stats, error);
    quernel_observer_destroy(o);
    return code;
}

static int calibrate(const void *options, void *ret, quernel_error *error) {
    quernel_observer *o = observed();
    const int code = quernel_observer_calibrate(o, 0, options, ret, error);
    quernel_observer_destroy(o);
    return code;
}

static int calibrate_with(void *options, quernel_error *error) {
    quernel_calibration c = QUERNEL_CALIBRATION_INIT;
    return calibrate(options, &c, error);
}

static int calibrate_into(void *ret, quernel_error *error) { return calibrate(NULL, ret, error); }

static const quernel_conv2d_desc pointwise = QUERNEL_CONV2D_DESC_INIT;
static const quernel_float_layer layer = {sizeof layer, &conv_weights, &pointwise, NULL};
static const quernel_sample sample = {
    .tensor = {.layout = QUERNEL_LAYOUT_NHWC, .n = 1, .c = CHANNELS, .h = 1, .w = 4},
    .data = values};

static int search(const quernel_float_layer *l, const void *options, void *ret,
                  quernel_error *error) {
    float s[CHANNELS];
    return quernel_search_layer(l, &sample, 1, options, ret, s, error);
}

static int search_layer(void *l, quernel_error *error) {
    quernel_choice c = QUERNEL_CHOICE_INIT;
    return search(l, NULL, &c, error);
}

static int search_with(void *options, quernel_error *error) {
    quernel_choice c = QUERNEL_CHOICE_INIT;
    return search(&layer, options, &c, error);
}

static int search_into(void *ret, quernel_error *error) { return search(&layer, NULL, ret, error); }

static int search_op(void *op, quernel_error *error) {
    const quernel_float_layer l = {sizeof l, &conv_weights, op, NULL};
    quernel_choice c = QUERNEL_CHOICE_INIT;
    return search(&l, NULL, &c, error);
}

static int audit_choice(void *choice, quernel_error *error) {
    quernel_report r = QUERNEL_REPORT_INIT;
    return quernel_audit_layer(&layer, choice, NULL, &sample, 1, &r, error);
}

static int audit_into(void *ret, quernel_error *error) {
    const quernel_choice c = QUERNEL_CHOICE_INIT;
    return quernel_audit_layer(&layer, &c, NULL, &sample, 1, ret, error);
}

static int get_info(void *info, quernel_error *error) {
    (void)error;
    quernel_weights *w = pack(QUERNEL_WEIGHTS_CONV2D);
    const int code = quernel_weights_get(w, info);
    quernel_weights_release(w);
    return code;
}

static int get_choice(void *choice, quernel_error *error) {
    quernel_linear_desc d = QUERNEL_LINEAR_DESC_INIT;
    quernel_operator *op = NULL;
    d.m = 2, d.weights = pack(QUERNEL_WEIGHTS_LINEAR);
    int code = quernel_linear_create(&d, &op, error);
    if (!code) code = quernel_operator_choice(op, choice);
    quernel_operator_destroy(op);
    quernel_weights_release(d.weights);
    return code;
}

static int create_pool(void *desc, quernel_error *error) {
    quernel_operator *op = NULL;
    const int code = quernel_pool2d_create(desc, &op, error);
    quernel_operator_destroy(op);
    return code;
}

static int create_resize(void *desc, quernel_error *error) {
    quernel_operator *op = NULL;
    const int code = quernel_resize2d_create(desc, &op, error);
    quernel_operator_destroy(op);
    return code;
}

static int create_matmul(void *desc, quernel_error *error) {
    quernel_operator *op = NULL;
    const int code = quernel_matmul_create(desc, &op, error);
    quernel_operator_destroy(op);
    return code;
}

static int create_shuffle(void *desc, quernel_error *error) {
    quernel_operator *op = NULL;
    const int code = quernel_shuffle2d_create(desc, &op, error);
    quernel_operator_destroy(op);
    return code;
}

static int create_normalize(void *desc, quernel_error *error) {
    quernel_operator *op = NULL;
    const int code = quernel_normalize_create(desc, &op, error);
    quernel_operator_destroy(op);
    return code;
}

static int get_counters(void *counters, quernel_error *error) {
    (void)error;
    return quernel_table_counters_get(counters);
}

static int get_cpu(void *cpu, quernel_error *error) {
    (void)error;
    return quernel_cpu_get(cpu);
}

static const quernel_conv2d_desc conv = {.size = sizeof conv,
                                         .x = {.n = 1, .c = CHANNELS, .h = 2, .w = 3},
                                         .stride_h = 1,
                                         .stride_w = 1,
                                         .dilation_h = 1,
                                         .dilation_w = 1,
                                         .quant = QUERNEL_QUANT_INIT,
                                         .epilogue = QUERNEL_EPILOGUE_INIT,
                                         .threads = 1,
                                         .isa = -1};
static const quernel_linear_desc linear = {.size = sizeof linear,
                                           .m = 3,
                                           .quant = QUERNEL_QUANT_INIT,
                                           .epilogue = QUERNEL_EPILOGUE_INIT,
                                           .threads = 1,
                                           .isa = -1};
static const quernel_eltwise_desc eltwise = {
    .size = sizeof eltwise,
    .x = {.tensor = {.n = 1, .c = CHANNELS, .h = 2, .w = 3}, .scale = 1},
    .z = QUERNEL_OPERAND_INIT,
    .epilogue = QUERNEL_EPILOGUE_INIT,
    .threads = 1,
    .isa = -1};
static const uint32_t zeros[CHANNELS];
static const quernel_pool2d_desc pool = {.size = sizeof pool,
                                         .x = {.tensor = {.n = 1, .c = CHANNELS, .h = 2, .w = 3}},
                                         .kernel_h = 1,
                                         .kernel_w = 1,
                                         .stride_h = 1,
                                         .stride_w = 1,
                                         .dilation_h = 1,
                                         .dilation_w = 1,
                                         .epilogue = QUERNEL_EPILOGUE_INIT,
                                         .threads = 1,
                                         .isa = -1};
static const quernel_resize2d_desc resize = {
    .size = sizeof resize,
    .x = {.tensor = {.n = 1, .c = CHANNELS, .h = 2, .w = 3}},
    .y = {.h = 1, .w = 1},
    .lines = {1, zeros, NULL},
    .pixels = {1, zeros, NULL},
    .epilogue = QUERNEL_EPILOGUE_INIT,
    .threads = 1,
    .isa = -1};
static const quernel_matmul_desc product = {
    .size = sizeof product,
    .transposed = 1,
    .x = {.tensor = {.type = QUERNEL_TYPE_U8, .n = 1, .c = CHANNELS, .h = 2, .w = 3}, .scale = 1},
    .z = {.tensor = {.type = QUERNEL_TYPE_S8, .n = 1, .c = CHANNELS, .h = 2, .w = 4}, .scale = 1},
    .epilogue = QUERNEL_EPILOGUE_INIT,
    .threads = 1,
    .isa = -1};
static const quernel_shuffle2d_desc shuffle = {.size = sizeof shuffle,
                                               .x = {.n = 1, .c = CHANNELS, .h = 2, .w = 3},
                                               .y = {.c = CHANNELS},
                                               .block_h = 1,
                                               .block_w = 1,
                                               .from = zeros,
                                               .threads = 1};
static const quernel_normalize_desc normalize = {
    .size = sizeof normalize,
    .x = {.tensor = {.n = 1, .c = CHANNELS, .h = 2, .w = 3}},
    .epilogue = QUERNEL_EPILOGUE_INIT,
    .threads = 1,
    .isa = -1};
static const quernel_observer_desc observer = QUERNEL_OBSERVER_DESC_INIT;
static const quernel_smooth_options smooth_options = QUERNEL_SMOOTH_OPTIONS_INIT;
static const quernel_calibration_options calibration_options = QUERNEL_CALIBRATION_OPTIONS_INIT;
static const quernel_search_options search_options = QUERNEL_SEARCH_OPTIONS_INIT;
static const quernel_choice choice = QUERNEL_CHOICE_INIT;
static const quernel_batch_norm norm = {sizeof norm, NULL, NULL, values, &values[8], 1e-5};
static const quernel_weights_info info = QUERNEL_WEIGHTS_INFO_INIT;
static const quernel_observer_stats stats = QUERNEL_OBSERVER_STATS_INIT;
static const quernel_calibration calibration = QUERNEL_CALIBRATION_INIT;
static const quernel_report report = QUERNEL_REPORT_INIT;
static const quernel_plan_choice plan_choice = QUERNEL_PLAN_CHOICE_INIT;
static const quernel_table_counters counters = QUERNEL_TABLE_COUNTERS_INIT;
static const quernel_cpu cpu = QUERNEL_CPU_INIT;

#define SIZED(name, MIN, object, call, has_error) \
    { name, sizeof(object), QUERNEL_##MIN##_MIN, &(object), call, has_error }

const sized sized_read[] = {
    SIZED("weights_desc", WEIGHTS_DESC, conv_weights, pack_weights, 1),
    SIZED("conv2d_desc", CONV2D_DESC, conv, create_conv2d, 1),
    SIZED("linear_desc", LINEAR_DESC, linear, create_linear, 1),
    SIZED("eltwise_desc", ELTWISE_DESC, eltwise, create_eltwise, 1),
    SIZED("pool2d_desc", POOL2D_DESC, pool, create_pool, 1),
    SIZED("resize2d_desc", RESIZE2D_DESC, resize, create_resize, 1),
    SIZED("matmul_desc", MATMUL_DESC, product, create_matmul, 1),
    SIZED("shuffle2d_desc", SHUFFLE2D_DESC, shuffle, create_shuffle, 1),
    SIZED("normalize_desc", NORMALIZE_DESC, normalize, create_normalize, 1),
    SIZED("observer_desc", OBSERVER_DESC, observer, create_observer, 1),
    SIZED("smooth_options", SMOOTH_OPTIONS, smooth_options, smooth, 1),
    SIZED("calibration_options", CALIBRATION_OPTIONS, calibration_options, calibrate_with, 1),
    SIZED("batch_norm", BATCH_NORM, norm, fold, 1),
    SIZED("float_layer", FLOAT_LAYER, layer, search_layer, 1),
    SIZED("float_layer's op", CONV2D_DESC, pointwise, search_op, 1),
    SIZED("search_options", SEARCH_OPTIONS, search_options, search_with, 1),
    SIZED("choice", CHOICE, choice, audit_choice, 1),
};
const int sized_read_count = sizeof sized_read / sizeof *sized_read;

const sized sized_written[] = {
    SIZED("weights_info", WEIGHTS_INFO, info, get_info, 0),
    SIZED("observer_stats", OBSERVER_STATS, stats, get_stats, 1),
    SIZED("calibration", CALIBRATION, calibration, calibrate_into, 1),
    SIZED("choice", CHOICE, choice, search_into, 1),
    SIZED("report", REPORT, report, audit_into, 1),
    SIZED("plan_choice", PLAN_CHOICE, plan_choice, get_choice, 0),
    SIZED("table_counters", TABLE_COUNTERS, counters, get_counters, 0),
    SIZED("cpu", CPU, cpu, get_cpu, 0),
};
const int sized_written_count = sizeof sized_written / sizeof *sized_written;
