// SPDX-License-Identifier: Apache-2.0
// Names of modes, coordinates and roundings, by their numbers in a step.
#ifndef QUERNEL_EP_RESAMPLE_H
#define QUERNEL_EP_RESAMPLE_H

#include "unit.h"

#define QUERNEL_EP_MODES "nearest", "linear", "cubic"
enum { QUERNEL_EP_MODE_NEAREST = 0, QUERNEL_EP_MODE_LINEAR, QUERNEL_EP_MODE_CUBIC };

#define QUERNEL_EP_BORDERS "constant", "edge", "reflect", "wrap"
enum {
    QUERNEL_EP_BORDER_CONSTANT = 0,
    QUERNEL_EP_BORDER_EDGE,
    QUERNEL_EP_BORDER_REFLECT,
    QUERNEL_EP_BORDER_WRAP
};

#define QUERNEL_EP_COORDINATES                                                                 \
    "half_pixel", "pytorch_half_pixel", "half_pixel_symmetric", "align_corners", "asymmetric", \
        "tf_half_pixel_for_nn", "tf_crop_and_resize"
enum {
    QUERNEL_EP_HALF_PIXEL = 0,
    QUERNEL_EP_PYTORCH_HALF_PIXEL,
    QUERNEL_EP_HALF_PIXEL_SYMMETRIC,
    QUERNEL_EP_ALIGN_CORNERS,
    QUERNEL_EP_ASYMMETRIC,
    QUERNEL_EP_HALF_PIXEL_FOR_NN,
    QUERNEL_EP_CROP_AND_RESIZE
};

#define QUERNEL_EP_NEAREST "round_prefer_floor", "round_prefer_ceil", "floor", "ceil"
enum { QUERNEL_EP_PREFER_FLOOR = 0, QUERNEL_EP_PREFER_CEIL, QUERNEL_EP_FLOOR, QUERNEL_EP_CEIL };

#endif
