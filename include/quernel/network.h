// SPDX-License-Identifier: Apache-2.0
// A network: operators that read and write tensors by index, made once and run as one.
#ifndef QUERNEL_NETWORK_H
#define QUERNEL_NETWORK_H

#include "conv2d.h"
#include "eltwise.h"
#include "matmul.h"
#include "normalize.h"
#include "pool2d.h"
#include "resize2d.h"
#include "shuffle2d.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Whose memory a tensor of a network is.
typedef enum quernel_network_role {
    /// the network's: a part of the workspace, shared by tensors that never live at once
    QUERNEL_NETWORK_INNER = 0,
    QUERNEL_NETWORK_INPUT = 1, ///< handed to run, read
    QUERNEL_NETWORK_OUTPUT = 2 ///< handed to run, written; layers may read it afterwards
} quernel_network_role;

/// One tensor. int8 tensors are chain tensors: their writers scale, smooth and requantize for their
/// readers, and write the border that the readers' padding needs.
///
/// Shapes: h, w (and n) of a tensor that a layer writes are computed, c too, as the end of its last
/// slice: leave them 0, or give the same. Strides of inputs and outputs as in quernel_tensor; of
/// inner tensors 0: the network lays them out. Inner int8 tensors are NHWC with border 0 here: the
/// network gives them the border that their readers need. An output may have one.
/// Numbers: of int8, quant.scale, zero and narrow say what the codes mean, and quant.type is not
/// looked at; of float, quant is how every layer quantizes what it reads from here.
typedef struct quernel_network_tensor {
    uint32_t size; ///< sizeof, set by QUERNEL_NETWORK_TENSOR_INIT
    int32_t role;  ///< quernel_network_role
    quernel_tensor shape;
    quernel_quant quant;
    /// int8: [c] smoothing factors by which the values were divided; NULL: those of the readers'
    /// weights
    const float *smooth;
} quernel_network_tensor;
#define QUERNEL_NETWORK_TENSOR_INIT \
    { sizeof(quernel_network_tensor), 0, QUERNEL_TENSOR_INIT, QUERNEL_QUANT_INIT, NULL }
#define QUERNEL_NETWORK_TENSOR_MIN 144 ///< bytes of its first layout

/// What a layer is, and what its `desc` points to.
typedef enum quernel_network_kind {
    QUERNEL_NETWORK_CONV = 0,    ///< `conv`: a convolution, or a deconvolution by its weights' kind
    QUERNEL_NETWORK_ELTWISE = 1, ///< quernel_eltwise_desc; z is `residual`
    QUERNEL_NETWORK_POOL2D = 2,  ///< quernel_pool2d_desc
    QUERNEL_NETWORK_RESIZE2D = 3,  ///< quernel_resize2d_desc
    QUERNEL_NETWORK_SHUFFLE2D = 4, ///< quernel_shuffle2d_desc
    QUERNEL_NETWORK_MATMUL = 5,    ///< quernel_matmul_desc; z is `residual`
    QUERNEL_NETWORK_NORMALIZE = 6  ///< quernel_normalize_desc
} quernel_network_kind;

/// One layer. It reads channels x_channel … of tensor x, and writes its channels to y_channel … of
/// tensor y: layers that write slices of one tensor concatenate at no cost, and those that read
/// slices split. Of `conv` the members weights, strides, dilations, paddings, config and
/// epilogue.{bias, activation and its parameters, residual_after_activation, table, tables; with a
/// table also y_scale, y_zero, y_narrow} are the layer's own, of the other kinds' descriptors all
/// but tensors, what codes mean, threads, isa and allocator; the rest follows from the tensors and
/// the network, and is not looked at, but for sizes that are those of tables: y.h and y.w of a
/// resize, y.c of a shuffle and of a matmul. `conv` is the last member, so that it can grow.
///
/// A second tensor of one channel is the same for all channels, but for CONV and MATMUL; along n, h
/// and w it may have 1 as well. int8 tensors between maxima, nearest resizes, shuffles and plain
/// copies that mean the same by their codes carry the same smoothing factors, asked for by the
/// readers behind them; a table is made for codes without factors, unless its tensors say `smooth`.
typedef struct quernel_network_layer {
    uint32_t size; ///< sizeof, set by QUERNEL_NETWORK_LAYER_INIT
    uint32_t x, x_channel;
    uint32_t y, y_channel;
    /// tensor that is added (codes mean what its own quant says), ELTWISE: z; or −1
    int32_t residual;
    uint32_t residual_channel;
    int32_t kind;         ///< quernel_network_kind
    const void *desc;     ///< by kind; its `size` is looked at; CONV: NULL
    uint32_t channels;    ///< that are read of x; 0: all from x_channel on; CONV: 0
    uint32_t reserved[1]; ///< 0
    quernel_conv2d_desc conv;
} quernel_network_layer;
#define QUERNEL_NETWORK_LAYER_INIT \
    { sizeof(quernel_network_layer), 0, 0, 0, 0, -1, 0, 0, NULL, 0, {0}, QUERNEL_CONV2D_DESC_INIT }
