// SPDX-License-Identifier: Apache-2.0
// Where each line or pixel comes from.
#include <math.h>

#include "resample.h"
#include "sizes.h"

static int64_t clamp(int64_t x, int64_t lo, int64_t hi) { return x < lo ? lo : x > hi ? hi : x; }

// ONNX's Slice: negative indices count from the end, those beyond it stop there.
static void slice_ends(const quernel_ep_axis *a, int64_t size, int64_t *ret_first,
                       int64_t *ret_end) {
    const int64_t begin = a->begin < 0 ? a->begin + size : a->begin,
                  end = a->end < 0 ? a->end + size : a->end;
    *ret_first = a->step > 0 ? clamp(begin, 0, size) : clamp(begin, 0, size - 1);
    *ret_end = a->step > 0 ? clamp(end, 0, size) : clamp(end, -1, size - 1);
}

static uint32_t slice_size(const quernel_ep_axis *a, uint32_t size) {
    int64_t first, end;
    slice_ends(a, size, &first, &end);
    const int64_t count = a->step > 0 ? (end - first + a->step - 1) / a->step
                                      : (first - end - a->step - 1) / -a->step;
    return count > 0 ? (uint32_t)count : 0;
}

static uint32_t resize_size(const quernel_ep_axis *a, uint32_t size) {
    if (a->size) return a->size;
    const float count = floorf((float)size * a->scale); // as ONNX Runtime computes it
    return count >= 1 && count < 2147483648.0f ? (uint32_t)count : 0;
}

uint32_t quernel_ep_axis_size(const quernel_ep_axis *a, uint32_t size) {
    switch (a->kind) {
    case QUERNEL_EP_AXIS_RESIZE: return resize_size(a, size);
    case QUERNEL_EP_AXIS_SLICE: return slice_size(a, size);
    case QUERNEL_EP_AXIS_PAD: {
        const int64_t padded = (int64_t)size + a->begin + a->end;
        return padded > 0 && padded <= INT32_MAX ? (uint32_t)padded : 0;
    }
    default: return size;
    }
}

static double coordinate(const quernel_ep_axis *a, double i, double size, double count) {
    const double scale = a->scale > 0 ? (double)a->scale : count / size, // a size was given
        half = (i + 0.5) / scale - 0.5;
    const double start = (double)a->roi[0], end = (double)a->roi[1];
    switch (a->coordinates) {
    case QUERNEL_EP_PYTORCH_HALF_PIXEL: return count > 1 ? half : 0;
    case QUERNEL_EP_HALF_PIXEL_SYMMETRIC: return half + size / 2 * (1 - count / (scale * size));
    case QUERNEL_EP_ALIGN_CORNERS: return count > 1 ? i * (size - 1) / (count - 1) : 0;
    case QUERNEL_EP_ASYMMETRIC: return i / scale;
    case QUERNEL_EP_HALF_PIXEL_FOR_NN: return half + 0.5;
    case QUERNEL_EP_CROP_AND_RESIZE:
        if (count == 1) return 0.5 * (start + end) * (size - 1);
        return start * (size - 1) + i * (end - start) * (size - 1) / (count - 1);
    default: return half;
    }
}

static double nearest(const quernel_ep_axis *a, double x) {
    switch (a->nearest) {
    case QUERNEL_EP_PREFER_CEIL: return floor(x + 0.5);
    case QUERNEL_EP_FLOOR: return floor(x);
    case QUERNEL_EP_CEIL: return ceil(x);
    default: return ceil(x - 0.5);
    }
}

static void resize_at(const quernel_ep_axis *a, uint32_t size, uint32_t count, uint32_t i,
                      uint32_t *from, uint32_t *to, float *share) {
    const double last = size - 1.0, x = coordinate(a, i, size, count),
                 at = a->linear ? fmin(fmax(x, 0), last) : fmin(fmax(nearest(a, x), 0), last);
    *from = *to = (uint32_t)at;
    *share = (float)(at - floor(at));
    if (*from + 1 < size) *to = *from + 1;
    if (a->coordinates == QUERNEL_EP_CROP_AND_RESIZE && (x < 0 || x > last))
        *from = *to = QUERNEL_RESIZE2D_PAD, *share = 0;
}

void quernel_ep_axis_fill(const quernel_ep_axis *a, uint32_t size, uint32_t count, uint32_t *from,
                          uint32_t *to, float *share) {
    int64_t first = 0, end;
    if (a->kind == QUERNEL_EP_AXIS_SLICE) slice_ends(a, size, &first, &end);
    for (uint32_t i = 0; i < count; i++) {
        const int64_t padded = (int64_t)i - a->begin;
        from[i] = i;
        if (a->kind == QUERNEL_EP_AXIS_RESIZE)
            resize_at(a, size, count, i, &from[i], &to[i], &share[i]);
        if (a->kind == QUERNEL_EP_AXIS_SLICE) from[i] = (uint32_t)(first + i * a->step);
        if (a->kind == QUERNEL_EP_AXIS_PAD)
            from[i] = padded < 0 || padded >= size ? QUERNEL_RESIZE2D_PAD : (uint32_t)padded;
    }
}
