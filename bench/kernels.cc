// SPDX-License-Identifier: Apache-2.0
// Micro-kernels: GEMM with everything in L1 and from L2, GEMV from each cache, on every instruction
// set that runs here. MAC/s is the counter; tests have shown before that the kernels are exact
// (quernel verify).
#include <vector>

#include "registered.h"

namespace {

struct Product {
    Product(const quernel_i_kernel &k, uint32_t rows, uint32_t oc, uint32_t depth)
        : a(static_cast<size_t>(rows) * depth), weights(static_cast<size_t>(oc) * depth),
          panel(quernel_i_panel_bytes(&k, depth / 4)), b(static_cast<size_t>(oc) / 16 * panel),
          y(static_cast<size_t>(rows) * oc), scratch(k.scratch ? k.scratch(depth / 4) : 64),
          init(oc), scale(oc, 1e-3f), bias(oc) {
        const uint32_t k_quads = depth / 4;
        for (uint32_t p = 0; p < oc / 16; p++) {
            uint8_t *to = b.bytes() + p * panel;
            const int8_t *from = weights.as<int8_t>() + static_cast<size_t>(p) * k_quads * 64;
            if (k.b_prepare.gemm) k.b_prepare.gemm(from, k_quads, to);
            else std::memcpy(to, from, static_cast<size_t>(k_quads) * 64);
        }
        run = {0, k_quads};
        epilogue = quernel_i_epilogue{};
        epilogue.y = y.bytes(), epilogue.y_row = oc, epilogue.y_col = 1,
        epilogue.out = QUERNEL_TYPE_U8;
        epilogue.act = QUERNEL_I_ACT_RELU, epilogue.scale = scale.data(),
        epilogue.bias = bias.data(), epilogue.q_hi = 255.0f;
        call = {a.bytes(), static_cast<ptrdiff_t>(depth),
                rows,      oc,
                &run,      1,
                k_quads,   b.bytes(),
                panel,     init.data(),
                &epilogue, scratch.bytes(),
                0,         0,
                0,         nullptr};
    }
    Memory a, weights;
    size_t panel;
    Memory b, y, scratch;
    std::vector<int32_t> init;
    std::vector<float> scale, bias;
    quernel_i_k_run run;
    quernel_i_epilogue epilogue;
    quernel_i_gemm call;
};

void measure(benchmark::State &state, const quernel_i_kernel &k, uint32_t rows, uint32_t oc,
             uint32_t depth) {
    Product p(k, rows, oc, depth);
    for (auto _ : state) k.run.gemm(&p.call);
    const double macs =
        static_cast<double>(rows) * oc * depth * static_cast<double>(state.iterations());
    state.counters["MAC/s"] = benchmark::Counter(macs, benchmark::Counter::kIsRate);
    state.counters["B/s"] =
        benchmark::Counter(static_cast<double>(oc) * depth / 4 * k.b_quad_bytes / 16 *
                               static_cast<double>(state.iterations()),
                           benchmark::Counter::kIsRate);
}

void add(const quernel_i_kernel &k, uint32_t rows, uint32_t oc, uint32_t depth) {
    const std::string name = std::string(k.name) + "/" + std::to_string(rows) + "x" +
                             std::to_string(oc) + "x" + std::to_string(depth);
    benchmark::RegisterBenchmark(name.c_str(), [&k, rows, oc, depth](benchmark::State &state) {
        measure(state, k, rows, oc, depth);
    })->Unit(benchmark::kMicrosecond);
}

} // namespace

int main(int argc, char **argv) {
    each_kernel(QUERNEL_I_OP_GEMM, [](const quernel_i_kernel &k) {
        add(k, 84, 32, 128); // all in L1
        add(k, 84, 64, 576); // weights from L2
        add(k, 84, 256, 1024);
    });
    each_kernel(QUERNEL_I_OP_GEMV, [](const quernel_i_kernel &k) {
        for (uint32_t rows : {1u, 2u, 4u}) add(k, rows, 1024, 512), add(k, rows, 4096, 4096);
    });
    return run_registered(argc, argv);
}
