// SPDX-License-Identifier: Apache-2.0
// Arrays of older and newer programs: the first element's size is the distance to the next.
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "network.h"
#include "tests.h"

enum { MORE = 24 };

// An array with other element sizes; `behind` fills what a newer program has behind ours.
static void *spread(const void *array, uint32_t count, uint32_t bytes, uint32_t size,
                    uint8_t behind) {
    uint8_t *to = malloc((size_t)count * size);
    memset(to, behind, (size_t)count * size);
    for (uint32_t i = 0; i < count; i++) {
        memcpy(to + i * size, (const uint8_t *)array + i * bytes, bytes < size ? bytes : size);
        memcpy(to + i * size, &size, sizeof size);
    }
    return to;
}

typedef struct arrays {
    quernel_network_tensor *tensors;
    quernel_network_layer *layers;
} arrays;

static arrays arrays_make(networked *n, uint32_t tensor, uint32_t layer, uint32_t conv,
                          uint8_t behind) {
    for (int i = 0; i < NETWORKED_LAYERS; i++) n->layers[i].conv.size = conv;
    arrays a = {spread(n->tensors, NETWORKED_TENSORS, sizeof *a.tensors, tensor, 0),
                spread(n->layers, NETWORKED_LAYERS, sizeof *a.layers, layer, behind)};
    n->desc.tensors = a.tensors, n->desc.layers = a.layers;
    return a;
}

static void arrays_free(arrays *a) {
    free(a->tensors);
    free(a->layers);
}

static void refuse(const networked *n, refusal wanted, const char *what) {
    quernel_network *net = NULL;
    quernel_error error = {0};
    expect_refusal(quernel_network_create(&n->desc, &net, &error), &error, wanted, what);
    CHECK(!net, "%s: ret_network was written to", what);
}

// The same output as from the arrays of this version.
static void expect_same(const networked *n, const networked *plain, const char *what) {
    const quernel_network_desc *descs[2] = {&plain->desc, &n->desc};
    static float y[2][NETWORKED_Y];
    for (int i = 0; i < 2; i++) {
        quernel_network *net = NULL;
        quernel_error error = {0};
        if (!CHECK(!quernel_network_create(descs[i], &net, &error), "%s: %s", what, error.text))
            return;
        networked_buffers b = networked_take(net);
        const void *const in[] = {b.x};
        void *const out[] = {b.y};
        CHECK(!quernel_network_run(net, in, out, b.workspace, b.workspace_bytes, NULL, &error),
              "%s: %s", what, error.text);
        memcpy(y[i], b.y, sizeof y[i]);
        networked_give(&b);
        quernel_network_destroy(net);
    }
    CHECK(!memcmp(y[0], y[1], sizeof y[0]), "%s: another output", what);
}

void test_sizes_of_arrays(void) {
    networked n;
    if (!networked_init(&n)) return;
    networked plain = n;
    plain.desc.tensors = plain.tensors, plain.desc.layers = plain.layers;
    arrays a = arrays_make(&n, sizeof *a.tensors + 8, sizeof *a.layers + MORE,
                           sizeof(quernel_conv2d_desc) + MORE, 0);
    expect_same(&n, &plain, "a newer program's arrays");
    uint8_t *last = (uint8_t *)a.layers + 2 * (sizeof *a.layers + MORE) - 1; // of layer 1
    *last = 1;
    refuse(&n, (refusal){QUERNEL_E_VALUE, "size", NULL, 1}, "a newer layer with something set");
    *last = 0;
    last = (uint8_t *)a.tensors + 3 * (sizeof *a.tensors + 8) - 1;
    *last = 1;
    refuse(&n, (refusal){QUERNEL_E_VALUE, "size", NULL, 2}, "a newer tensor with something set");
    *last = 0;
    a.layers[0].conv.size += 8;
    refuse(&n, (refusal){QUERNEL_E_VALUE, "size", "ends behind its layer", 0},
           "a conv that is larger than its layer");
    arrays_free(&a);
    networked_free(&n);
}

void test_sizes_of_old_arrays(void) {
    networked n;
    if (!networked_init(&n)) return;
    networked plain = n;
    plain.desc.tensors = plain.tensors, plain.desc.layers = plain.layers;
    // behind what an older program has
    for (int i = 0; i < NETWORKED_LAYERS; i++) n.layers[i].conv.out_pad_h = 0x5a5a;
    arrays a = arrays_make(&n, QUERNEL_NETWORK_TENSOR_MIN, QUERNEL_NETWORK_LAYER_MIN,
                           QUERNEL_CONV2D_DESC_MIN, 0);
    expect_same(&n, &plain, "an older program's arrays");
    uint32_t size = QUERNEL_NETWORK_LAYER_MIN + 8;
    memcpy((uint8_t *)a.layers + QUERNEL_NETWORK_LAYER_MIN, &size, sizeof size);
    refuse(&n, (refusal){QUERNEL_E_VALUE, "size", NULL, 1}, "layers of two sizes");
    arrays_free(&a);
    networked_free(&n);
}
