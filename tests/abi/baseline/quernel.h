// SPDX-License-Identifier: Apache-2.0
// The public headers as they were recorded, one after another, without comments. Made by abi.py --refresh.
// clang-format off
#ifndef QUERNEL_H
#define QUERNEL_H

#define QUERNEL_VERSION_MAJOR 0
#define QUERNEL_VERSION_MINOR 1
#define QUERNEL_VERSION_PATCH 0
#define QUERNEL_API_VERSION 1

#include <stddef.h>
#include <stdint.h>
#if defined(__GNUC__)
#define QUERNEL_API __attribute__((visibility("default")))
#else
#define QUERNEL_API
#endif
#ifdef __cplusplus
extern "C" {
#endif
typedef enum quernel_status {
    QUERNEL_OK = 0,
    QUERNEL_E_NULL = -1,
    QUERNEL_E_VALUE = -2,
    QUERNEL_E_SHAPE = -3,
    QUERNEL_E_STRIDE = -4,
    QUERNEL_E_OVERFLOW = -5,
    QUERNEL_E_ALIGN = -6,
    QUERNEL_E_WORKSPACE = -7,
    QUERNEL_E_OVERLAP = -8,
    QUERNEL_E_MEMORY = -9,
    QUERNEL_E_BLOB = -10,
    QUERNEL_E_UNSUPPORTED = -11,
    QUERNEL_E_ISA = -12
} quernel_status;
QUERNEL_API const char *quernel_status_string(int status);
typedef struct quernel_error {
    int32_t code;
    int32_t index;
    char argument[32];
    char text[160];
} quernel_error;
typedef enum quernel_type {
    QUERNEL_TYPE_F32 = 0,
    QUERNEL_TYPE_BF16 = 1,
    QUERNEL_TYPE_S32 = 2,
    QUERNEL_TYPE_S8 = 3,
    QUERNEL_TYPE_U8 = 4
} quernel_type;
QUERNEL_API size_t quernel_type_size(quernel_type type);
QUERNEL_API const char *quernel_type_name(quernel_type type);
typedef struct quernel_allocator {
    void *(*allocate)(void *user, size_t bytes, size_t alignment);
    void (*release)(void *user, void *memory, size_t bytes);
    void *user;
    uint64_t reserved[2];
} quernel_allocator;
#define QUERNEL_ALLOCATOR_INIT {NULL, NULL, NULL, {0, 0}}
typedef void quernel_log(void *user, const char *line);
QUERNEL_API void quernel_set_log(quernel_log *log, void *user);
QUERNEL_API const char *quernel_version(void);
QUERNEL_API uint32_t quernel_api_version(void);
#ifdef __cplusplus
}
#endif

#ifdef __cplusplus
extern "C" {
#endif
typedef enum quernel_activation {
    QUERNEL_ACTIVATION_NONE = 0,
    QUERNEL_ACTIVATION_RELU = 1,
    QUERNEL_ACTIVATION_CLAMP = 2,
    QUERNEL_ACTIVATION_LEAKY = 3,
    QUERNEL_ACTIVATION_PRELU = 4,
    QUERNEL_ACTIVATION_HSWISH = 5,
    QUERNEL_ACTIVATION_HSIGMOID = 6,
    QUERNEL_ACTIVATION_SILU = 7,
    QUERNEL_ACTIVATION_GELU = 8,
    QUERNEL_ACTIVATION_SIGMOID = 9,
    QUERNEL_ACTIVATION_TANH = 10
} quernel_activation;
typedef struct quernel_finish {
    int32_t bias_type;
    const void *bias;
    int32_t activation;
    float lo, hi;
    float slope;
    const float *slopes;
    int32_t y_type;
    float y_scale;
    int32_t y_zero;
    int32_t y_narrow;
    const float *y_smooth;
    int32_t residual;
    int32_t residual_type;
    float residual_scale;
    const float *residual_scales;
    int32_t residual_zero;
    int32_t residual_after_activation;
    uint64_t reserved[4];
} quernel_finish;
#define QUERNEL_FINISH_INIT \
    {0, NULL, 0, 0.0f, 0.0f, 0.0f, NULL, 0, 1.0f, 0, 0, NULL, 0, 0, 1.0f, NULL, 0, 0, {0, 0, 0, 0}}
#ifdef __cplusplus
}
#endif

