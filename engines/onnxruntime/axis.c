// SPDX-License-Identifier: Apache-2.0
// What each line or pixel is made of.
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

static double scale_of(const quernel_ep_axis *a, double size, double count) {
    return a->scale > 0 ? (double)a->scale : count / size; // a size was given
}

static double coordinate(const quernel_ep_axis *a, double i, double size, double count) {
    const double scale = scale_of(a, size, count), half = (i + 0.5) / scale - 0.5;
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

// Of a filter that is not stretched: 0 where x is not inside of 1 (linear) or 2 (cubic).
static double filter(const quernel_ep_axis *a, double x) {
    const double c = (double)a->cubic, d = fabs(x);
    if (a->mode == QUERNEL_EP_MODE_LINEAR) return fmax(0, 1 - d);
    if (d < 1) return ((c + 2) * d - (c + 3)) * d * d + 1;
    return d < 2 ? (((d - 5) * d + 8) * d - 4) * c : 0;
}

// How much wider the filter is: as wide as the positions of y lie apart, against aliases.
static double stretch(const quernel_ep_axis *a, double size, double count) {
    return a->antialias ? fmin(fmax(1, 1 / scale_of(a, size, count)), size) : 1;
}

// How many elements of x it takes to each side.
static double reach(const quernel_ep_axis *a, double size, double count) {
    return (a->mode == QUERNEL_EP_MODE_CUBIC ? 2 : 1) * stretch(a, size, count);
}

bool quernel_ep_axis_filters(const quernel_ep_axis *a) {
    return a->kind == QUERNEL_EP_AXIS_RESIZE && a->mode != QUERNEL_EP_MODE_NEAREST;
}

uint32_t quernel_ep_axis_taps(const quernel_ep_axis *a, uint32_t size, uint32_t count) {
    return quernel_ep_axis_filters(a) ? (uint32_t)ceil(2 * reach(a, size, count)) : 1;
}

// Elements beyond x are those of its border, or left out.
static void fill_filter(const quernel_ep_axis *a, uint32_t size, uint32_t count, double at,
                        uint32_t *index, float *weight) {
    const uint32_t taps = quernel_ep_axis_taps(a, size, count);
    const double wider = stretch(a, size, count), first = floor(at - reach(a, size, count)) + 1;
    double sum = 0;
    for (int i = 0; i < 2; i++) // the sum of all first, then each one's share of it
        for (uint32_t t = 0; t < taps; t++) {
            const double place = first + t, inside = fmin(fmax(place, 0), size - 1.0),
                         w = a->exclude_outside && place != inside
                                 ? 0
                                 : filter(a, (place - at) / wider);
            if (i == 0) sum += w;
            else index[t] = (uint32_t)inside, weight[t] = (float)(sum != 0 ? w / sum : w);
        }
}

static void fill_resize(const quernel_ep_axis *a, uint32_t size, uint32_t count, uint32_t i,
                        uint32_t *index, float *weight) {
    const double last = size - 1.0, at = coordinate(a, i, size, count);
    if (quernel_ep_axis_filters(a)) fill_filter(a, size, count, at, index, weight);
    else *index = (uint32_t)fmin(fmax(nearest(a, at), 0), last);
    if (a->coordinates == QUERNEL_EP_CROP_AND_RESIZE && (at < 0 || at > last))
        *index = QUERNEL_RESIZE2D_PAD;
}

// Position i of an axis that continues beyond its ends.
static uint32_t bordered(const quernel_ep_axis *a, int64_t i, int64_t size) {
    const int64_t period = a->mode == QUERNEL_EP_BORDER_WRAP ? size
                           : size > 1                        ? 2 * (size - 1)
                                                             : 1,
                  folded = (i % period + period) % period;
    if (i >= 0 && i < size) return (uint32_t)i;
    switch (a->mode) {
    case QUERNEL_EP_BORDER_EDGE: return (uint32_t)clamp(i, 0, size - 1);
    case QUERNEL_EP_BORDER_REFLECT: return (uint32_t)(folded < size ? folded : period - folded);
    case QUERNEL_EP_BORDER_WRAP: return (uint32_t)folded;
    default: return QUERNEL_RESIZE2D_PAD;
    }
}

void quernel_ep_axis_fill(const quernel_ep_axis *a, uint32_t size, uint32_t count, uint32_t *index,
                          float *weight) {
    const size_t taps = quernel_ep_axis_taps(a, size, count);
    int64_t first = 0, end;
    if (a->kind == QUERNEL_EP_AXIS_SLICE) slice_ends(a, size, &first, &end);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t *at = index + i * taps;
        *at = i;
        if (a->kind == QUERNEL_EP_AXIS_RESIZE)
            fill_resize(a, size, count, i, at, weight + i * taps);
        if (a->kind == QUERNEL_EP_AXIS_SLICE) *at = (uint32_t)(first + i * a->step);
        if (a->kind == QUERNEL_EP_AXIS_PAD) *at = bordered(a, (int64_t)i - a->begin, size);
    }
}
