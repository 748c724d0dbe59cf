// SPDX-License-Identifier: Apache-2.0
// A detector's backbone_2d as one run: blocks of 3x3 convolutions, each from the block before; from
// each block a deconvolution back to one size; their results side by side in one tensor. Float NCHW
// in, u8 NHWC out. usage: example_network [pointpillars | centerpoint] [HEIGHT WIDTH] (default:
// pointpillars, 64 x 48)
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <quernel/quernel.h>

enum { MAX = 32 };

typedef struct block {
    uint32_t channels, convolutions, stride, up, up_channels;
} block;

static const struct {
    const char *name;
    uint32_t channels; // of the input
    block blocks[4];   // up to one without channels
} structures[] = {
    {"pointpillars", 64, {{64, 4, 2, 1, 128}, {128, 6, 2, 2, 128}, {256, 6, 2, 4, 128}}},
    {"centerpoint", 256, {{128, 6, 1, 1, 256}, {256, 6, 2, 2, 256}}},
};

typedef struct builder {
    quernel_network_tensor tensors[MAX];
    quernel_network_layer layers[MAX];
    uint32_t n_tensors, n_layers;
    uint32_t seed;
} builder;

static float uniform(builder *b) { // -1 … 1
    b->seed = b->seed * 1664525u + 1013904223u;
    return (float)(b->seed >> 8) / 8388608.0f - 1.0f;
}

// An inner tensor; its shape follows from the layer that writes it. Returns its index.
static uint32_t add_tensor(builder *b, int32_t type, float scale) {
    quernel_network_tensor t = QUERNEL_NETWORK_TENSOR_INIT;
    t.shape.type = type, t.quant.scale = scale;
    b->tensors[b->n_tensors] = t;
    return b->n_tensors++;
}

// A layer with drawn weights and a ReLU, from tensor x to channels y_channel … of tensor y.
static quernel_network_layer *add_layer(builder *b, int32_t kind, uint32_t in, uint32_t out,
                                        uint32_t kernel, uint32_t stride, uint32_t x, uint32_t y,
                                        uint32_t y_channel) {
    const size_t count = (size_t)in * out * kernel * kernel;
    float *data = malloc(count * sizeof *data);
    for (size_t i = 0; data && i < count; i++)
        data[i] = uniform(b) * 2.5f / sqrtf((float)(in * kernel * kernel));
    quernel_weights_desc w = QUERNEL_WEIGHTS_DESC_INIT;
    w.kind = kind, w.in = in, w.out = out, w.kernel_h = w.kernel_w = kernel, w.data = data;
    quernel_network_layer *l = &b->layers[b->n_layers++];
    *l = (quernel_network_layer)QUERNEL_NETWORK_LAYER_INIT;
    l->x = x, l->y = y, l->y_channel = y_channel;
    l->conv.stride_h = l->conv.stride_w = stride;
    l->conv.epilogue.activation = QUERNEL_ACTIVATION_RELU;
    quernel_error error = {0};
    if (quernel_weights_pack(&w, &l->conv.weights, &error))
        fprintf(stderr, "%s\n", error.text), exit(1);
    free(data);
    return l;
}

// Tensor 0 is the input, tensor 1 the output, into whose channels every block's deconvolution
// writes: the concatenation costs no copy.
static void build(builder *b, const block *blocks, uint32_t channels, uint32_t height,
                  uint32_t width) {
    const uint32_t input = add_tensor(b, QUERNEL_TYPE_F32, 1.0f / 255),
                   concat = add_tensor(b, QUERNEL_TYPE_U8, 1.0f / 255);
    b->tensors[input].role = QUERNEL_NETWORK_INPUT,
    b->tensors[concat].role = QUERNEL_NETWORK_OUTPUT;
    b->tensors[input].shape = (quernel_tensor){.type = QUERNEL_TYPE_F32,
                                               .layout = QUERNEL_LAYOUT_NCHW,
                                               .n = 1,
                                               .c = channels,
                                               .h = height,
                                               .w = width};
    uint32_t x = input, up_channel = 0;
    for (; blocks->channels; up_channel += blocks->up_channels, blocks++) {
        for (uint32_t i = 0; i < blocks->convolutions; i++) {
            const uint32_t y = add_tensor(b, QUERNEL_TYPE_U8, 1.0f / 255);
            quernel_conv2d_desc *c =
                &add_layer(b, QUERNEL_WEIGHTS_CONV2D, channels, blocks->channels, 3,
                           i == 0 ? blocks->stride : 1, x, y, 0)
                     ->conv;
            c->pad_top = c->pad_left = c->pad_bottom = c->pad_right = 1;
            x = y, channels = blocks->channels;
        }
        add_layer(b, QUERNEL_WEIGHTS_DECONV2D, channels, blocks->up_channels, blocks->up,
                  blocks->up, x, concat, up_channel);
    }
}

// One run on made-up values of `inputs` elements, with its time and the mean of the codes.
static int run(const quernel_network *net, size_t inputs, quernel_error *error) {
    quernel_tensor y;
    quernel_network_tensor_get(net, 1, &y);
    const size_t outputs = (size_t)y.h * y.w * y.c, bytes = quernel_network_workspace(net);
    float *in = malloc(inputs * sizeof *in);
    uint8_t *out = malloc(outputs);
    void *workspace = aligned_alloc(64, bytes + 64 - bytes % 64);
    for (size_t i = 0; in && i < inputs; i++) in[i] = (float)(i * 37 % 256) / 255;
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    const int status = quernel_network_run(net, (const void *[]){in}, (void *[]){out}, workspace,
                                           bytes, NULL, error);
    clock_gettime(CLOCK_MONOTONIC, &end);
    uint64_t sum = 0;
    for (size_t i = 0; !status && i < outputs; i++) sum += out[i];
    if (!status)
        printf("out %u x %u x %u, mean code %.3f, workspace %zu KiB, %.2f ms\n", y.h, y.w, y.c,
               (double)sum / (double)outputs, bytes / 1024,
               (double)(end.tv_sec - start.tv_sec) * 1e3 +
                   (double)(end.tv_nsec - start.tv_nsec) * 1e-6);
    free(in), free(out), free(workspace);
    return status;
}

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "pointpillars";
    const uint32_t height = argc > 3 ? (uint32_t)atoi(argv[2]) : 64,
                   width = argc > 3 ? (uint32_t)atoi(argv[3]) : 48;
    const size_t which = strcmp(name, structures[0].name) != 0;
    if (strcmp(name, structures[which].name)) return fprintf(stderr, "unknown: %s\n", name), 2;
    static builder b;
    build(&b, structures[which].blocks, structures[which].channels, height, width);
    quernel_network_desc d = QUERNEL_NETWORK_DESC_INIT;
    d.tensors = b.tensors, d.n_tensors = b.n_tensors, d.layers = b.layers, d.n_layers = b.n_layers;
    quernel_network *net = NULL;
    quernel_error error = {0};
    int status = quernel_network_create(&d, &net, &error);
    for (uint32_t i = 0; i < b.n_layers; i++) quernel_weights_release(b.layers[i].conv.weights);
    if (!status) status = run(net, (size_t)structures[which].channels * height * width, &error);
    if (status) fprintf(stderr, "%s\n", error.text);
    quernel_network_destroy(net);
    return status != 0;
}