#ifdef __cplusplus
extern "C" {
#endif
typedef void quernel_parallel_for(void *user, uint32_t tasks, void (*task)(void *arg, uint32_t task, uint32_t worker),
                                  void *arg);
typedef struct quernel_parallel {
    quernel_parallel_for *run;
    void *user;
    uint32_t threads;
    uint32_t reserved[3];
} quernel_parallel;
#define QUERNEL_PARALLEL_INIT {NULL, NULL, 0, {0, 0, 0}}
typedef struct quernel_pool quernel_pool;
QUERNEL_API int quernel_pool_create(uint32_t threads, quernel_pool **ret_pool, quernel_error *error);
QUERNEL_API void quernel_pool_destroy(quernel_pool *pool);
QUERNEL_API quernel_parallel quernel_pool_parallel(quernel_pool *pool);
#ifdef __cplusplus
}
#endif

#ifdef __cplusplus
extern "C" {
#endif
typedef struct quernel_operator quernel_operator;
QUERNEL_API size_t quernel_operator_workspace(const quernel_operator *op);
QUERNEL_API int quernel_operator_run(const quernel_operator *op, const void *x, const void *residual, void *y,
                                     void *workspace, size_t workspace_bytes, const quernel_parallel *parallel,
                                     quernel_error *error);
QUERNEL_API size_t quernel_operator_explain(const quernel_operator *op, char *text, size_t capacity);
QUERNEL_API void quernel_operator_destroy(quernel_operator *op);
#ifdef __cplusplus
}
#endif

#ifdef __cplusplus
extern "C" {
#endif
typedef enum quernel_quant_mode {
    QUERNEL_QUANT_STATIC = 0,
    QUERNEL_QUANT_DYNAMIC_CALL = 1,
    QUERNEL_QUANT_DYNAMIC_ROW = 2
} quernel_quant_mode;
typedef struct quernel_quant {
    int32_t mode;
    int32_t type;
    float scale;
    int32_t zero;
    int32_t narrow;
    int32_t asymmetric;
    const float *row_scale;
    uint64_t reserved[2];
} quernel_quant;
#define QUERNEL_QUANT_INIT {0, QUERNEL_TYPE_U8, 1.0f, 0, 0, 0, NULL, {0, 0}}
QUERNEL_API int quernel_quantize(const float *x, size_t count, float scale, int32_t zero, int32_t type, int32_t narrow,
                                 int32_t divide, void *q, quernel_error *error);
QUERNEL_API int quernel_dequantize(const void *q, size_t count, float scale, int32_t zero, int32_t type, float *x,
                                   quernel_error *error);
QUERNEL_API int quernel_quant_range(const float *x, size_t count, int32_t type, int32_t asymmetric, float *ret_scale,
                                    int32_t *ret_zero, quernel_error *error);
#ifdef __cplusplus
}
#endif

#ifdef __cplusplus
extern "C" {
#endif
typedef enum quernel_layout {
    QUERNEL_LAYOUT_NHWC = 0,
    QUERNEL_LAYOUT_NCHW = 1
} quernel_layout;
typedef struct quernel_tensor {
    int32_t type;
    int32_t layout;
    uint32_t n, c, h, w;
    int64_t stride_n, stride_c, stride_h, stride_w;
    uint32_t border_h, border_w;
    uint64_t reserved[2];
} quernel_tensor;
#define QUERNEL_TENSOR_INIT {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, {0, 0}}
QUERNEL_API int quernel_chain_describe(quernel_tensor *tensor, uint32_t border_h, uint32_t border_w, size_t *ret_bytes,
                                       size_t *ret_offset, quernel_error *error);
#ifdef __cplusplus
}
#endif

#ifdef __cplusplus
extern "C" {
#endif
typedef enum quernel_smooth_kind {
    QUERNEL_SMOOTH_NONE = 0,
    QUERNEL_SMOOTH_CHANNEL = 1,
    QUERNEL_SMOOTH_COLUMN = 2
} quernel_smooth_kind;
typedef struct quernel_smooth_options {
    uint32_t size;
    double alpha;
    double act_floor;
    double weight_floor;
} quernel_smooth_options;
#define QUERNEL_SMOOTH_OPTIONS_INIT {sizeof(quernel_smooth_options), 0.5, 1.0 / 20, 1.0 / 1024}
#define QUERNEL_SMOOTH_OPTIONS_LEAST 32
QUERNEL_API int quernel_smooth_factors(const float *act_max, const float *weight_max, uint32_t count,
                                       const quernel_smooth_options *options, float *ret_smooth, quernel_error *error);
#ifdef __cplusplus
}
#endif

