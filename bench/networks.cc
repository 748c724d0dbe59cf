// SPDX-License-Identifier: Apache-2.0
// Whole networks: every model of a CSV of networks (default: bench/shapes/networks.csv;
// QUERNEL_NETWORKS names another), f32 NCHW in, its output as u8 NHWC, f32 NHWC and f32 NCHW, on
// one thread and on two. Each is compared with ref before it is timed.
#include "registered.h"

#include <vector>

extern "C" {
#include "tune/workload/network.h"
}

namespace {

struct Output {
    const char *name;
    int32_t type, layout;
};
const Output outputs[] = {{"u8_nhwc", QUERNEL_TYPE_U8, QUERNEL_LAYOUT_NHWC},
                          {"f32_nhwc", QUERNEL_TYPE_F32, QUERNEL_LAYOUT_NHWC},
                          {"f32_nchw", QUERNEL_TYPE_F32, QUERNEL_LAYOUT_NCHW}};

using Model = std::vector<shape>; // its rows

/// The network of a model with what a run needs.
struct Network {
    network_workload load = {};
    quernel_network *net = nullptr;
    std::unique_ptr<Memory> y, workspace;
    size_t workspace_bytes = 0;

    Network(const Model &model, const Output &output, uint32_t threads) {
        const network_request request = {QUERNEL_TYPE_F32,
                                         QUERNEL_LAYOUT_NCHW,
                                         output.type,
                                         output.layout,
                                         QUERNEL_TYPE_U8,
                                         0,
                                         threads,
                                         -1,
                                         1};
        if (!network_make(&load, model.data(), static_cast<uint32_t>(model.size()), &request) ||
            network_plan(&load, nullptr, 1, -1, &net, nullptr))
            return;
        workspace_bytes = quernel_network_workspace(net);
        y.reset(new Memory(load.y_bytes)), workspace.reset(new Memory(workspace_bytes));
    }
    ~Network() { quernel_network_destroy(net), network_free(&load); }
    Network(const Network &) = delete;
    Network &operator=(const Network &) = delete;

    bool run(const quernel_parallel *parallel) {
        return net &&
               !network_run(&load, net, y->bytes(), workspace->bytes(), workspace_bytes, parallel);
    }
};

void measure(benchmark::State &state, const Model &model, const Output &output, uint32_t threads) {
    quernel_pool *pool = nullptr;
    quernel_pool_create(threads, &pool, nullptr);
    const quernel_parallel parallel = quernel_pool_parallel(pool);
    Network network(model, output, threads);
    bool differs = false;
    if (!network.run(&parallel) || !network_check(&network.load, &differs))
        state.SkipWithError(network.load.reason);
    else
        for (auto _ : state) network.run(&parallel);
    double macs = 0;
    for (const shape &row : model) macs += static_cast<double>(row.macs);
    state.counters["MAC/s"] = benchmark::Counter(macs * static_cast<double>(state.iterations()),
                                                 benchmark::Counter::kIsRate);
    state.counters["workspace"] = static_cast<double>(network.workspace_bytes);
    quernel_pool_destroy(pool);
}

std::vector<Model> read_models(const char *path) {
    shape *rows = nullptr;
    const int count = shapes_read(path, 0, &rows);
    const uint32_t all = count < 0 ? 0 : static_cast<uint32_t>(count);
    std::vector<Model> models;
    for (uint32_t i = 0; i < all; i += static_cast<uint32_t>(models.back().size()))
        models.emplace_back(rows + i, rows + i + network_rows(rows, i, all));
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
                const std::string name = std::string(model[0].model) + "/" + output.name +
                                         "/threads:" + std::to_string(threads);
                benchmark::RegisterBenchmark(name.c_str(),
                                             [&model, &output, threads](benchmark::State &state) {
                                                 measure(state, model, output, threads);
                                             })
                    ->Unit(benchmark::kMillisecond)
                    ->UseRealTime();
            }
    return models.empty() ? 2 : run_registered(argc, argv);
}
