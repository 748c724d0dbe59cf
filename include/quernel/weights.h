// SPDX-License-Identifier: Apache-2.0
// Weights: packed once, immutable, shared by operators of any shape, instruction set and number of
// threads.
#ifndef QUERNEL_WEIGHTS_H
#define QUERNEL_WEIGHTS_H

#include "common.h"
#include "smooth.h"

#ifdef __cplusplus
extern "C" {
#endif

/// What the weights belong to, and the order of their elements.
typedef enum quernel_weights_kind {
    QUERNEL_WEIGHTS_LINEAR = 0,  ///< [out][in]
    QUERNEL_WEIGHTS_CONV2D = 1,  ///< [out][in / groups][kernel_h][kernel_w]
    QUERNEL_WEIGHTS_DECONV2D = 2 ///< [in][out / groups][kernel_h][kernel_w]
} quernel_weights_kind;

/// Describes weights to pack. Everything is copied: nothing that it points to is used after the
/// call.
///
/// Numbers: f32 weights become w·s (rounded to binary32), then d_w[n] = max|w_n| / 127 or the given
/// scale, then q = clamp(rne(w / d_w), −127, 127), by division; an output channel whose maximum is
/// below 2^-96 gets d_w = 1 and zeros. s8 and u8 weights are taken as they are (−128 included),
/// with their scales and zero points; u8 is stored as w − 128 with zero point z − 128, which gives
/// the same results.
typedef struct quernel_weights_desc {
    uint32_t size;               ///< sizeof(quernel_weights_desc), set by QUERNEL_WEIGHTS_DESC_INIT
    int32_t kind;                ///< quernel_weights_kind
    int32_t type;                ///< QUERNEL_TYPE_F32, _S8 or _U8
    uint32_t out, in;            ///< channels (linear: N and K)
    uint32_t kernel_h, kernel_w; ///< 1 for linear
    uint32_t groups;             ///< divides in and out; 1 for linear
    const void *data;
    int64_t stride; ///< elements between the slices of the first dimension; 0: dense
    /// linear only: elements between the k of one row; 0 or 1: contiguous. With `stride` 1 this
    /// reads a matrix that is stored [K][N]
    int64_t stride_in;
    const float *scale;  ///< [out], finite and > 0; NULL: f32 computes them, s8 and u8 take 1
    const int32_t *zero; ///< [out] zero points, within the type; NULL: 0 (for f32 always NULL)
    int32_t smooth_kind; ///< quernel_smooth_kind
    /// finite, > 0. For s8 and u8 weights the factors are kept, not multiplied in again
    const float *smooth;
    /// NULL: the C library. The functions must outlive the weights
    const quernel_allocator *allocator;
    /// deconv2d only: the stride that it will run with; 0: the kernel
    uint32_t deconv_stride_h, deconv_stride_w;
} quernel_weights_desc;
#define QUERNEL_WEIGHTS_DESC_INIT                                                                 \
    {                                                                                             \
        sizeof(quernel_weights_desc), 0, 0, 0, 0, 1, 1, 1, NULL, 0, 0, NULL, NULL, 0, NULL, NULL, \
            0, 0                                                                                  \
    }
#define QUERNEL_WEIGHTS_DESC_MIN 96 ///< bytes of its first layout

/// Packed weights: immutable, counted references.
typedef struct quernel_weights quernel_weights;

/// Packs weights.
/// Limits: channels, kernel and groups <= 2^26; strides of a deconvolution <= 65 536.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE (kind, type; non-finite weights, scales or
/// factors, and zero points outside the type: index theirs); QUERNEL_E_SHAPE (sizes of 0, groups
/// that do not divide); QUERNEL_E_STRIDE (elements that overlap); QUERNEL_E_OVERFLOW (sizes);
/// QUERNEL_E_MEMORY.
/// Threads: any. Owner: the caller, of one reference (quernel_weights_release). Example:
/// examples/conv2d.c.
QUERNEL_API int quernel_weights_pack(const quernel_weights_desc *desc,
                                     quernel_weights **ret_weights, quernel_error *error);

/// Joins the weights of `count` sibling layers, which read the same input through the same window,
/// into one of all their output channels in order: one operator then computes them at once, each as
/// a channel slice of its output (see quernel_tensor). Scales and zero points are kept; the parts
/// may be released afterwards.
/// Returns QUERNEL_OK; QUERNEL_E_NULL (parts, one of them, ret_weights); QUERNEL_E_SHAPE (count 0;
/// parts of more than one group, or whose kind, in, kernel, stride or smoothing is not that of the
/// first: index the part); QUERNEL_E_VALUE (allocator); QUERNEL_E_OVERFLOW; QUERNEL_E_MEMORY.
/// Threads: any. Owner: the caller (quernel_weights_release). Example: examples/siblings.c.
QUERNEL_API int quernel_weights_concat(const quernel_weights *const *parts, uint32_t count,
                                       const quernel_allocator *allocator,
                                       quernel_weights **ret_weights, quernel_error *error);

/// Adds a reference.
/// Returns its argument.
/// Threads: any.
QUERNEL_API quernel_weights *quernel_weights_retain(quernel_weights *weights);

/// Gives a reference back; with the last one the weights are freed. NULL is allowed.
/// Threads: any.
QUERNEL_API void quernel_weights_release(quernel_weights *weights);

/// What is inside. Pointers live as long as the weights.
typedef struct quernel_weights_info {
    uint32_t size; ///< sizeof, set by QUERNEL_WEIGHTS_INFO_INIT
    int32_t kind;
    uint32_t out, in, kernel_h, kernel_w, groups;
    int32_t smooth_kind;
    const float *scale;  ///< [out]
    const int32_t *zero; ///< [out] of the stored s8 values, or NULL where all are 0
    const float *smooth; ///< as given, or NULL
    size_t packed_bytes;
    uint32_t deconv_stride_h, deconv_stride_w; ///< 1 but for deconv2d
} quernel_weights_info;
#define QUERNEL_WEIGHTS_INFO_INIT \
    { sizeof(quernel_weights_info), 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, 0, 0, 0 }
#define QUERNEL_WEIGHTS_INFO_MIN 64 ///< bytes of its first layout

/// Fills `ret_info`.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE (size).
/// Threads: any. Owner: the weights, of what the pointers point to.
QUERNEL_API int quernel_weights_get(const quernel_weights *weights, quernel_weights_info *ret_info);

/// Size of the blob that quernel_weights_save writes.
/// Returns bytes; 0 for NULL.
/// Threads: any.
QUERNEL_API size_t quernel_weights_blob_bytes(const quernel_weights *weights);

/// Writes the blob: little-endian, the same bytes on every machine, with format id, sizes and
/// CRC-32C.
/// Shapes: `ret_blob` of `bytes` >= quernel_weights_blob_bytes, of any alignment.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_SHAPE (bytes).
/// Threads: any.
QUERNEL_API int quernel_weights_save(const quernel_weights *weights, void *ret_blob, size_t bytes,
                                     quernel_error *error);

/// Reads a blob, which is copied and needs no alignment. Everything is checked before its sizes are
/// used to allocate.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_BLOB (a truncated, corrupted or foreign blob);
/// QUERNEL_E_VALUE (allocator); QUERNEL_E_MEMORY.
/// Threads: any. Owner: the caller (quernel_weights_release).
QUERNEL_API int quernel_weights_load(const void *blob, size_t bytes,
                                     const quernel_allocator *allocator,
                                     quernel_weights **ret_weights, quernel_error *error);

/// Reads a blob and uses its packed bytes where they are: a mapped file, or a buffer, that stays as
/// it is until the last reference is given back, those of operators among them.
/// Shapes: `blob` is 64-byte aligned.
/// Returns as quernel_weights_load; also QUERNEL_E_ALIGN.
/// Threads: any. Owner: the caller (quernel_weights_release), also of the blob.
QUERNEL_API int quernel_weights_map(const void *blob, size_t bytes,
                                    const quernel_allocator *allocator,
                                    quernel_weights **ret_weights, quernel_error *error);

#ifdef __cplusplus
}
#endif

#endif