#ifdef __cplusplus
extern "C" {
#endif
typedef enum quernel_weights_kind {
    QUERNEL_WEIGHTS_LINEAR = 0,
    QUERNEL_WEIGHTS_CONV2D = 1,
    QUERNEL_WEIGHTS_DECONV2D = 2
} quernel_weights_kind;
typedef struct quernel_weights_desc {
    uint32_t size;
    int32_t kind;
    int32_t type;
    uint32_t out, in;
    uint32_t kernel_h, kernel_w;
    uint32_t groups;
    const void *data;
    int64_t stride;
    int64_t stride_in;
    const float *scale;
    const int32_t *zero;
    int32_t smooth_kind;
    const float *smooth;
    const quernel_allocator *allocator;
    uint32_t deconv_stride_h, deconv_stride_w;
} quernel_weights_desc;
#define QUERNEL_WEIGHTS_DESC_INIT {sizeof(quernel_weights_desc), 0, 0, 0, 0, 1, 1, 1, NULL, 0, 0, NULL, NULL, 0, NULL, NULL, 0, 0}
#define QUERNEL_WEIGHTS_DESC_LEAST 96
typedef struct quernel_weights quernel_weights;
QUERNEL_API int quernel_weights_pack(const quernel_weights_desc *desc, quernel_weights **ret_weights,
                                     quernel_error *error);
QUERNEL_API int quernel_weights_concat(const quernel_weights *const *parts, uint32_t count,
                                       const quernel_allocator *allocator, quernel_weights **ret_weights,
                                       quernel_error *error);
QUERNEL_API quernel_weights *quernel_weights_retain(quernel_weights *weights);
QUERNEL_API void quernel_weights_release(quernel_weights *weights);
typedef struct quernel_weights_info {
    uint32_t size;
    int32_t kind;
    uint32_t out, in, kernel_h, kernel_w, groups;
    int32_t smooth_kind;
    const float *scale;
    const int32_t *zero;
    const float *smooth;
    size_t packed_bytes;
    uint32_t deconv_stride_h, deconv_stride_w;
} quernel_weights_info;
#define QUERNEL_WEIGHTS_INFO_INIT {sizeof(quernel_weights_info), 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, 0, 0, 0}
#define QUERNEL_WEIGHTS_INFO_LEAST 64
QUERNEL_API int quernel_weights_get(const quernel_weights *weights, quernel_weights_info *ret_info);
QUERNEL_API size_t quernel_weights_blob_bytes(const quernel_weights *weights);
QUERNEL_API int quernel_weights_save(const quernel_weights *weights, void *ret_blob, size_t bytes, quernel_error *error);
QUERNEL_API int quernel_weights_load(const void *blob, size_t bytes, const quernel_allocator *allocator,
                                     quernel_weights **ret_weights, quernel_error *error);
#ifdef __cplusplus
}
#endif

#ifdef __cplusplus
extern "C" {
#endif
typedef struct quernel_conv2d_desc {
    uint32_t size;
    quernel_weights *weights;
    quernel_tensor x;
    quernel_tensor y;
    quernel_tensor residual;
    uint32_t stride_h, stride_w, dilation_h, dilation_w;
    uint32_t pad_top, pad_left, pad_bottom, pad_right;
    quernel_quant quant;
    quernel_finish finish;
    uint32_t threads;
    int32_t isa;
    const char *config;
    const quernel_allocator *allocator;
    uint32_t out_pad_h, out_pad_w;
} quernel_conv2d_desc;
#define QUERNEL_CONV2D_DESC_INIT                                                                                      \
    {sizeof(quernel_conv2d_desc), NULL, QUERNEL_TENSOR_INIT, QUERNEL_TENSOR_INIT, QUERNEL_TENSOR_INIT, 1, 1, 1, 1, 0, \
     0, 0, 0, QUERNEL_QUANT_INIT, QUERNEL_FINISH_INIT, 1, -1, NULL, NULL, 0, 0}
#define QUERNEL_CONV2D_DESC_LEAST 488
QUERNEL_API int quernel_conv2d_create(const quernel_conv2d_desc *desc, quernel_operator **ret_op, quernel_error *error);
QUERNEL_API int quernel_deconv2d_create(const quernel_conv2d_desc *desc, quernel_operator **ret_op,
                                        quernel_error *error);
#ifdef __cplusplus
}
#endif

