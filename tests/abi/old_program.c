// SPDX-License-Identifier: Apache-2.0
// A program of the baseline: compiled against the headers it recorded (baseline/headers.txt, as
// quernel.h), run with today's library.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quernel.h"

enum { C = 8, N = 8, SIDE = 6, PIXELS = SIDE * SIDE, SAMPLES = 3 };

static float x[SAMPLES][C * PIXELS], weights[N * C * 9], bias[N];
static quernel_error error;

static void need(int status, const char *what) {
    if (status == QUERNEL_OK) return;
    printf("%s: %s: %s\n0 passed, 1 failed, 0 skipped\n", what, quernel_status_string(status),
           error.text);
    exit(1);
}

static void near(float y, float wanted, const char *what) {
    if (fabsf(y - wanted) > 0.05f * (1.0f + fabsf(wanted))) need(QUERNEL_E_VALUE, what);
}

static quernel_weights_desc described(int32_t kind, uint32_t kernel) {
    quernel_weights_desc d = QUERNEL_WEIGHTS_DESC_INIT;
    d.kind = kind, d.out = N, d.in = C, d.kernel_h = d.kernel_w = kernel, d.data = weights;
    return d;
}

static void run(const quernel_operator *op, float *y) {
    const size_t bytes = quernel_operator_workspace(op);
    void *workspace = aligned_alloc(64, (bytes + 64) / 64 * 64);
    quernel_parallel parallel = QUERNEL_PARALLEL_INIT;
    need(quernel_operator_run(op, x[0], NULL, y, workspace, bytes, &parallel, &error), "run");
    free(workspace);
}

static void use_linear(void) {
    const quernel_weights_desc w = described(QUERNEL_WEIGHTS_LINEAR, 1);
    quernel_linear_desc d = QUERNEL_LINEAR_DESC_INIT;
    quernel_operator *op;
    float y[N];
    need(quernel_weights_pack(&w, &d.weights, &error), "weights");
    quernel_weights_info info = QUERNEL_WEIGHTS_INFO_INIT;
    need(quernel_weights_get(d.weights, &info), "weights_get");
    d.m = 1, d.quant.scale = 1.0f / 127, d.epilogue.bias = bias;
    need(quernel_linear_create(&d, &op, &error), "linear");
    run(op, y);
    float wanted = bias[3];
    for (int k = 0; k < C; k++) wanted += x[0][k] * weights[3 * C + k];
    near(y[3], wanted, "linear's output");
    quernel_plan_choice choice = QUERNEL_PLAN_CHOICE_INIT;
    need(quernel_operator_choice(op, &choice), "operator_choice");
    quernel_operator_destroy(op);
    quernel_weights_release(d.weights);
}

static quernel_conv2d_desc convolution(void) {
    quernel_conv2d_desc d = QUERNEL_CONV2D_DESC_INIT;
    d.pad_top = d.pad_left = d.pad_bottom = d.pad_right = 1;
    d.epilogue.bias = bias, d.epilogue.activation = QUERNEL_ACTIVATION_RELU;
    return d;
}

static quernel_tensor image(void) {
    quernel_tensor t = QUERNEL_TENSOR_INIT;
    t.layout = QUERNEL_LAYOUT_NHWC, t.n = 1, t.c = C, t.h = t.w = SIDE;
    return t;
}

static void use_conv2d(float *y) {
    const quernel_weights_desc w = described(QUERNEL_WEIGHTS_CONV2D, 3);
    quernel_conv2d_desc d = convolution();
    quernel_operator *op;
    need(quernel_weights_pack(&w, &d.weights, &error), "weights");
    d.x = image(), d.quant.scale = 1.0f / 127;
    need(quernel_conv2d_create(&d, &op, &error), "conv2d");
    run(op, y);
    quernel_operator_destroy(op);
    quernel_weights_release(d.weights);
}

