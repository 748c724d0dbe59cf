// SPDX-License-Identifier: Apache-2.0
// Operators, versions and attributes that are understood. What is not in this table is not taken,
// so that a newer version of an operator, or an attribute it gains, is never read as an older one.
#include <string.h>

#include "search.h"

static const struct {
    const char *op, *versions, *attributes; // separated by commas
} onnx[] = {
    {"QuantizeLinear", "10,13,19,21,23,24,25,28",
     "axis,block_size,output_dtype,precision,saturate"},
    {"DequantizeLinear", "10,13,19,21,23,24,25,28", "axis,block_size,output_dtype"},
    {"Conv", "1,11,22", "auto_pad,dilations,group,kernel_shape,pads,strides"},
    {"ConvTranspose", "1,11,22",
     "auto_pad,dilations,group,kernel_shape,output_padding,output_shape,pads,strides"},
    {"Gemm", "7,9,11,13", "alpha,beta,transA,transB"},
    {"MatMul", "1,9,13", ""},
    {"Add", "7,13,14", ""},
    {"Sub", "7,13,14", ""},
    {"Mul", "7,13,14", ""},
    {"Div", "7,13,14", ""},
    {"Relu", "6,13,14", ""},
    {"Clip", "6,11,12,13", "max,min"},
    {"LeakyRelu", "6,16", "alpha"},
    {"PRelu", "7,9,16", ""},
    {"BatchNormalization", "9,14,15", "epsilon,momentum,training_mode"},
    {"Softmax", "1,11,13", "axis"},
    {"LayerNormalization", "1,17", "axis,epsilon,stash_type"},
    {"RMSNormalization", "23", "axis,epsilon,stash_type"},
    {"SimplifiedLayerNormalization", "1", "axis,epsilon,stash_type"},
    {"HardSwish", "14,22", ""},
    {"HardSigmoid", "6,22", "alpha,beta"},
    {"Sigmoid", "6,13", ""},
    {"Tanh", "6,13", ""},
    {"Erf", "9,13", ""},
    {"Gelu", "20", "approximate"},
    {"Neg", "6,13", ""},
    {"Abs", "6,13", ""},
    {"Exp", "6,13", ""},
    {"Sqrt", "6,13", ""},
    {"Min", "8,12,13", ""},
    {"Max", "8,12,13", ""},
    {"Elu", "6,22", "alpha"},
    {"Selu", "6,22", "alpha,gamma"},
    {"Celu", "12,28", "alpha"},
    {"Softplus", "1,22", ""},
    {"Softsign", "1,22", ""},
    {"Mish", "18,22", ""},
    {"Swish", "24", "alpha"},
    {"ThresholdedRelu", "10,22", "alpha"},
    {"Pow", "7,12,13,15", ""},
    {"MaxPool", "1,8,10,11,12,22",
     "auto_pad,ceil_mode,dilations,kernel_shape,pads,storage_order,strides"},
    {"AveragePool", "7,10,11,19,22",
     "auto_pad,ceil_mode,count_include_pad,dilations,kernel_shape,pads,strides"},
    {"GlobalAveragePool", "1,22", ""},
    {"ReduceMean", "1,11,13,18", "axes,keepdims,noop_with_empty_axes"},
    {"Resize", "10,11,13,18,19",
     "antialias,axes,coordinate_transformation_mode,cubic_coeff_a,exclude_outside,extrapolation_"
     "value,keep_aspect_ratio_policy,mode,nearest_mode"},
    {"Upsample", "7,9,10", "mode,scales"},
    {"Concat", "4,11,13", "axis"},
    {"Split", "2,11,13,18", "axis,num_outputs,split"},
    {"Slice", "1,10,11,13", "axes,ends,starts"},
    {"Pad", "2,11,13,18,19,21,23,24,25", "mode,pads,value"},
    {"DepthToSpace", "1,11,13,28", "blocksize,mode"},
    {"SpaceToDepth", "1,13,28", "blocksize,mode"},
    {"Flatten", "1,9,11,13,21,23,24,25", "axis"},
    {"Reshape", "5,13,14,19,21,23,24,25", "allowzero"},
    {"Squeeze", "1,11,13,21,23,24,25", "axes"},
    {"Unsqueeze", "1,11,13,21,23,24,25", "axes"},
    {"Transpose", "1,13,21,23,24,25", "perm"},
    {"Identity", "1,13,14,16,19,21,23,24,25", ""},
    {"Dropout", "7,10,12,13,22", "ratio,seed"},
    {"QLinearConv", "10", "auto_pad,dilations,group,kernel_shape,pads,strides"},
    {"QLinearMatMul", "10,21", ""},
    {"DynamicQuantizeLinear", "11", ""},
    {"ConvInteger", "10", "auto_pad,dilations,group,kernel_shape,pads,strides"},
    {"MatMulInteger", "10", ""},
    {"Cast", "6,9,13,19,21,23,24,25,28", "round_mode,saturate,to"},
};

