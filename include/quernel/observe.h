// SPDX-License-Identifier: Apache-2.0
// Observers: what the activations of a calibration set look like, and the scales that calibrators
// choose from it.
//
//   create → update with each tensor (any number of times) → calibrate.
//
// Updates in any order and any split of the set give the same observer, bit for bit, as does
// merging observers that other threads have filled: counts are integers, extremes have no order,
// sums of maxima are exact, and the bins of the histogram are parts of binary32 itself (256 to each
// power of two), so that nothing is ever rescaled. Only an image (a slice along n) may not be split
// where the mean of maxima is wanted.
#ifndef QUERNEL_OBSERVE_H
#define QUERNEL_OBSERVE_H

#include "quant.h"
#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/// What shares one group of statistics, and the index of the group that element (n, c, h, w)
/// belongs to.
typedef enum quernel_granularity {
    QUERNEL_GRANULARITY_TENSOR = 0,  ///< 1 group
    QUERNEL_GRANULARITY_CHANNEL = 1, ///< c groups: c
    /// h·w groups: h·W + w; a matrix [M, K] is the NHWC tensor n 1, h 1, w M, c K
    QUERNEL_GRANULARITY_ROW = 2,
    /// c·kernel_h·kernel_w groups, one per im2col column: (c·kernel_h + r)·kernel_w + s
    QUERNEL_GRANULARITY_COLUMN = 3
} quernel_granularity;

/// Describes an observer.
typedef struct quernel_observer_desc {
    uint32_t size;       ///< sizeof, set by QUERNEL_OBSERVER_DESC_INIT
    int32_t granularity; ///< quernel_granularity
    uint32_t channels;   ///< CHANNEL, COLUMN: c of the tensors
    uint32_t rows;       ///< ROW: h·w of the tensors
    /// 1: keeps 80 KiB a group for percentile, entropy and MSE; 0: extremes alone
    int32_t histogram;
    /// COLUMN: of the convolution
    uint32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    uint32_t pad_top, pad_left, pad_bottom, pad_right; ///< COLUMN
    /// NULL: the C library. The functions must outlive the observer
    const quernel_allocator *allocator;
} quernel_observer_desc;
#define QUERNEL_OBSERVER_DESC_INIT \
    { sizeof(quernel_observer_desc), 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, NULL }
#define QUERNEL_OBSERVER_DESC_MIN 72 ///< bytes of its first layout

/// What was seen so far, group by group.
typedef struct quernel_observer quernel_observer;

/// Creates an empty observer. All its memory is taken here: updates allocate nothing.
/// Limits: 2^30 channels or rows; kernel, stride, dilation, padding <= 65 536.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE (granularity, histogram, allocator);
/// QUERNEL_E_SHAPE (channels, rows, the window); QUERNEL_E_OVERFLOW (its size); QUERNEL_E_MEMORY.
/// Threads: any. Owner: the caller (quernel_observer_destroy). Example: examples/calibrate.c.
QUERNEL_API int quernel_observer_create(const quernel_observer_desc *desc,
                                        quernel_observer **ret_observer, quernel_error *error);

/// Observes one tensor: `tensor` describes `x` (F32 or BF16, either layout, any strides). NaN and
/// infinities are counted and take no other part. Padding is not observed: 0 always belongs to the
/// range.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE (type, layout); QUERNEL_E_SHAPE (channels or
/// rows that are not the observer's); QUERNEL_E_STRIDE; QUERNEL_E_OVERFLOW; QUERNEL_E_ALIGN (x).
/// Threads: one at a time per observer.
QUERNEL_API int quernel_observer_update(quernel_observer *observer, const quernel_tensor *tensor,
                                        const void *x, quernel_error *error);

/// Adds all that `from` has seen to `into`; `from` stays as it is.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_OVERLAP where both are the same; QUERNEL_E_SHAPE
/// where their descriptors differ.
/// Threads: one at a time per observer.
QUERNEL_API int quernel_observer_merge(quernel_observer *into, const quernel_observer *from,
                                       quernel_error *error);

/// Number of groups.
/// Returns 0 for NULL.
/// Threads: any.
QUERNEL_API uint32_t quernel_observer_groups(const quernel_observer *observer);

/// What one group has seen.
typedef struct quernel_observer_stats {
    uint32_t size;
    uint64_t count;      ///< finite values
    uint64_t zeros;      ///< of them, zeros
    uint64_t nans, infs; ///< not among `count`
    /// smallest ((n·C + c)·H + h)·W + w, within its own tensor, of a NaN or infinity, or −1
    int64_t first_nonfinite;
    uint64_t samples;          ///< images (slices along n) with at least one value of this group
    float min, max;            ///< of the finite values; 0 where there are none
    double mean_min, mean_max; ///< means over the images of min(0, minimum) and max(0, maximum)
} quernel_observer_stats;
#define QUERNEL_OBSERVER_STATS_INIT \
    { sizeof(quernel_observer_stats), 0, 0, 0, 0, -1, 0, 0, 0, 0, 0 }