#ifdef __cplusplus
extern "C" {
#endif
typedef enum quernel_granularity {
    QUERNEL_GRANULARITY_TENSOR = 0,
    QUERNEL_GRANULARITY_CHANNEL = 1,
    QUERNEL_GRANULARITY_ROW = 2,
    QUERNEL_GRANULARITY_COLUMN = 3
} quernel_granularity;
typedef struct quernel_observer_desc {
    uint32_t size;
    int32_t granularity;
    uint32_t channels;
    uint32_t rows;
    int32_t histogram;
    uint32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    uint32_t pad_top, pad_left, pad_bottom, pad_right;
    const quernel_allocator *allocator;
} quernel_observer_desc;
#define QUERNEL_OBSERVER_DESC_INIT {sizeof(quernel_observer_desc), 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, NULL}
#define QUERNEL_OBSERVER_DESC_LEAST 72
typedef struct quernel_observer quernel_observer;
QUERNEL_API int quernel_observer_create(const quernel_observer_desc *desc, quernel_observer **ret_observer,
                                        quernel_error *error);
QUERNEL_API int quernel_observer_update(quernel_observer *observer, const quernel_tensor *tensor, const void *x,
                                        quernel_error *error);
QUERNEL_API int quernel_observer_merge(quernel_observer *into, const quernel_observer *from, quernel_error *error);
QUERNEL_API uint32_t quernel_observer_groups(const quernel_observer *observer);
typedef struct quernel_observer_stats {
    uint32_t size;
    uint64_t count;
    uint64_t zeros;
    uint64_t nans, infs;
    int64_t first_nonfinite;
    uint64_t samples;
    float least, greatest;
    double mean_least, mean_greatest;
} quernel_observer_stats;
#define QUERNEL_OBSERVER_STATS_INIT {sizeof(quernel_observer_stats), 0, 0, 0, 0, -1, 0, 0, 0, 0, 0}
#define QUERNEL_OBSERVER_STATS_LEAST 80
QUERNEL_API int quernel_observer_get(const quernel_observer *observer, uint32_t group,
                                     quernel_observer_stats *ret_stats, quernel_error *error);
QUERNEL_API int quernel_observer_absmax(const quernel_observer *observer, float *ret_max, quernel_error *error);
typedef enum quernel_calibrator {
    QUERNEL_CALIBRATOR_ABSMAX = 0,
    QUERNEL_CALIBRATOR_MEAN = 1,
    QUERNEL_CALIBRATOR_PERCENTILE = 2,
    QUERNEL_CALIBRATOR_ENTROPY = 3,
    QUERNEL_CALIBRATOR_MSE = 4
} quernel_calibrator;
typedef enum quernel_signedness {
    QUERNEL_SIGNEDNESS_AUTO = 0,
    QUERNEL_SIGNEDNESS_S8 = 1
} quernel_signedness;
typedef struct quernel_calibration_options {
    uint32_t size;
    int32_t calibrator;
    int32_t nonzero;
    int32_t signedness;
    double percentile;
    int32_t allow_nonfinite;
} quernel_calibration_options;
#define QUERNEL_CALIBRATION_OPTIONS_INIT {sizeof(quernel_calibration_options), 0, 0, 0, 0.9999, 0}
#define QUERNEL_CALIBRATION_OPTIONS_LEAST 32
typedef struct quernel_calibration {
    uint32_t size;
    quernel_quant quant;
    float lo, hi;
    double clipped;
    double clipped_error;
} quernel_calibration;
#define QUERNEL_CALIBRATION_INIT {sizeof(quernel_calibration), QUERNEL_QUANT_INIT, 0, 0, 0, 0}
#define QUERNEL_CALIBRATION_LEAST 80
QUERNEL_API int quernel_observer_calibrate(const quernel_observer *observer, uint32_t group,
                                           const quernel_calibration_options *options, quernel_calibration *ret_choice,
                                           quernel_error *error);
QUERNEL_API void quernel_observer_destroy(quernel_observer *observer);
#ifdef __cplusplus
}
#endif

