// SPDX-License-Identifier: Apache-2.0
// Layers of a network that is being made: what each kind reads, writes, and makes an operator of.
#ifndef QUERNEL_NETWORK_LAYER_H
#define QUERNEL_NETWORK_LAYER_H

#include "network/network.h"

/// Whether a layer reads a second tensor.
typedef enum quernel_i_layer_takes {
    QUERNEL_I_LAYER_TAKES_NONE,
    QUERNEL_I_LAYER_TAKES_ANY,
    QUERNEL_I_LAYER_TAKES_ONE
} quernel_i_layer_takes;

/// What a layer reads and writes, and how long its arrays for per-channel scales are.
typedef struct quernel_i_layer_ends {
    const quernel_i_value *x, *z, *y; // z NULL: none
    float *x_scales, *z_scales;
} quernel_i_layer_ends;

/// What its kind says of a layer. NULL: what is said behind the member.
typedef struct quernel_i_layer_kind {
    /// Copies the caller's descriptor, of any size.
    int (*read)(const quernel_network_layer *from, const char *where, quernel_i_layer *to,
                quernel_error *error);
    quernel_i_layer_takes (*takes)(const quernel_i_layer *l); // NONE
    /// Sets the channels that it reads and writes; they are those asked for as it comes.
    void (*channels)(quernel_i_layer *l); // as they are
    /// Channels that it reads of a second tensor.
    uint32_t (*second)(const quernel_i_layer *l); // y's, or one for all
    /// n, h and w of y.
    int (*output)(const quernel_i_layer *l, const quernel_tensor *x, quernel_tensor *ret_y,
                  quernel_error *error); // x's
    /// Lines and pixels around x that it reads as padding where they are there.
    void (*border)(const quernel_i_layer *l, uint32_t *ret_h, uint32_t *ret_w); // none
    /// The smoothing factor that it needs channel k of x to carry, 0: any.
    float (*wants)(const quernel_i_layer *l, uint32_t k); // any
    /// Codes of y are the caller's: a table's.
    bool (*gives_codes)(const quernel_i_layer *l); // no
    /// Codes that are copied where those of both tensors mean the same, with `keeps_codes` always:
    /// channel *ret_y of y has codes of channel *ret_x of x, for index 0, 1 … until it is false.
    bool (*copies)(const quernel_i_layer *l, size_t index, uint32_t *ret_x, uint32_t *ret_y);
    bool keeps_codes;
    /// y may be written over x; over z.
    bool over_x, over_z;
    int (*create)(const quernel_i_layer *l, const quernel_i_layer_ends *ends,
                  const quernel_network_desc *net, quernel_operator **ret_op, quernel_error *error);
} quernel_i_layer_kind;

struct quernel_i_layer {
    quernel_network_layer desc;
    union {
        quernel_eltwise_desc eltwise;
        quernel_pool2d_desc pool2d;
        quernel_resize2d_desc resize2d;
        quernel_shuffle2d_desc shuffle2d;
        quernel_matmul_desc matmul;
        quernel_normalize_desc normalize;
    } own; // by kind; of CONV it is desc.conv
    const quernel_i_layer_kind *kind;
    uint32_t x_channels, z_channels, y_channels;
};

extern const quernel_i_layer_kind quernel_i_layer_conv, quernel_i_layer_eltwise,
    quernel_i_layer_pool2d, quernel_i_layer_resize2d, quernel_i_layer_shuffle2d,
    quernel_i_layer_matmul, quernel_i_layer_normalize;

/// `channels` channels of a tensor.
quernel_tensor quernel_i_layer_slice(const quernel_i_value *v, uint32_t channels);
/// A tensor that is read from `channel` on, with what its codes mean; `scales`: room for them.
quernel_operand quernel_i_layer_operand(const quernel_i_value *v, uint32_t channel,
                                        uint32_t channels, float *scales);
/// Scales per channel where the tensor carries factors, else NULL.
const float *quernel_i_layer_scales(const quernel_i_value *v, uint32_t channel, uint32_t channels,
                                    float *scales);
/// Fills what an epilogue says of y.
void quernel_i_layer_output(const quernel_i_value *y, uint32_t channel, quernel_epilogue *f);

/// Refuses a member of a layer; the refusal of an operator, under the name of its layer.
int quernel_i_layer_refuse(quernel_error *error, int code, const char *member, uint32_t layer,
                           int64_t value, const char *why);
int quernel_i_layer_rename(quernel_error *error, int code, uint32_t layer);

#endif
