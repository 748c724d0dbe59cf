// SPDX-License-Identifier: Apache-2.0
// The parameters: tables of a problem under its plan, which the loops hand to the kernels. Made by
// `op`, const from then on.
#ifndef QUERNEL_EXEC_PARAMS_H
#define QUERNEL_EXEC_PARAMS_H

#include "kernels/ukr.h"

typedef struct quernel_i_params {
    const quernel_i_k_run *k_runs; // [phases][n_k_runs]
    // Quantization of x
    const float *mult;       // [C], or in packed order [groups][4·k_quads] on the im2col path
    const float *range_mult; // [C]: what ranges of whole pixels multiply with
    const float *row_scales; // linear, static per row: [M], or NULL
    float lo, hi;            // the range of codes, before z is subtracted
    // Start values
    // [subproblems·oc16]: bias − Z·col_term, Z = z + a_offset, where Z is static
    const int32_t *init;
    const int32_t *zp_comp; // [subproblems·oc16]: Σ(w − z_w): what a zero point Z takes away
    const int32_t *w_zeros; // [subproblems·oc16]: −z_w, or NULL where all are 0
    // Epilogue: as quernel_i_epilogue, or NULL
    const float *scale, *bias, *slope, *act_lo, *act_hi, *out_scale, *r_scale;
    quernel_i_act act;
    float q_lo, q_hi;
    int32_t q_zero;
    // Codes behind the epilogue: [256], or [N][256], table_channel bytes apart; NULL: as they are
    const uint8_t *table;
    ptrdiff_t table_channel;
    const quernel_i_kernel *lookup;
    int32_t border; // the code that y's border holds
} quernel_i_params;

#endif