#ifdef __cplusplus
extern "C" {
#endif
typedef struct quernel_sample {
    quernel_tensor tensor;
    const void *data;
    const float *expected;
    uint64_t reserved[2];
} quernel_sample;
typedef struct quernel_float_layer {
    uint32_t size;
    const quernel_weights_desc *weights;
    const quernel_conv2d_desc *op;
    const quernel_allocator *allocator;
} quernel_float_layer;
#define QUERNEL_FLOAT_LAYER_INIT \
    {sizeof(quernel_float_layer), NULL, NULL, NULL}
#define QUERNEL_FLOAT_LAYER_LEAST 32
typedef struct quernel_comparison {
    uint64_t count, nonfinite;
    double signal, noise;
    double sqnr;
    double l1;
    double cosine;
    double greatest;
    uint64_t reserved[2];
} quernel_comparison;
#define QUERNEL_COMPARISON_INIT {0, 0, 0, 0, 0, 0, 0, 0, {0, 0}}
QUERNEL_API int quernel_compare(const float *reference, const float *y, size_t count, quernel_comparison *ret_comparison,
                                quernel_error *error);
typedef struct quernel_search_options {
    uint32_t size;
    const double *alphas;
    uint32_t alpha_count;
    uint32_t smooth_kinds;
    uint32_t calibrators;
    uint32_t signedness;
    uint32_t modes;
    int32_t nonzero;
    double percentile;
    double holdout;
    double margin;
    double act_floor, weight_floor;
} quernel_search_options;
#define QUERNEL_SEARCH_OPTIONS_INIT \
    {sizeof(quernel_search_options), NULL, 0, 2, 1 | 4 | 16, 1, 1, 1, 0.9999, 1.0 / 3, 0.1, 1.0 / 20, 1.0 / 1024}
#define QUERNEL_SEARCH_OPTIONS_LEAST 80
typedef struct quernel_choice {
    uint32_t size;
    quernel_quant quant;
    int32_t smooth_kind;
    double alpha;
    int32_t calibrator, nonzero;
    double sqnr;
    double off_sqnr;
    double plain_sqnr;
    uint32_t tried;
    uint32_t held_out;
    uint32_t silent;
    uint32_t first_silent;
} quernel_choice;
#define QUERNEL_CHOICE_INIT {sizeof(quernel_choice), QUERNEL_QUANT_INIT, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
#define QUERNEL_CHOICE_LEAST 120
QUERNEL_API int quernel_search_layer(const quernel_float_layer *layer, const quernel_sample *samples, uint32_t count,
                                     const quernel_search_options *options, quernel_choice *ret_choice,
                                     float *ret_smooth, quernel_error *error);
QUERNEL_API int quernel_bias_correct(const quernel_float_layer *layer, const quernel_choice *choice, const float *smooth,
                                     const quernel_sample *samples, uint32_t count, float *ret_bias, quernel_error *error);
QUERNEL_API int quernel_weights_round(const quernel_float_layer *layer, const quernel_choice *choice, const float *smooth,
                                      const quernel_sample *samples, uint32_t count, int8_t *ret_codes, float *ret_scale,
                                      float *ret_bias, quernel_error *error);
typedef enum quernel_cause {
    QUERNEL_CAUSE_WEIGHTS = 0,
    QUERNEL_CAUSE_ROUNDING = 1,
    QUERNEL_CAUSE_CLIPPING = 2,
    QUERNEL_CAUSE_SMOOTHING = 3
} quernel_cause;
typedef enum quernel_finding {
    QUERNEL_FINDING_NONFINITE = 1,
    QUERNEL_FINDING_SILENT_INPUT = 2,
    QUERNEL_FINDING_DEAD_OUTPUT = 4,
    QUERNEL_FINDING_SCALE_WIDE = 8,
    QUERNEL_FINDING_SCALE_NARROW = 16,
    QUERNEL_FINDING_BIAS_MISSING = 32,
    QUERNEL_FINDING_OUTPUT_SCALED = 64
} quernel_finding;
typedef enum quernel_place {
    QUERNEL_PLACE_NOWHERE = 0,
    QUERNEL_PLACE_INPUT = 1,
    QUERNEL_PLACE_WEIGHTS = 2,
    QUERNEL_PLACE_BIAS = 3,
    QUERNEL_PLACE_FLOAT_OUTPUT = 4,
    QUERNEL_PLACE_INT8_OUTPUT = 5
} quernel_place;
typedef struct quernel_report {
    uint32_t size;
    quernel_comparison total;
    double sqnr_without[4];
    uint32_t findings;
    int32_t nonfinite_place;
    uint32_t nonfinite_channel;
    uint32_t nonfinite_sample;
    int64_t nonfinite_index;
    uint32_t silent, first_silent;
    uint32_t dead, first_dead;
    double clipped;
    double scale_ratio;
    uint32_t shifted, first_shifted;
    uint32_t scaled, first_scaled;
    double shift, factor;
} quernel_report;
#define QUERNEL_REPORT_INIT \
    {sizeof(quernel_report), QUERNEL_COMPARISON_INIT, {0, 0, 0, 0}, 0, 0, 0, 0, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
#define QUERNEL_REPORT_LEAST 208
QUERNEL_API int quernel_audit_layer(const quernel_float_layer *layer, const quernel_choice *choice, const float *smooth,
                                    const quernel_sample *samples, uint32_t count, quernel_report *ret_report,
                                    quernel_error *error);
QUERNEL_API int quernel_accept(const quernel_comparison *plain, const quernel_comparison *searched, uint32_t count,
                               double margin, int32_t *ret_keep, quernel_error *error);
typedef struct quernel_layer_cost {
    double noise;
    double int8_seconds;
    double float_seconds;
    uint64_t reserved[1];
} quernel_layer_cost;
typedef struct quernel_float_step {
    uint32_t layer;
    double sqnr;
    double time_ratio;
    uint64_t reserved[1];
} quernel_float_step;
QUERNEL_API int quernel_rank_float(const quernel_layer_cost *costs, uint32_t count, double rest,
                                   quernel_float_step *ret_steps, quernel_error *error);
#ifdef __cplusplus
}
#endif

#include <stdbool.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef enum quernel_isa {
    QUERNEL_ISA_REF = 0,
    QUERNEL_ISA_AVX2 = 1,
    QUERNEL_ISA_AVXVNNI = 2,
    QUERNEL_ISA_AVX512VNNI = 3,
    QUERNEL_ISA_AMXINT8 = 4,
    QUERNEL_ISA_NEON = 16,
    QUERNEL_ISA_DOTPROD = 17,
    QUERNEL_ISA_I8MM = 18
} quernel_isa;
QUERNEL_API const char *quernel_isa_name(quernel_isa isa);
QUERNEL_API int quernel_isa_parse(const char *name, quernel_isa *ret_isa);
typedef struct quernel_cpu {
    uint32_t size;
    uint32_t detected;
    uint32_t compiled;
    uint32_t usable;
    int32_t ceiling;
    int32_t ceiling_clamped;
    uint32_t cores;
    uint32_t caches_clamped;
    size_t l1d_bytes, l2_bytes, l3_bytes;
    char model[64];
    uint32_t amx_cpuid;
    uint32_t amx_xcr0;
    uint32_t amx_palette;
} quernel_cpu;
#define QUERNEL_CPU_INIT {sizeof(quernel_cpu), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, {0}, 0, 0, 0}
#define QUERNEL_CPU_LEAST 120
QUERNEL_API int quernel_cpu_get(quernel_cpu *ret_cpu);
QUERNEL_API int quernel_amx_request(quernel_error *error);
#ifdef __cplusplus
}
#endif