// Operators of com.microsoft have one version.
static const struct {
    const char *op, *attributes;
} microsoft[] = {
    {"QuantizeLinear", "axis"},
    {"DequantizeLinear", "axis"},
    {"Gelu", ""},
    {"QuickGelu", "alpha"},
    {"QGemm", "alpha,transA,transB"},
    {"QLinearAdd", ""},
    {"QLinearMul", ""},
    {"QLinearSigmoid", ""},
    {"QLinearLeakyRelu", "alpha"},
    {"QLinearSoftmax", "axis,opset"},
    {"QLinearAveragePool",
     "auto_pad,ceil_mode,channels_last,count_include_pad,kernel_shape,pads,strides"},
    {"QLinearGlobalAveragePool", "channels_last"},
    {"QLinearConcat", "axis"},
};

// Whether `list` holds a word of `length`.
static bool lists(const char *list, const char *word, size_t length) {
    for (const char *at = list; *at; at += strcspn(at, ","), at += *at == ',')
        if (strcspn(at, ",") == length && !strncmp(at, word, length)) return true;
    return false;
}

static bool lists_number(const char *list, int32_t number) {
    for (const char *at = list; *at; at += strcspn(at, ","), at += *at == ',') {
        int32_t here = 0;
        for (const char *digit = at; *digit >= '0' && *digit <= '9'; digit++)
            here = 10 * here + (*digit - '0');
        if (here == number) return true;
    }
    return false;
}

static const char *find_onnx(quernel_ep_search *c, uint32_t node) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    for (size_t i = 0; i < sizeof onnx / sizeof *onnx; i++) {
        if (strcmp(onnx[i].op, n->op)) continue;
        if (lists_number(onnx[i].versions, n->version)) return onnx[i].attributes;
        quernel_ep_node_refuse(c, node, "%s of opset %d is not known", n->op, n->version);
        return NULL;
    }
    quernel_ep_node_refuse(c, node, "%s is not an operator that Quernel has", n->op);
    return NULL;
}

static const char *find_microsoft(quernel_ep_search *c, uint32_t node) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    for (size_t i = 0; i < sizeof microsoft / sizeof *microsoft; i++)
        if (!strcmp(microsoft[i].op, n->op)) return microsoft[i].attributes;
    quernel_ep_node_refuse(c, node, "%s of com.microsoft is not an operator that Quernel has",
                           n->op);
    return NULL;
}

static bool is_empty(const quernel_ep_search *c, int32_t v) {
    const quernel_ep_value *value = quernel_ep_value_of(c, v);
    for (uint32_t i = 0; i < value->rank && value->has_shape; i++)
        if (value->dims[i] == 0) return true;
    return false;
}

bool quernel_ep_known(quernel_ep_search *c, uint32_t node) {
    const quernel_ep_node *n = quernel_ep_node_of(c, node);
    const char *attributes = NULL;
    if (!*n->domain || !strcmp(n->domain, "ai.onnx")) attributes = find_onnx(c, node);
    else if (!strcmp(n->domain, "com.microsoft")) attributes = find_microsoft(c, node);
    else quernel_ep_node_refuse(c, node, "operators of domain %s are not known", n->domain);
    if (!attributes) return false;
    if (!n->n_outputs || n->outputs[0] < 0 || quernel_ep_input(n, 0) < 0)
        return quernel_ep_node_refuse(c, node, "%s without input or output", n->op);
    if (is_empty(c, n->inputs[0]) || is_empty(c, n->outputs[0]))
        return quernel_ep_node_refuse(c, node, "a dimension is 0");
    for (uint32_t i = 0; i < n->n_attributes; i++) {
        const quernel_ep_attribute *a = &n->attributes[i];
        if (!lists(attributes, a->name, strlen(a->name)) || a->kind == QUERNEL_EP_ATTRIBUTE_OTHER)
            return quernel_ep_node_refuse(c, node, "attribute %s of %s is not known", a->name,
                                          n->op);
    }
    return true;
}
