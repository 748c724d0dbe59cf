// SPDX-License-Identifier: Apache-2.0
// Packers: float to rows in NHWC and NCHW, and ranges, at footprints from L1 to memory.
#include <vector>

#include "registered.h"

namespace {

struct Source {
    const char *name;
    uint32_t pixels, channels;
};
const Source sources[] = {
    {"L1", 64, 32}, {"L2", 512, 64}, {"L3", 8192, 64}, {"memory", 262144, 64}};

void measure(benchmark::State &state, const quernel_i_kernel &k, const Source &s, bool nchw,
             bool range) {
    const size_t count = static_cast<size_t>(s.pixels) * s.channels;
    Memory x(count * sizeof(float)), y(count);
    const float *from = x.floats();
    std::vector<float> mult(s.channels, 60.0f);
    const ptrdiff_t pixel = nchw ? 1 : static_cast<ptrdiff_t>(s.channels),
                    channel = nchw ? static_cast<ptrdiff_t>(s.pixels) : 1;
    const quernel_i_quantize_args rows = {from,
                                          pixel,
                                          channel,
                                          s.pixels,
                                          s.channels,
                                          y.bytes(),
                                          static_cast<ptrdiff_t>(s.channels),
                                          mult.data(),
                                          1.0f,
                                          0.0f,
                                          255.0f,
                                          0,
                                          false};
    float min = 0, max = 0;
    const quernel_i_range ranges = {from,       pixel,       channel, s.pixels,
                                    s.channels, mult.data(), &min,    &max};
    for (auto _ : state) {
        if (range) k.run.range(&ranges);
        else k.run.quantize(&rows);
    }
    state.counters["elements/s"] =
        benchmark::Counter(static_cast<double>(count) * static_cast<double>(state.iterations()),
                           benchmark::Counter::kIsRate);
}

void add(quernel_i_op op, bool nchw, bool range) {
    each_kernel(op, [=](const quernel_i_kernel &k) {
        for (const Source &s : sources) {
            const std::string name = std::string(k.name) + "/" + s.name;
            benchmark::RegisterBenchmark(name.c_str(), [&k, &s, nchw,
                                                        range](benchmark::State &state) {
                measure(state, k, s, nchw, range);
            })->Unit(benchmark::kMicrosecond);
        }
    });
}

} // namespace

int main(int argc, char **argv) {
    add(QUERNEL_I_OP_QUANTIZE_NHWC, false, false);
    add(QUERNEL_I_OP_QUANTIZE_NCHW, true, false);
    add(QUERNEL_I_OP_RANGE_NHWC, false, true);
    add(QUERNEL_I_OP_RANGE_NCHW, true, true);
    return run_registered(argc, argv);
}
