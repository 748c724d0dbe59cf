// SPDX-License-Identifier: Apache-2.0
// Choosing and judging the quantization of a layer by what its int8 operator really gives on
// samples of its input.
//
//   samples of the layer's input → quernel_search_layer → a choice and its s → quernel_audit_layer:
//   what it costs and why → quernel_bias_correct or quernel_weights_round → and, for the whole
//   network, quernel_accept: the best choice of every layer is not always the best end to end, so a
//   searched network is kept only where it beats the plain one on samples that chose nothing.
#ifndef QUERNEL_PTQ_H
#define QUERNEL_PTQ_H

#include "conv2d.h"
#include "observe.h"
#include "weights.h"

#ifdef __cplusplus
extern "C" {
#endif

/// One sample of a layer's input: all images of `tensor` (F32 or BF16, any layout and strides). A
/// linear layer's [M, K] is the NHWC tensor n 1, h 1, w M, c K. Frozen.
typedef struct quernel_sample {
    quernel_tensor tensor;
    const void *data;
    /// what the float network gave here, behind the activation: dense, in the layout of `tensor`;
    /// or NULL. Only the audit reads it
    const float *expected;
    uint64_t reserved[2]; ///< 0
} quernel_sample;

/// A float layer. Of `op`, which for a linear layer may be NULL, are read: stride, dilation,
/// padding, threads, isa, config, and of op.epilogue bias (F32), activation, lo, hi, slope, slopes.
/// The rest (weights, tensors, quant, output, residual) is set by the calls below.
typedef struct quernel_float_layer {
    uint32_t size;
    const quernel_weights_desc *weights; ///< f32, of any kind, without smoothing
    const quernel_conv2d_desc *op;       ///< NULL: as its _INIT
    const quernel_allocator *allocator;  ///< of all memory that a call takes and gives back
} quernel_float_layer;
#define QUERNEL_FLOAT_LAYER_INIT \
    { sizeof(quernel_float_layer), NULL, NULL, NULL }
#define QUERNEL_FLOAT_LAYER_MIN 32 ///< bytes of its first layout

/// How far two arrays are apart. Elements that are not finite in either are counted and left out.
/// Frozen.
typedef struct quernel_comparison {
    uint64_t count, nonfinite;
    double signal, noise; ///< Σ reference², Σ (y − reference)²
    /// 10·log10(signal / noise), within −300 … 300; 300 where nothing differs
    double sqnr;
    double l1;     ///< Σ |y − reference| / Σ |reference|; where the latter is 0, the former
    double cosine; ///< Σ y·reference / sqrt(Σ y²·Σ reference²); 1 where both are 0
    double max;    ///< the maximum of |y − reference|
    uint64_t reserved[2]; ///< 0
} quernel_comparison;
#define QUERNEL_COMPARISON_INIT          \
    {                                    \
        0, 0, 0, 0, 0, 0, 0, 0, { 0, 0 } \
    }

/// Compares `count` elements. No member of the result is NaN.
/// Returns QUERNEL_OK; QUERNEL_E_NULL.
/// Threads: any.
QUERNEL_API int quernel_compare(const float *reference, const float *y, size_t count,
                                quernel_comparison *ret_comparison, quernel_error *error);

/// What a search chooses from. Sets have a bit for each of their members: 1 << enumerator.
typedef struct quernel_search_options {
    uint32_t size;
    const double *alphas; ///< candidates of SmoothQuant's α, 0 … 1; NULL: 0.3, 0.4 … 0.9
    uint32_t alpha_count;
    /// 1 << QUERNEL_SMOOTH_CHANNEL (default), 1 << QUERNEL_SMOOTH_COLUMN; 0: none. "Off" is always
    /// among the candidates
    uint32_t smooth_kinds;
    uint32_t calibrators; ///< 1 << quernel_calibrator; default absmax, percentile, MSE
    uint32_t signedness;  ///< 1 << quernel_signedness; default AUTO
    uint32_t modes;       ///< 1 << quernel_quant_mode; default STATIC
    int32_t nonzero;      ///< 1: percentile and entropy over non-zeros alone; default 1
    double percentile;    ///< default 0.9999
    /// share of the samples, 0 … 0.9, that choose and are not calibrated on; default 1/3; at least
    /// one of two samples
    double holdout;
    double margin;                  ///< dB that smoothing must win on them; default 0.1
    double act_floor, weight_floor; ///< of quernel_smooth_options
} quernel_search_options;
#define QUERNEL_SEARCH_OPTIONS_INIT                                                            \
    {                                                                                          \
        sizeof(quernel_search_options), NULL, 0, 2, 1 | 4 | 16, 1, 1, 1, 0.9999, 1.0 / 3, 0.1, \
            1.0 / 20, 1.0 / 1024                                                               \
    }
#define QUERNEL_SEARCH_OPTIONS_MIN 80 ///< bytes of its first layout

/// How a layer is to be quantized, and what that gave on the samples that chose it.
typedef struct quernel_choice {
    uint32_t size;
    quernel_quant quant;
    int32_t smooth_kind; ///< QUERNEL_SMOOTH_NONE: off
    double alpha;        ///< where smoothed
    int32_t calibrator, nonzero;
    double sqnr;     ///< of the choice, dB
    double off_sqnr; ///< of the best without smoothing
    /// of u8 absmax, static, without smoothing; 0 where that is not among the candidates
    double plain_sqnr;
    uint32_t tried; ///< candidates that ran
    /// samples that chose; 0: there was one alone, and it was calibrated on too
    uint32_t held_out;
    /// input channels that are 0 in all samples: a warning. They are smoothed by their floor
    uint32_t silent;
    uint32_t first_silent; ///< the first of them
} quernel_choice;
#define QUERNEL_CHOICE_INIT \
    { sizeof(quernel_choice), QUERNEL_QUANT_INIT, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }
#define QUERNEL_CHOICE_MIN 120 ///< bytes of its first layout

/// Chooses α or "off", granularity of smoothing, signedness, mode and calibrator of one layer by
/// the error of its int8 output, each candidate run by the real operator. First everything without
/// smoothing; then each α with the best of that and with absmax; then all calibrators again with
/// the best α. Scales and s come from the samples that are not held out, the decision from those
/// that are. Siblings that read one tensor share one s: stack their weights along the output
/// channels and search them as one layer.
/// Shapes: `samples` [count], each with the layer's input channels. `ret_smooth` takes in (channel)
/// or in·kernel_h·kernel_w floats (where `smooth_kinds` holds COLUMN), 1 where smoothing is off.
/// Numbers: the float layer is computed in binary32; the same on every instruction set, but as far
/// as libm is.
/// Limits: 2^20 samples, each of 2^30 pixels of output.
/// Time: the float layer once and some 20 int8 runs of the held-out samples; the calibrators MSE
/// and entropy add some 10 ms for each candidate.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE (options out of range; non-finite data,
/// index: the sample); QUERNEL_E_SHAPE (no samples, channels that do not fit, window);
/// QUERNEL_E_STRIDE; QUERNEL_E_MEMORY; QUERNEL_E_UNSUPPORTED, QUERNEL_E_OVERFLOW or QUERNEL_E_ISA
/// where no candidate can run (the text is the last one's).
/// Threads: any. Example: examples/calibrate.c.
/// Source: SmoothQuant, Xiao et al., arXiv 2211.10438, equation 4; the search per layer, the floors
/// and "off" are ours.
QUERNEL_API int quernel_search_layer(const quernel_float_layer *layer,
                                     const quernel_sample *samples, uint32_t count,
                                     const quernel_search_options *options,
                                     quernel_choice *ret_choice, float *ret_smooth,
                                     quernel_error *error);

/// ret_bias[n] = bias[n] + the mean over all samples of what the int8 layer lacks in channel n
/// before the activation.
/// Shapes: `smooth` as quernel_search_layer gave it; `ret_bias` [out].
/// Returns as quernel_search_layer.
/// Threads: any.
/// Source: Nagel et al., arXiv 1906.04721, section 4.2, measured.
QUERNEL_API int quernel_bias_correct(const quernel_float_layer *layer, const quernel_choice *choice,
                                     const float *smooth, const quernel_sample *samples,
                                     uint32_t count, float *ret_bias, quernel_error *error);

/// Rounds f32 weights to int8 so that their errors cancel on the samples, given the codes that the
/// choice makes of them: column after column of the im2col matrix, each with what the ones before
/// it lack, weighted by the covariance of the columns (1 % of the mean variance is added to each).
/// No output channel's error on the samples is greater than with plain rounding, once the bias is
/// corrected (of a transposed layer: no phase's). The scales stay those of plain rounding. Pack the
/// result as s8 weights with `ret_scale` and the same smoothing; ret_bias is what
/// quernel_bias_correct gives for them.
/// Shapes: `ret_codes`: as many as the layer's weights, dense, in the order of their kind, −127 …
/// 127; ret_scale, ret_bias: [out].
/// Limits: where more than 4096 columns meet (of a transposed layer, per phase) the codes are the
/// plain ones. Needs some more pixels than columns; where there are fewer, the codes fit the
/// samples alone: judge them on others before keeping them.
/// Time: pixels·K²/2 multiply-adds for the covariance of a group's K columns, K³/6 and out·K²
/// beyond, 8·K² bytes.
/// Returns as quernel_search_layer; also QUERNEL_E_UNSUPPORTED where choice.quant is not static.
/// Threads: any. Example: examples/calibrate.c.
/// Source: GPTQ, Frantar et al., arXiv 2210.17323; as Babai's nearest plane, which needs no
/// inverse: Chen et al., arXiv 2507.18553.
QUERNEL_API int quernel_weights_round(const quernel_float_layer *layer,
                                      const quernel_choice *choice, const float *smooth,
                                      const quernel_sample *samples, uint32_t count,
                                      int8_t *ret_codes, float *ret_scale, float *ret_bias,
                                      quernel_error *error);

/// Causes that an error is split into.
typedef enum quernel_cause {
    QUERNEL_CAUSE_WEIGHTS = 0,  ///< weights in int8
    QUERNEL_CAUSE_ROUNDING = 1, ///< activations rounded to codes
    QUERNEL_CAUSE_CLIPPING = 2, ///< activations outside the codes' range
    /// s: "without" calibrates anew with the choice's calibrator and s = 1
    QUERNEL_CAUSE_SMOOTHING = 3
} quernel_cause;

/// What an audit may report: a set, one bit each.
typedef enum quernel_finding {
    QUERNEL_FINDING_NONFINITE = 1,    ///< NaN or infinity: see `nonfinite_*`
    QUERNEL_FINDING_SILENT_INPUT = 2, ///< input channels that are 0 in all samples
    QUERNEL_FINDING_DEAD_OUTPUT = 4,  ///< output channels whose weights are 0
    /// static: the codes span more than 4 times what the data do
    QUERNEL_FINDING_SCALE_WIDE = 8,
    QUERNEL_FINDING_SCALE_NARROW = 16, ///< static: more than 1 % of the values are clipped
    /// `expected` differs from the layer by a constant in some channel
    QUERNEL_FINDING_BIAS_MISSING = 32,
    /// `expected` differs from the layer by a factor in some channel: as where a batch norm was
    /// left out
    QUERNEL_FINDING_OUTPUT_SCALED = 64
} quernel_finding;

/// Where a NaN or infinity is.
typedef enum quernel_place {
    QUERNEL_PLACE_NOWHERE = 0,
    QUERNEL_PLACE_INPUT = 1,
    QUERNEL_PLACE_WEIGHTS = 2,
    QUERNEL_PLACE_BIAS = 3,
    QUERNEL_PLACE_FLOAT_OUTPUT = 4, ///< of the float layer: finite input overflows
    QUERNEL_PLACE_INT8_OUTPUT = 5   ///< of the int8 layer: never, of finite scales and bias
} quernel_place;

/// The result of an audit: how far int8 is from float, and why.
typedef struct quernel_report {
    uint32_t size;
    quernel_comparison total; ///< the int8 layer against the float one, over all samples
    /// dB with one quernel_cause switched off; the gain over total.sqnr is that cause's share
    double sqnr_without[4];
    uint32_t findings;          ///< set of quernel_finding
    int32_t nonfinite_place;    ///< quernel_place of the first
    uint32_t nonfinite_channel; ///< its channel
    uint32_t nonfinite_sample;  ///< its sample
    /// its element: ((n·C + c)·H + h)·W + w, or that of the weights' data or the bias; −1: none
    int64_t nonfinite_index;
    uint32_t silent, first_silent; ///< input channels
    uint32_t dead, first_dead;     ///< output channels
    double clipped;                ///< share of the input values beyond the codes' range (static)
    /// range of the codes over range of the data (static): 1 fits, above: codes unused
    double scale_ratio;
    uint32_t shifted, first_shifted; ///< channels that lack a constant
    uint32_t scaled, first_scaled;   ///< channels that lack a factor
    double shift, factor;            ///< of the first such channel
} quernel_report;
#define QUERNEL_REPORT_INIT                                                                        \
    {                                                                                              \
        sizeof(quernel_report), QUERNEL_COMPARISON_INIT, {0, 0, 0, 0}, 0, 0, 0, 0, -1, 0, 0, 0, 0, \
            0, 0, 0, 0, 0, 0, 0, 0                                                                 \
    }
#define QUERNEL_REPORT_MIN 208 ///< bytes of its first layout

/// Audits one layer as it was chosen: the real operator against float, and fake quantization by the
/// numeric specification with one cause switched off at a time. Non-finite data, weights or bias
/// are reported, not refused; where they make the operator refuse or the input cannot be judged,
/// `total` and `sqnr_without` stay 0.
/// Shapes: `smooth` as quernel_search_layer gave it.
/// Returns as quernel_search_layer, but for non-finite data.
/// Threads: any. Example: examples/calibrate.c.
QUERNEL_API int quernel_audit_layer(const quernel_float_layer *layer, const quernel_choice *choice,
                                    const float *smooth, const quernel_sample *samples,
                                    uint32_t count, quernel_report *ret_report,
                                    quernel_error *error);

/// Whether a network with searched choices is kept: comparisons of its output against float on
/// `count` samples that chose nothing, with the plain network's. `ret_keep` is 1 where its noise
/// over all samples is at least `margin` dB lower and on no sample more than `margin` dB higher (0
/// … 60); else 0: off for the whole network.
/// Shapes: `plain` and `searched` [count].
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE (margin); QUERNEL_E_SHAPE (count 0).
/// Threads: any.
QUERNEL_API int quernel_accept(const quernel_comparison *plain, const quernel_comparison *searched,
                               uint32_t count, double margin, int32_t *ret_keep,
                               quernel_error *error);

/// What a layer costs a network in int8, and in float. Frozen.
typedef struct quernel_layer_cost {
    /// relative noise power that goes from the network's output where this layer is float, >= 0
    double noise;
    double int8_seconds;  ///< >= 0
    double float_seconds; ///< >= 0
    uint64_t reserved[1]; ///< 0
} quernel_layer_cost;

/// A step of the list of layers to leave in float. Frozen.
typedef struct quernel_float_step {
    uint32_t layer;       ///< left in float as well from here on
    double sqnr;          ///< of the network, dB, where noises add up; within −300 … 300
    double time_ratio;    ///< of the network's time to that of int8 alone
    uint64_t reserved[1]; ///< 0
} quernel_float_step;

/// Orders all layers by the noise that each takes away per second that it costs, best first: a
/// prefix of the list is what to leave in float for a given budget. `rest` is the noise that no
/// layer of the list accounts for.
/// Shapes: `costs` and `ret_steps` [count].
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE (index: the layer, or rest).
/// Threads: any.
QUERNEL_API int quernel_rank_float(const quernel_layer_cost *costs, uint32_t count, double rest,
                                   quernel_float_step *ret_steps, quernel_error *error);

#ifdef __cplusplus
}
#endif

#endif
