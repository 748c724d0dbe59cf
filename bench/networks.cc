// SPDX-License-Identifier: Apache-2.0
// Whole networks: every model of a CSV of networks (default: bench/shapes/networks.csv;
// QUERNEL_NETWORKS names another), f32 NCHW in, its output as u8 NHWC, f32 NHWC and f32 NCHW, on
// one thread and on two. Each is compared with ref before it is timed, on an eighth of its lines
// and columns.
#include "registered.h"

#include <cmath>
#include <vector>

extern "C" {
#include "tune/workload/shapes.h"
}

namespace {

struct Output {
    const char *name;
    int32_t type, layout;
};
const Output outputs[] = {{"u8_nhwc", QUERNEL_TYPE_U8, QUERNEL_LAYOUT_NHWC},
                          {"f32_nhwc", QUERNEL_TYPE_F32, QUERNEL_LAYOUT_NHWC},
                          {"f32_nchw", QUERNEL_TYPE_F32, QUERNEL_LAYOUT_NCHW}};

/// The rows of one model, and its weights: the same for all sizes and outputs.
struct Model {
    std::vector<shape> rows;
    std::vector<quernel_weights *> weights;
};

quernel_weights *draw_weights(const shape &row, uint32_t *state) {
    const size_t taps = static_cast<size_t>(row.kernel) * row.kernel_w;
    std::vector<float> data(row.c_in / row.groups * taps * row.c_out);
    const float max =
        2.5f /
        std::sqrt(static_cast<float>(row.c_in / row.groups * (row.op == SHAPE_DECONV ? 1 : taps)));
    for (float &value : data) {
        *state = *state * 1664525u + 1013904223u;
        value = max * (static_cast<float>(*state >> 8) / 8388608.0f - 1.0f);
    }
    quernel_weights_desc w = QUERNEL_WEIGHTS_DESC_INIT;
    w.kind = row.op == SHAPE_DECONV ? QUERNEL_WEIGHTS_DECONV2D : QUERNEL_WEIGHTS_CONV2D;
    w.in = row.c_in, w.out = row.c_out, w.groups = row.groups, w.kernel_h = row.kernel,
    w.kernel_w = row.kernel_w;
    w.data = data.data();
    quernel_weights *packed = nullptr;
    quernel_weights_pack(&w, &packed, nullptr);
    return packed;
}

quernel_network_tensor tensor(int32_t role, int32_t type, int32_t layout) {
    quernel_network_tensor t = QUERNEL_NETWORK_TENSOR_INIT;
    t.role = role, t.shape.type = type, t.shape.layout = layout, t.quant.scale = 1.0f / 255;
    return t;
}

quernel_network_layer layer(const shape &row, quernel_weights *weights) {
    quernel_network_layer l = QUERNEL_NETWORK_LAYER_INIT;
    quernel_conv2d_desc &c = l.conv;
    c.weights = weights;
    c.stride_h = row.stride, c.stride_w = row.stride_w, c.dilation_h = c.dilation_w = row.dilation;
    c.pad_top = c.pad_bottom = row.pad, c.pad_left = c.pad_right = row.pad_w;
    c.epilogue.activation =
        std::strcmp(row.activation, "relu") ? QUERNEL_ACTIVATION_NONE : QUERNEL_ACTIVATION_RELU;
    return l;
}

/// A network with what a run needs. `share` divides lines and columns of the input.
struct Network {
    quernel_network *net = nullptr;
    quernel_error error = {};
    std::unique_ptr<Memory> x, y, workspace;
    size_t y_bytes = 0, workspace_bytes = 0;

