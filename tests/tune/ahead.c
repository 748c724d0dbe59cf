// SPDX-License-Identifier: Apache-2.0
// Weights that are asked for before their layer's turn.
#include <stdlib.h>

#include "../unit/check.h"
#include "cpu/cpu.h"
#include "network/network.h"
#include "tests.h"

// Weights that are read later are asked for in order, once, after what is let pass.
void test_ahead(void) {
    static const int8_t weights[300];
    quernel_i_ahead ahead = {weights, weights + sizeof weights, 160};
    for (int i = 0; i < 2; i++) // whole pieces pass
        CHECK(!quernel_i_ahead_take(&ahead, 64), "piece %d was not let pass", i);
    for (size_t at = 0; at < sizeof weights; at += 64)
        CHECK(quernel_i_ahead_take(&ahead, 64) == weights + at, "not asked for: %zu", at);
    CHECK(!quernel_i_ahead_take(&ahead, 64) && ahead.at == ahead.end, "beyond the end");
    CHECK(!quernel_i_ahead_take(NULL, 64), "there are none");
}

enum { MOST = 64 }; // layers of a chain

// A chain of layers, each of so many channels; false where it could not be made.
static bool chain(uint32_t channels, uint32_t n_layers, const quernel_weights *weights,
                  quernel_network **ret_net) {
    quernel_network_tensor tensors[MOST + 1];
    quernel_network_layer layers[MOST];
    for (uint32_t i = 0; i <= n_layers; i++) {
        tensors[i] = (quernel_network_tensor)QUERNEL_NETWORK_TENSOR_INIT;
        tensors[i].shape.type = QUERNEL_TYPE_U8, tensors[i].quant.scale = 1.0f;
    }
    tensors[0].role = QUERNEL_NETWORK_INPUT, tensors[n_layers].role = QUERNEL_NETWORK_OUTPUT;
    tensors[0].shape.layout = tensors[n_layers].shape.layout = QUERNEL_LAYOUT_NHWC;
    tensors[0].shape.n = 1, tensors[0].shape.c = channels;
    tensors[0].shape.h = tensors[0].shape.w = 4;
    for (uint32_t i = 0; i < n_layers; i++) {
        layers[i] = (quernel_network_layer)QUERNEL_NETWORK_LAYER_INIT;
        layers[i].x = i, layers[i].y = i + 1, layers[i].conv.weights = (quernel_weights *)weights;
    }
    quernel_network_desc d = QUERNEL_NETWORK_DESC_INIT;
    d.tensors = tensors, d.n_tensors = n_layers + 1, d.layers = layers, d.n_layers = n_layers;
    quernel_error error = {0};
    return CHECK(!quernel_network_create(&d, ret_net, &error), "chain: %s", error.text);
}

// The layers of a network are told what the next one reads, where L2 does not keep all of it.
void test_network_ahead(void) {
    enum { CHANNELS = 512, FEW = 2 };
    const uint32_t many = (uint32_t)(quernel_i_cpu()->l2_bytes / (CHANNELS * CHANNELS)) + 2;
    if (many > MOST) {
        test_skip("an L2 of %zu bytes keeps %u layers", quernel_i_cpu()->l2_bytes, many - 2);
        return;
    }
    quernel_weights *packed = NULL;
    quernel_weights_desc w = QUERNEL_WEIGHTS_DESC_INIT;
    int8_t *data = calloc(CHANNELS, CHANNELS);
    float scale[CHANNELS];
    for (int i = 0; i < CHANNELS; i++) scale[i] = 1.0f;
    w.kind = QUERNEL_WEIGHTS_CONV2D, w.in = w.out = CHANNELS, w.kernel_h = w.kernel_w = 1;
    w.type = QUERNEL_TYPE_S8, w.data = data, w.scale = scale;
    if (!CHECK(data && !quernel_weights_pack(&w, &packed, NULL), "weights")) return;
    for (uint32_t n = FEW, i = 0; i < 2; i++, n = many) {
        quernel_network *net = NULL;
        if (!chain(CHANNELS, n, packed, &net)) continue;
        CHECK(net->far == (n * (size_t)CHANNELS * CHANNELS > quernel_i_cpu()->l2_bytes),
              "%u layers", n);
        for (uint32_t s = 0; s < n; s++) {
            const quernel_i_ahead *ahead = &net->steps[s].ahead;
            CHECK(ahead->at == (s + 1 < n ? packed->packed : NULL), "layer %u", s);
            CHECK((size_t)(ahead->end - ahead->at) <= quernel_i_cpu()->l2_bytes / 2, "layer %u", s);
        }
        quernel_network_destroy(net);
    }
    quernel_weights_release(packed);
    free(data);
}
