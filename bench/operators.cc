// SPDX-License-Identifier: Apache-2.0
// Operators: every row of a CSV of layers (default: bench/shapes/layers.csv; QUERNEL_LAYERS names
// another) at the int8 and the f32 boundary, checked against ref before it is timed.
#include "registered.h"

extern "C" {
#include "tune/workload/workload.h"
}

namespace {

void measure(benchmark::State &state, const shape &row, boundary at) {
    request wanted = {};
    wanted.boundary = at, wanted.nchw = 1, wanted.x_type = QUERNEL_TYPE_U8, wanted.threads = 1,
    wanted.isa = -1, wanted.seed = 1;
    workload s;
    uint64_t checked = 0;
    if (!workload_make(&s, &row, &wanted)) state.SkipWithError(s.reason);
    else if (workload_run(&s, nullptr) || workload_check(&s, &checked))
        state.SkipWithError("differs from ref");
    else
        for (auto _ : state) workload_run(&s, nullptr);
    state.counters["MAC/s"] =
        benchmark::Counter(static_cast<double>(row.macs) * static_cast<double>(state.iterations()),
                           benchmark::Counter::kIsRate);
    workload_free(&s);
}

} // namespace

int main(int argc, char **argv) {
    const char *named = std::getenv("QUERNEL_LAYERS");
    shape *rows = nullptr;
    const int count = shapes_read(named ? named : QUERNEL_SHAPES "/layers.csv", 0, &rows);
    if (count < 0) return 2;
    for (int i = 0; i < count; i++)
        for (boundary at : {BOUNDARY_INT8, BOUNDARY_F32}) {
            const std::string name = std::string(rows[i].model) + "/" + rows[i].layer +
                                     (at == BOUNDARY_F32 ? "/f32" : "/int8");
            benchmark::RegisterBenchmark(name.c_str(), [rows, i, at](benchmark::State &state) {
                measure(state, rows[i], at);
            })->Unit(benchmark::kMillisecond);
        }
    const int code = run_registered(argc, argv);
    std::free(rows);
    return code;
}
