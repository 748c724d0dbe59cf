// SPDX-License-Identifier: Apache-2.0
// A product of any kind as what it computes, sums of rows times weights, so that one proof serves
// all: outputs, taps, and the byte that each output's tap reads.
#ifndef QUERNEL_KCHECK_SCENE_H
#define QUERNEL_KCHECK_SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/ukr.h"

/// Sizes of a call. GEMM: `pixels` rows of window.kernel_h k runs of window.channels bytes.
/// Depthwise: `oc` channels, with `pad` lines and pixels around them.
typedef struct shape {
    uint32_t lines, pixels, oc;
    quernel_i_window window;
    uint32_t ic_split, pad;
} shape;

typedef struct scene {
    const quernel_i_kernel *kernel;
    shape shape;
    uint32_t outputs, taps; // an output has a sum for each oc
    uint32_t a_width;       // bytes of a line (of a GEMM's row)
    size_t a_bytes;
    uint8_t *a;
    int8_t *w;     // [oc][taps], as scene_put was told
    uint32_t *at;  // [outputs][taps]: bytes from a; UINT32_MAX: padding, which reads `outside`
    int32_t *init; // [oc rounded up to 16]
    int32_t *y;    // [outputs][oc]
    uint8_t outside;
    int8_t *packed; // what the library stores: w16x4 or taps
    void *prepared; // the kernel's own form of it, or `packed`
    void *scratch;
    size_t panel, prepared_panel;
    quernel_i_k_run k_runs[2];
    quernel_i_epilogue epilogue;
    quernel_i_gemm gemm;
    quernel_i_conv conv;
    quernel_i_depthwise depthwise;
} scene;

/// Everything is 0.
void scene_make(scene *s, const quernel_i_kernel *kernel, const shape *sizes);
void scene_free(scene *s);

/// Whether the oc has a weight at this tap: in groups not everywhere.
bool scene_has(const scene *s, uint32_t n, uint32_t tap);
void scene_put(scene *s, uint32_t n, uint32_t tap, int8_t w);
/// Makes the kernel's own form of the weights of the oc n. Before scene_right, after scene_put.
void scene_prepare(scene *s, uint32_t n);
/// Runs the kernel. Whether its sums are those of the formula; only the taps from … to − 1 have
/// weights that are not 0.
bool scene_right(scene *s, uint32_t from, uint32_t to);

#endif