#define QUERNEL_OBSERVER_STATS_MIN 80 ///< bytes of its first layout

/// Statistics of one group.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE (size); QUERNEL_E_SHAPE (group).
/// Threads: any, while no update runs.
QUERNEL_API int quernel_observer_get(const quernel_observer *observer, uint32_t group,
                                     quernel_observer_stats *ret_stats, quernel_error *error);

/// ret_max[g] = the largest |x| of group g: what quernel_smooth_factors takes. 0 for a silent
/// group.
/// Shapes: `ret_max` [quernel_observer_groups].
/// Returns QUERNEL_OK; QUERNEL_E_NULL.
/// Threads: any, while no update runs.
QUERNEL_API int quernel_observer_absmax(const quernel_observer *observer, float *ret_max,
                                        quernel_error *error);

/// How the range that the codes span is chosen. It always holds 0.
typedef enum quernel_calibrator {
    QUERNEL_CALIBRATOR_ABSMAX = 0, ///< all that was seen: nothing is clipped
    QUERNEL_CALIBRATOR_MEAN = 1,   ///< mean over the images of their extremes
    /// the shortest range that clips at most 1 − percentile of the values, half of them on each
    /// side where both sides are free
    QUERNEL_CALIBRATOR_PERCENTILE = 2,
    /// the minimum of the Kullback-Leibler divergence of the quantized from the seen distribution,
    /// at most 5 % of the values clipped
    QUERNEL_CALIBRATOR_ENTROPY = 3,
    /// the minimum of the mean squared error of quantization, clipping included
    QUERNEL_CALIBRATOR_MSE = 4
} quernel_calibrator;

/// Which int8 type the codes have.
typedef enum quernel_signedness {
    /// u8 with zero point 0 where nothing negative was seen, else asymmetric u8
    QUERNEL_SIGNEDNESS_AUTO = 0,
    QUERNEL_SIGNEDNESS_S8 = 1 ///< symmetric s8, −127 … 127 used, zero point 0
} quernel_signedness;

/// Options of quernel_observer_calibrate.
typedef struct quernel_calibration_options {
    uint32_t size;
    int32_t calibrator; ///< quernel_calibrator
    /// 1: zeros take no part, images of zeros neither (maps that are mostly empty)
    int32_t nonzero;
    int32_t signedness; ///< quernel_signedness
    double percentile;  ///< 0.5 … 1, default 0.9999
    /// 1: goes on although NaN or infinities were seen; 0: refuses, naming the first
    int32_t allow_nonfinite;
} quernel_calibration_options;
#define QUERNEL_CALIBRATION_OPTIONS_INIT \
    { sizeof(quernel_calibration_options), 0, 0, 0, 0.9999, 0 }
#define QUERNEL_CALIBRATION_OPTIONS_MIN 32 ///< bytes of its first layout

/// A choice, and what it costs.
typedef struct quernel_calibration {
    uint32_t size;
    quernel_quant quant; ///< static: type, scale, zero, asymmetric
    float lo, hi;        ///< the range kept, lo <= 0 <= hi
    /// share of the values (of the non-zeros with `nonzero`) outside of it; −1: no histogram
    double clipped;
    /// Σ of squares of what clipping cuts off, over Σ x²; −1: no histogram
    double clipped_error;
} quernel_calibration;
#define QUERNEL_CALIBRATION_INIT \
    { sizeof(quernel_calibration), QUERNEL_QUANT_INIT, 0, 0, 0, 0 }
#define QUERNEL_CALIBRATION_MIN 80 ///< bytes of its first layout

/// Chooses type, scale and zero point for one group, by the formulas of quernel_quant's ranges. A
/// group of zeros alone gives scale 1, zero 0. A scale is never NaN, infinity or 0.
/// Numbers: libm and double; the same on every machine as far as its libm is. The histogram
/// resolves a value to 2^-9 of itself, down to 2^-19 of the largest. Entropy and MSE try 24 ranges
/// to each power of two, down to 2^-12 of what was seen.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE (no values seen; non-finite ones seen: index
/// the first; options out of range; a calibrator that needs a histogram); QUERNEL_E_SHAPE (group);
/// QUERNEL_E_MEMORY.
/// Threads: any, while no update runs. Example: examples/calibrate.c.
/// Source: percentile and entropy: Migacz, 8-bit inference with TensorRT, GTC 2017, here without
/// its fixed 2048 bins, so that an outlier does not coarsen the rest; MSE: Shin et al. 2016;
/// non-zeros: sparse BEV maps (their zeros would otherwise decide).
QUERNEL_API int quernel_observer_calibrate(const quernel_observer *observer, uint32_t group,
                                           const quernel_calibration_options *options,
                                           quernel_calibration *ret_choice, quernel_error *error);

/// Frees the observer. NULL is allowed.
/// Threads: any, while nothing uses it.
QUERNEL_API void quernel_observer_destroy(quernel_observer *observer);

#ifdef __cplusplus
}
#endif

#endif