#ifdef __cplusplus
extern "C" {
#endif
typedef struct quernel_batch_norm {
    uint32_t size;
    const float *gamma, *beta;
    const float *mean, *variance;
    double eps;
} quernel_batch_norm;
#define QUERNEL_BATCH_NORM_INIT {sizeof(quernel_batch_norm), NULL, NULL, NULL, NULL, 1e-5}
#define QUERNEL_BATCH_NORM_LEAST 48
QUERNEL_API int quernel_batch_norm_fold(const quernel_batch_norm *norm, const quernel_weights_desc *weights,
                                        const float *bias, float *ret_weights, float *ret_bias, quernel_error *error);
QUERNEL_API int quernel_weights_absmax(const quernel_weights_desc *weights, int32_t smooth_kind, float *max,
                                       quernel_error *error);
typedef struct quernel_chain_layer {
    int32_t from;
    uint32_t in, out;
    quernel_quant quant;
    int32_t smooth_kind;
    const float *smooth;
    int32_t float_input;
    uint64_t reserved[2];
} quernel_chain_layer;
typedef enum quernel_chain_reason {
    QUERNEL_CHAIN_INT8 = 0,
    QUERNEL_CHAIN_LAST = 1,
    QUERNEL_CHAIN_FLOAT_READER = 2,
    QUERNEL_CHAIN_DYNAMIC = 3,
    QUERNEL_CHAIN_COLUMN = 4,
    QUERNEL_CHAIN_READERS_DIFFER = 5
} quernel_chain_reason;
typedef struct quernel_chain_output {
    int32_t y_type, y_zero, y_narrow;
    float y_scale;
    const float *y_smooth;
    int32_t reason;
    uint64_t reserved[2];
} quernel_chain_output;
QUERNEL_API int quernel_chain_plan(const quernel_chain_layer *layers, uint32_t count, quernel_chain_output *ret_outputs,
                                   quernel_error *error);
#ifdef __cplusplus
}
#endif

