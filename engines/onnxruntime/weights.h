// SPDX-License-Identifier: Apache-2.0
// Weights of convolutions and products: int8 constants with scale and zero point per output
// channel.
#ifndef QUERNEL_EP_WEIGHTS_H
#define QUERNEL_EP_WEIGHTS_H

#include "unit.h"

/// int8 codes and what they mean.
typedef struct quernel_ep_codes {
    const quernel_ep_value *value;
    quernel_ep_constant scale, zero; // zero.count 0: none
    int64_t axis;                    // of scale, where it has more than one element
} quernel_ep_codes;

/// Of a float input: the DequantizeLinear of a constant that makes it, which the draft takes.
bool quernel_ep_codes_of_float(quernel_ep_draft *d, int32_t v, quernel_ep_codes *ret_codes);
/// Of an operator that takes codes, scale and zero point as inputs.
bool quernel_ep_codes_of_inputs(quernel_ep_draft *d, int32_t v, int32_t scale, int32_t zero,
                                quernel_ep_codes *ret_codes);

/// Notes weights to be packed: scale and zero point of the codes, whose `out_axis` is that of the
/// output channels, and the smoothing of value x. `step` gets their index; `desc` says all but
/// these. False with a refusal.
bool quernel_ep_weights_note(quernel_ep_draft *d, quernel_ep_step *step,
                             const quernel_ep_codes *codes, int64_t out_axis,
                             const quernel_weights_desc *desc);
/// Packs them, if that is not done yet.
int quernel_ep_weights_pack(quernel_ep_search *c, uint32_t index, quernel_error *error);

/// Sets the bias from a constant of `out` elements, times `factor`; v −1: none.
bool quernel_ep_bias_read(quernel_ep_draft *d, quernel_ep_step *step, int32_t v, uint32_t out,
                          double factor);
/// Sets it from s32 codes whose scale is x's times the weights'.
bool quernel_ep_bias_of_sums(quernel_ep_draft *d, quernel_ep_step *step, int32_t v, uint32_t out,
                             const quernel_ep_codes *weights);

/// A convolution's result times `factors` (positive, one or one per channel), plus `offset`, where
/// nothing but a bias has become of it yet: folded into scales and bias. False: it is not.
bool quernel_ep_factor_absorb(quernel_ep_draft *d, quernel_ep_step *step,
                              const quernel_ep_constant *factors, double offset);

/// Window, weights and macs of a convolution, or product ([N][K] weights where `transposed`), of
/// the draft's node; the step's x is set.
bool quernel_ep_convolution_fill(quernel_ep_draft *d, quernel_ep_step *step,
                                 const quernel_ep_codes *codes, bool up);
bool quernel_ep_product_fill(quernel_ep_draft *d, quernel_ep_step *step,
                             const quernel_ep_codes *codes, bool transposed);

#endif