    Network(const Model &model, const Output &output, uint32_t share, uint32_t threads,
            int32_t isa) {
        std::vector<quernel_network_tensor> tensors = {
            tensor(QUERNEL_NETWORK_INPUT, QUERNEL_TYPE_F32, QUERNEL_LAYOUT_NCHW),
            tensor(QUERNEL_NETWORK_OUTPUT, output.type, output.layout)};
        quernel_tensor &in = tensors[0].shape;
        in.n = 1, in.c = model.rows[0].c_in;
        in.h = (model.rows[0].h / share + 3) / 4 * 4, in.w = (model.rows[0].w / share + 3) / 4 * 4;
        const size_t inputs = static_cast<size_t>(in.c) * in.h * in.w;
        std::vector<uint32_t> made = {0}; // the tensor of each row, behind that of the input
        std::vector<quernel_network_layer> layers;
        for (size_t i = 0; i < model.rows.size(); i++) {
            const shape &row = model.rows[i];
            const bool last = row.slice != UINT32_MAX;
            layers.push_back(layer(row, model.weights[i]));
            made.push_back(last ? 1 : static_cast<uint32_t>(tensors.size()));
            layers.back().x = made[row.input], layers.back().y = made.back(),
            layers.back().y_channel = last ? row.slice : 0;
            if (!last)
                tensors.push_back(
                    tensor(QUERNEL_NETWORK_INNER, QUERNEL_TYPE_U8, QUERNEL_LAYOUT_NHWC));
        }
        quernel_network_desc d = QUERNEL_NETWORK_DESC_INIT;
        d.tensors = tensors.data(), d.n_tensors = static_cast<uint32_t>(tensors.size());
        d.layers = layers.data(), d.n_layers = static_cast<uint32_t>(layers.size());
        d.threads = threads, d.isa = isa;
        if (quernel_network_create(&d, &net, &error)) return;
        quernel_tensor out;
        quernel_network_tensor_get(net, 1, &out);
        y_bytes = static_cast<size_t>(out.c) * out.h * out.w *
                  quernel_type_size(static_cast<quernel_type>(out.type));
        workspace_bytes = quernel_network_workspace(net);
        x.reset(new Memory(inputs * sizeof(float))), y.reset(new Memory(y_bytes)),
            workspace.reset(new Memory(workspace_bytes));
        x->floats();
    }
    ~Network() { quernel_network_destroy(net); }

    bool run(const quernel_parallel *parallel) {
        const void *inputs[] = {x->bytes()};
        void *results[] = {y->bytes()};
        return net && !quernel_network_run(net, inputs, results, workspace->bytes(),
                                           workspace_bytes, parallel, &error);
    }
};

bool equals_ref(const Model &model, const Output &output, const quernel_parallel *parallel,
                uint32_t threads) {
    Network ours(model, output, 8, threads, -1), ref(model, output, 8, 1, QUERNEL_ISA_REF);
    return ours.run(parallel) && ref.run(nullptr) &&
           !std::memcmp(ours.y->bytes(), ref.y->bytes(), ours.y_bytes);
}

void measure(benchmark::State &state, const Model &model, const Output &output, uint32_t threads) {
    quernel_pool *pool = nullptr;
    quernel_pool_create(threads, &pool, nullptr);
    const quernel_parallel parallel = quernel_pool_parallel(pool);
    Network network(model, output, 1, threads, -1);
    if (!network.run(&parallel)) state.SkipWithError(network.error.text);
    else if (!equals_ref(model, output, &parallel, threads))
        state.SkipWithError("differs from ref");
    else
        for (auto _ : state) network.run(&parallel);
    double macs = 0;
    for (const shape &row : model.rows) macs += static_cast<double>(row.macs);
    state.counters["MAC/s"] = benchmark::Counter(macs * static_cast<double>(state.iterations()),
                                                 benchmark::Counter::kIsRate);
    state.counters["workspace"] = static_cast<double>(network.workspace_bytes);
    quernel_pool_destroy(pool);
}

std::vector<Model> read_models(const char *path) {
    shape *rows = nullptr;
    const int count = shapes_read(path, 0, &rows);
    std::vector<Model> models;
    uint32_t state = 1;
    for (int i = 0; i < count; i++) {
        if (models.empty() || std::strcmp(models.back().rows[0].model, rows[i].model))
            models.emplace_back();
        models.back().rows.push_back(rows[i]);
        models.back().weights.push_back(draw_weights(rows[i], &state));
    }
    std::free(rows);
    return models;
}

} // namespace

int main(int argc, char **argv) {
    const char *named = std::getenv("QUERNEL_NETWORKS");
    const std::vector<Model> models = read_models(named ? named : QUERNEL_SHAPES "/networks.csv");
    for (const Model &model : models)
        for (const Output &output : outputs)
            for (uint32_t threads : {1u, 2u}) {
                const std::string name = std::string(model.rows[0].model) + "/" + output.name +
                                         "/threads:" + std::to_string(threads);
                benchmark::RegisterBenchmark(name.c_str(),
                                             [&model, &output, threads](benchmark::State &state) {
                                                 measure(state, model, output, threads);
                                             })
                    ->Unit(benchmark::kMillisecond)
                    ->UseRealTime();
            }
    const int code = models.empty() ? 2 : run_registered(argc, argv);
    for (const Model &model : models)
        for (quernel_weights *weights : model.weights) quernel_weights_release(weights);
    return code;
}