#ifdef __cplusplus
extern "C" {
#endif
QUERNEL_API int quernel_gemm_s8s8s32(int transpose_b, uint32_t m, uint32_t n, uint32_t k, const int8_t *a, int64_t lda,
                                     int32_t a_zero, const int8_t *b, int64_t ldb, int32_t b_zero, int beta, int32_t *c,
                                     int64_t ldc, uint32_t threads, const quernel_parallel *parallel,
                                     const quernel_allocator *allocator, quernel_error *error);
QUERNEL_API int quernel_gemm_u8s8s32(int transpose_b, uint32_t m, uint32_t n, uint32_t k, const uint8_t *a, int64_t lda,
                                     int32_t a_zero, const int8_t *b, int64_t ldb, int32_t b_zero, int beta, int32_t *c,
                                     int64_t ldc, uint32_t threads, const quernel_parallel *parallel,
                                     const quernel_allocator *allocator, quernel_error *error);
#ifdef __cplusplus
}
#endif

#ifdef __cplusplus
extern "C" {
#endif
typedef struct quernel_linear_desc {
    uint32_t size;
    quernel_weights *weights;
    uint32_t m;
    int32_t x_type;
    int64_t x_stride, y_stride, residual_stride;
    quernel_quant quant;
    quernel_finish finish;
    uint32_t threads;
    int32_t isa;
    const char *config;
    const quernel_allocator *allocator;
} quernel_linear_desc;
#define QUERNEL_LINEAR_DESC_INIT \
    {sizeof(quernel_linear_desc), NULL, 0, 0, 0, 0, 0, QUERNEL_QUANT_INIT, QUERNEL_FINISH_INIT, 1, -1, NULL, NULL}
#define QUERNEL_LINEAR_DESC_LEAST 248
QUERNEL_API int quernel_linear_create(const quernel_linear_desc *desc, quernel_operator **ret_op, quernel_error *error);
#ifdef __cplusplus
}
#endif

#ifdef __cplusplus
extern "C" {
#endif
typedef enum quernel_network_role {
    QUERNEL_NETWORK_INNER = 0,
    QUERNEL_NETWORK_INPUT = 1,
    QUERNEL_NETWORK_OUTPUT = 2
} quernel_network_role;
typedef struct quernel_network_tensor {
    uint32_t size;
    int32_t role;
    quernel_tensor shape;
    quernel_quant quant;
    const float *smooth;
} quernel_network_tensor;
#define QUERNEL_NETWORK_TENSOR_INIT \
    {sizeof(quernel_network_tensor), 0, QUERNEL_TENSOR_INIT, QUERNEL_QUANT_INIT, NULL}
#define QUERNEL_NETWORK_TENSOR_LEAST 144
typedef struct quernel_network_layer {
    uint32_t size;
    uint32_t x, x_channel;
    uint32_t y, y_channel;
    int32_t residual;
    uint32_t residual_channel;
    uint32_t reserved[5];
    quernel_conv2d_desc conv;
} quernel_network_layer;
#define QUERNEL_NETWORK_LAYER_INIT \
    {sizeof(quernel_network_layer), 0, 0, 0, 0, -1, 0, {0, 0, 0, 0, 0}, QUERNEL_CONV2D_DESC_INIT}
#define QUERNEL_NETWORK_LAYER_LEAST 536
typedef struct quernel_network_desc {
    uint32_t size;
    const quernel_network_tensor *tensors;
    uint32_t n_tensors;
    const quernel_network_layer *layers;
    uint32_t n_layers;
    uint32_t threads;
    int32_t isa;
    const quernel_allocator *allocator;
} quernel_network_desc;
#define QUERNEL_NETWORK_DESC_INIT {sizeof(quernel_network_desc), NULL, 0, NULL, 0, 1, -1, NULL}
#define QUERNEL_NETWORK_DESC_LEAST 56
typedef struct quernel_network quernel_network;
QUERNEL_API int quernel_network_create(const quernel_network_desc *desc, quernel_network **ret_network,
                                       quernel_error *error);
QUERNEL_API size_t quernel_network_workspace(const quernel_network *network);
QUERNEL_API int quernel_network_tensor_get(const quernel_network *network, uint32_t index, quernel_tensor *ret_tensor);
QUERNEL_API const quernel_operator *quernel_network_operator(const quernel_network *network, uint32_t index);
QUERNEL_API int quernel_network_run(const quernel_network *network, const void *const *inputs, void *const *outputs,
                                    void *workspace, size_t workspace_bytes, const quernel_parallel *parallel,
                                    quernel_error *error);
QUERNEL_API void quernel_network_destroy(quernel_network *network);
#ifdef __cplusplus
}
#endif

