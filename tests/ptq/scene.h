// SPDX-License-Identifier: Apache-2.0
// A small float layer with calibration samples, drawn so that something is known about it.
#ifndef QUERNEL_TESTS_AUDIT_SCENE_H
#define QUERNEL_TESTS_AUDIT_SCENE_H

#include <stdbool.h>

#include "quernel/quernel.h"

enum {
    SAMPLES = 6,
    MAX_IN = 16,
    MAX_OUT = 24,
    SIDE = 8,
    MAX_TAPS = 9,
    MAX_X = MAX_IN * SIDE * SIDE
};
enum { MAX_Y = MAX_OUT * 4 * SIDE * SIDE };

typedef enum scene_kind {
    SCENE_CONV,
    SCENE_GROUPS,
    SCENE_DEPTHWISE,
    SCENE_DECONV,
    SCENE_LINEAR,
    SCENE_KINDS
} scene_kind;

typedef struct scene {
    quernel_float_layer layer; ///< of the next two
    quernel_weights_desc described;
    quernel_conv2d_desc op;
    float weights[MAX_IN * MAX_OUT * MAX_TAPS], bias[MAX_OUT];
    float x[SAMPLES][MAX_X], expected[SAMPLES][MAX_Y];
    quernel_sample samples[SAMPLES];
    float smooth[MAX_IN * MAX_TAPS];
} scene;

extern const char *const scene_names[SCENE_KINDS];

/// `loudness`: two channels of the input are so much louder than the rest, and the weights answer
/// them as much softer.
void scene_make(scene *s, scene_kind kind, uint64_t seed, float loudness);

/// Searches with these options; a failure is a failed check.
quernel_choice scene_search(scene *s, const quernel_search_options *options);
quernel_report scene_audit(scene *s, const quernel_choice *choice);

/// What the int8 layer gives on sample i, by the public operators; `y` in the sample's layout.
/// False: a failed check.
bool scene_run(const scene *s, const quernel_choice *choice, int i, int32_t y_type, void *y);

/// The float layer in double on sample i, NHWC or NCHW as the sample, before the activation.
void scene_exact(const scene *s, int i, double *y);
size_t scene_outputs(const scene *s);

#endif
