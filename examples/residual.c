// SPDX-License-Identifier: Apache-2.0
// A residual block as one run: two convolutions whose sum with what they read is an epilogue's, a
// squeeze and excitation (the mean of each channel, two small layers, a product), and a maximum of
// 2 x 2. Float NCHW in, u8 NHWC out; between them u8, and bf16 where a channel is one number.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <quernel/quernel.h>

enum { C = 32, SQUEEZED = 8, H = 20, W = 24 };
enum { IN, A, SUM, MEAN, SMALL, GATE, PRODUCT, OUT, TENSORS };

static quernel_network_tensor tensors[TENSORS];
static quernel_network_layer layers[TENSORS];
static uint32_t n_layers;

static void add_tensor(uint32_t index, int32_t type, float scale) {
    tensors[index] = (quernel_network_tensor)QUERNEL_NETWORK_TENSOR_INIT;
    tensors[index].shape.type = type;
    tensors[index].quant.scale = scale; // float: how the next layer quantizes it
}

static quernel_network_layer *add_layer(uint32_t x, uint32_t y) {
    quernel_network_layer *l = &layers[n_layers++];
    *l = (quernel_network_layer)QUERNEL_NETWORK_LAYER_INIT;
    l->x = x, l->y = y;
    return l;
}

// A convolution with made-up weights that keeps lines and pixels.
static quernel_network_layer *add_conv(uint32_t x, uint32_t y, uint32_t in, uint32_t out,
                                       uint32_t kernel, int32_t activation) {
    const size_t count = (size_t)in * out * kernel * kernel;
    float *data = malloc(count * sizeof *data);
    for (size_t i = 0; data && i < count; i++)
        data[i] = cosf((float)(i * 7 % 1000)) / sqrtf((float)(in * kernel * kernel));
    quernel_weights_desc w = QUERNEL_WEIGHTS_DESC_INIT;
    w.kind = QUERNEL_WEIGHTS_CONV2D, w.in = in, w.out = out, w.kernel_h = w.kernel_w = kernel;
    w.data = data;
    quernel_network_layer *l = add_layer(x, y);
    quernel_conv2d_desc *c = &l->conv;
    c->pad_top = c->pad_left = c->pad_bottom = c->pad_right = kernel / 2;
    c->epilogue.activation = activation;
    quernel_error error = {0};
    if (quernel_weights_pack(&w, &c->weights, &error)) fprintf(stderr, "%s\n", error.text), exit(1);
    free(data);
    return l;
}

static void build(const quernel_pool2d_desc *mean, const quernel_eltwise_desc *product,
                  const quernel_pool2d_desc *max) {
    for (uint32_t i = 0; i < TENSORS; i++) add_tensor(i, QUERNEL_TYPE_U8, 1.0f / 64);
    tensors[IN].role = QUERNEL_NETWORK_INPUT, tensors[OUT].role = QUERNEL_NETWORK_OUTPUT;
    tensors[IN].shape = (quernel_tensor){
        .type = QUERNEL_TYPE_F32, .layout = QUERNEL_LAYOUT_NCHW, .n = 1, .c = C, .h = H, .w = W};
    tensors[MEAN].shape.type = tensors[GATE].shape.type = QUERNEL_TYPE_BF16;
    add_conv(IN, A, C, C, 3, QUERNEL_ACTIVATION_RELU);
    add_conv(A, SUM, C, C, 3, QUERNEL_ACTIVATION_RELU)->residual = A; // relu(conv(a) + a)
    quernel_network_layer *l = add_layer(SUM, MEAN);
    l->kind = QUERNEL_NETWORK_POOL2D, l->desc = mean;
    add_conv(MEAN, SMALL, C, SQUEEZED, 1, QUERNEL_ACTIVATION_RELU);
    add_conv(SMALL, GATE, SQUEEZED, C, 1, QUERNEL_ACTIVATION_SIGMOID);
    l = add_layer(SUM, PRODUCT); // written over the sum: nobody reads that any more
    l->kind = QUERNEL_NETWORK_ELTWISE, l->desc = product, l->residual = GATE;
    l = add_layer(PRODUCT, OUT); // the same codes on both sides: the largest is copied
    l->kind = QUERNEL_NETWORK_POOL2D, l->desc = max;
}

static int run(const quernel_network *net, quernel_error *error) {
    static float in[C * H * W];
    static uint8_t out[C * (H / 2) * (W / 2)];
    for (size_t i = 0; i < C * H * W; i++) in[i] = (float)(i * 37 % 256) / 255;
    const size_t bytes = quernel_network_workspace(net);
    void *workspace = aligned_alloc(64, bytes + 64 - bytes % 64);
    const int status = quernel_network_run(net, (const void *[]){in}, (void *[]){out}, workspace,
                                           bytes, NULL, error);
    uint64_t sum = 0;
    for (size_t i = 0; i < sizeof out; i++) sum += out[i];
    if (!status) printf("mean code %.3f\n", (double)sum / (double)sizeof out);
    free(workspace);
    return status;
}

int main(void) {
    quernel_pool2d_desc mean = QUERNEL_POOL2D_DESC_INIT, max = QUERNEL_POOL2D_DESC_INIT;
    quernel_eltwise_desc product = QUERNEL_ELTWISE_DESC_INIT;
    mean.kind = QUERNEL_POOL2D_GLOBAL, product.kind = QUERNEL_ELTWISE_MUL;
    max.kernel_h = max.kernel_w = max.stride_h = max.stride_w = 2;
    build(&mean, &product, &max);
    quernel_network_desc d = QUERNEL_NETWORK_DESC_INIT;
    d.tensors = tensors, d.n_tensors = TENSORS, d.layers = layers, d.n_layers = n_layers;
    quernel_network *net = NULL;
    quernel_error error = {0};
    int status = quernel_network_create(&d, &net, &error);
    for (uint32_t i = 0; i < n_layers; i++) quernel_weights_release(layers[i].conv.weights);
    for (uint32_t i = 0; !status && i < n_layers; i++) {
        char line[320];
        quernel_operator_explain(quernel_network_operator(net, i), line, sizeof line);
        printf("%s\n", line);
    }
    if (!status) status = run(net, &error);
    if (status) fprintf(stderr, "%s\n", error.text);
    quernel_network_destroy(net);
    return status != 0;
}