#ifdef __cplusplus
extern "C" {
#endif
typedef enum quernel_choice_from {
    QUERNEL_FROM_MODEL = 0,
    QUERNEL_FROM_CONFIG = 1,
    QUERNEL_FROM_TABLE = 2
} quernel_choice_from;
typedef enum quernel_match {
    QUERNEL_MATCH_NONE = 0,
    QUERNEL_MATCH_NEAR = 1,
    QUERNEL_MATCH_BUCKET = 2,
    QUERNEL_MATCH_EXACT = 3
} quernel_match;
typedef enum quernel_verdict {
    QUERNEL_VERDICT_DEFAULT = 0,
    QUERNEL_VERDICT_TIE = 1,
    QUERNEL_VERDICT_WIN = 2
} quernel_verdict;
typedef enum quernel_effort {
    QUERNEL_EFFORT_ESTIMATE = 0,
    QUERNEL_EFFORT_MEASURE = 1,
    QUERNEL_EFFORT_PATIENT = 2,
    QUERNEL_EFFORT_EXHAUSTIVE = 3
} quernel_effort;
typedef struct quernel_plan_choice {
    uint32_t size;
    int32_t from;
    int32_t match;
    int32_t verdict;
    double predicted_ns;
    double base_ns, best_ns;
    double ratio, lo, hi;
    uint32_t rounds;
    char table[256];
    char date[24];
    char lost[256];
} quernel_plan_choice;
#define QUERNEL_PLAN_CHOICE_INIT                                                   \
    {                                                                              \
        sizeof(quernel_plan_choice), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, {0}, {0}, { 0 } \
    }
#define QUERNEL_PLAN_CHOICE_LEAST 608
typedef struct quernel_plan_candidate {
    char config[320];
    double predicted_ns;
    uint64_t reserved[2];
} quernel_plan_candidate;
typedef struct quernel_table_info {
    char path[256];
    uint32_t good, bad;
    char wrong[64];
    uint64_t reserved[2];
} quernel_table_info;
typedef struct quernel_table_counters {
    uint32_t size;
    uint64_t exact, bucket, near, missed;
    uint64_t no_kernel;
    uint64_t other_isa;
    uint64_t other_krev;
    uint64_t other_machine;
    uint64_t not_legal;
    uint64_t vetoed;
} quernel_table_counters;
#define QUERNEL_TABLE_COUNTERS_INIT \
    { sizeof(quernel_table_counters), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }
#define QUERNEL_TABLE_COUNTERS_LEAST 88
QUERNEL_API int quernel_table_set(const char *text, size_t bytes, quernel_error *error);
QUERNEL_API size_t quernel_tables_get(quernel_table_info *ret_tables, size_t capacity);
QUERNEL_API int quernel_table_counters_get(quernel_table_counters *ret_counters);
QUERNEL_API int quernel_operator_choice(const quernel_operator *op, quernel_plan_choice *ret_choice);
QUERNEL_API size_t quernel_operator_candidates(const quernel_operator *op, quernel_plan_candidate *ret_candidates,
                                               size_t capacity);
QUERNEL_API size_t quernel_operator_report(const quernel_operator *op, char *text, size_t capacity);
#ifdef __cplusplus
}
#endif

#endif