static void use_network(const float *wanted) {
    const quernel_weights_desc w = described(QUERNEL_WEIGHTS_CONV2D, 3);
    quernel_network_tensor tensors[] = {QUERNEL_NETWORK_TENSOR_INIT, QUERNEL_NETWORK_TENSOR_INIT};
    quernel_network_layer layers[] = {QUERNEL_NETWORK_LAYER_INIT};
    quernel_network_desc d = QUERNEL_NETWORK_DESC_INIT;
    quernel_network *net;
    float y[N * PIXELS];
    layers[0].y = 1, layers[0].conv = convolution();
    need(quernel_weights_pack(&w, &layers[0].conv.weights, &error), "weights");
    tensors[0].role = QUERNEL_NETWORK_INPUT, tensors[0].shape = image(),
    tensors[0].quant.scale = 1.0f / 127;
    tensors[1].role = QUERNEL_NETWORK_OUTPUT;
    d.tensors = tensors, d.n_tensors = 2, d.layers = layers, d.n_layers = 1;
    need(quernel_network_create(&d, &net, &error), "network");
    const void *in[] = {x[0]};
    void *out[] = {y}, *workspace = aligned_alloc(64, quernel_network_workspace(net) + 64);
    need(quernel_network_run(net, in, out, workspace, quernel_network_workspace(net), NULL, &error),
         "network_run");
    if (memcmp(y, wanted, sizeof y))
        need(QUERNEL_E_VALUE, "the network's output is not the convolution's");
    free(workspace);
    quernel_network_destroy(net);
    quernel_weights_release(layers[0].conv.weights);
}

static void use_observer(void) {
    quernel_observer_desc d = QUERNEL_OBSERVER_DESC_INIT;
    quernel_observer_stats stats = QUERNEL_OBSERVER_STATS_INIT;
    quernel_calibration_options options = QUERNEL_CALIBRATION_OPTIONS_INIT;
    quernel_calibration found = QUERNEL_CALIBRATION_INIT;
    quernel_observer *o;
    const quernel_tensor t = image();
    d.histogram = 1, options.calibrator = QUERNEL_CALIBRATOR_MSE;
    need(quernel_observer_create(&d, &o, &error), "observer");
    need(quernel_observer_update(o, &t, x[0], &error), "observer_update");
    need(quernel_observer_get(o, 0, &stats, &error), "observer_get");
    if (stats.count != C * PIXELS) need(QUERNEL_E_VALUE, "observer_get's count");
    need(quernel_observer_calibrate(o, 0, &options, &found, &error), "calibrate");
    quernel_observer_destroy(o);
}

static void use_search(void) {
    const quernel_weights_desc w = described(QUERNEL_WEIGHTS_CONV2D, 3);
    const quernel_conv2d_desc op = convolution();
    quernel_float_layer layer = QUERNEL_FLOAT_LAYER_INIT;
    quernel_search_options options = QUERNEL_SEARCH_OPTIONS_INIT;
    quernel_choice choice = QUERNEL_CHOICE_INIT;
    quernel_report report = QUERNEL_REPORT_INIT;
    quernel_sample samples[SAMPLES];
    float smooth[C];
    layer.weights = &w, layer.op = &op;
    memset(samples, 0, sizeof samples);
    for (int i = 0; i < SAMPLES; i++) samples[i].tensor = image(), samples[i].data = x[i];
    need(quernel_search_layer(&layer, samples, SAMPLES, &options, &choice, smooth, &error),
         "search");
    need(quernel_audit_layer(&layer, &choice, smooth, samples, SAMPLES, &report, &error), "audit");
    if (!(report.total.sqnr > 20.0)) need(QUERNEL_E_VALUE, "the audit's sqnr");
}

int main(void) {
    for (int i = 0; i < SAMPLES * C * PIXELS; i++) x[0][i] = fabsf(sinf((float)i * 1.3f));
    for (int i = 0; i < N * C * 9; i++) weights[i] = cosf((float)i * 2.1f);
    for (int i = 0; i < N; i++) bias[i] = (float)i;
    float y[N * PIXELS];
    quernel_cpu cpu = QUERNEL_CPU_INIT;
    quernel_table_counters counters = QUERNEL_TABLE_COUNTERS_INIT;
    need(quernel_cpu_get(&cpu), "cpu");
    if (quernel_api_version() < QUERNEL_API_VERSION) need(QUERNEL_E_VALUE, "api_version");
    use_linear();
    use_conv2d(y);
    use_network(y);
    use_observer();
    use_search();
    need(quernel_table_counters_get(&counters), "counters");
    puts("7 passed, 0 failed, 0 skipped");
    return 0;
}