#define QUERNEL_NETWORK_LAYER_MIN 536 ///< bytes of its first layout

/// Describes a network. Layers run in their order: each reads channels of inputs, or that earlier
/// layers have written. Everything is copied, the weights' references are taken.
typedef struct quernel_network_desc {
    uint32_t size; ///< sizeof, set by QUERNEL_NETWORK_DESC_INIT
    const quernel_network_tensor *tensors;
    uint32_t n_tensors;
    const quernel_network_layer *layers;
    uint32_t n_layers;
    uint32_t threads; ///< workers that a run may use at most; 0 and 1: one
    int32_t isa;      ///< ceiling: a quernel_isa, or −1 for the process's ceiling
    const quernel_allocator *allocator; ///< NULL: the C library
} quernel_network_desc;
#define QUERNEL_NETWORK_DESC_INIT \
    { sizeof(quernel_network_desc), NULL, 0, NULL, 0, 1, -1, NULL }
#define QUERNEL_NETWORK_DESC_MIN 56 ///< bytes of its first layout

/// A network that can be run: immutable, shared by any number of threads at once, each with its own
/// workspace.
typedef struct quernel_network quernel_network;

/// Creates a network. Its results are bit for bit those of its layers run as operators, one after
/// another.
/// Limits: 2^20 tensors, 2^20 layers; threads <= 4096.
/// Returns QUERNEL_OK, or what the operators' creates return (index: the layer; the argument is
/// then theirs), and, of the network itself (index: layer or tensor): QUERNEL_E_NULL;
/// QUERNEL_E_VALUE (an index that is no tensor, a layer that reads what is not written yet, a
/// written input, an inner tensor that is never read, readers of one int8 tensor whose weights are
/// smoothed differently, copied codes that do not mean the same); QUERNEL_E_SHAPE (n_tensors,
/// n_layers, channels of a tensor left unwritten, sizes that do not fit); QUERNEL_E_STRIDE (strides
/// of an inner tensor); QUERNEL_E_OVERLAP (slices); QUERNEL_E_OVERFLOW (the workspace's size);
/// QUERNEL_E_MEMORY. Threads: any. Owner: the caller (quernel_network_destroy); the network holds
/// references to the weights, and copies of all else. Example: examples/network.c.
QUERNEL_API int quernel_network_create(const quernel_network_desc *desc,
                                       quernel_network **ret_network, quernel_error *error);

/// Workspace that a run needs, 64-byte aligned: all inner tensors, and what the layers need for all
/// threads.
/// Returns bytes; 0 for NULL.
/// Threads: any.
QUERNEL_API size_t quernel_network_workspace(const quernel_network *network);

/// Tensor `index` as it was laid out: sizes, strides, border.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE (index).
/// Threads: any.
QUERNEL_API int quernel_network_tensor_get(const quernel_network *network, uint32_t index,
                                           quernel_tensor *ret_tensor);

/// The operator of layer `index`, to be explained, not to be run or destroyed.
/// Returns NULL where there is none.
/// Threads: any. Owner: the network.
QUERNEL_API const quernel_operator *quernel_network_operator(const quernel_network *network,
                                                             uint32_t index);

/// Runs the network once. Allocates nothing and prints nothing.
/// Shapes: `inputs` and `outputs` are arrays of pointers to element (0, 0, 0, 0) of each input and
/// output tensor, in the order of the tensors. Outputs and workspace overlap nothing.
/// Numbers: the same bits for every number of threads.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_ALIGN (workspace: 64 bytes; tensors: their
/// element); QUERNEL_E_WORKSPACE; QUERNEL_E_OVERLAP; QUERNEL_E_VALUE (parallel: its reserved
/// members; more threads than the network's).
/// Threads: any, each with a workspace of its own. `parallel` NULL: on the calling thread. Example:
/// examples/network.c.
QUERNEL_API int quernel_network_run(const quernel_network *network, const void *const *inputs,
                                    void *const *outputs, void *workspace, size_t workspace_bytes,
                                    const quernel_parallel *parallel, quernel_error *error);

/// Frees the network and its references. NULL is allowed.
/// Threads: any, while no run of it is under way.
QUERNEL_API void quernel_network_destroy(quernel_network *network);

#ifdef __cplusplus
}
#endif

#endif
