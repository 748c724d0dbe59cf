// SPDX-License-Identifier: Apache-2.0
// What the benchmark programs share: kernels that can run here, and aligned memory with seeded
// bytes.
#ifndef QUERNEL_BENCH_REGISTERED_H
#define QUERNEL_BENCH_REGISTERED_H

#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

extern "C" {
#include "cpu/cpu.h"
#include "quernel/quernel.h"
#include "registry/registry.h"
}

/// Calls `f` for each kernel of `op` that this CPU can run below the ceiling, and the operating
/// system lets run.
template <class F> void each_kernel(quernel_i_op op, F f) {
    quernel_cpu cpu = QUERNEL_CPU_INIT;
    quernel_cpu_get(&cpu);
    for (const quernel_i_kernel *k = quernel_i_kernels; k->name; k++)
        if (k->op == op && quernel_i_registry_runs(k, cpu.usable) &&
            !quernel_i_isa_request(static_cast<quernel_isa>(k->isa)))
            f(*k);
}

/// 64-byte aligned memory, filled with numbers from a small generator.
class Memory {
  public:
    explicit Memory(size_t size)
        : bytes_((size + 63) / 64 * 64 + 64), data_(std::aligned_alloc(64, bytes_)) {
        uint32_t x = 1;
        for (size_t i = 0; i < bytes_; i++)
            bytes()[i] = static_cast<uint8_t>((x = x * 1664525u + 1013904223u) >> 24);
    }
    ~Memory() { std::free(data_); }
    Memory(const Memory &) = delete;
    Memory &operator=(const Memory &) = delete;
    uint8_t *bytes() { return static_cast<uint8_t *>(data_); }
    template <class T> T *as() { return static_cast<T *>(data_); }
    /// Floats from -1 to 4, as activations look.
    float *floats() {
        for (size_t i = 0; i < bytes_ / 4; i++)
            as<float>()[i] = static_cast<float>(bytes()[4 * i]) * 0.02f - 1.0f;
        return as<float>();
    }

  private:
    size_t bytes_;
    void *data_;
};

/// Runs the registered benchmarks with interleaving and repetitions as defaults; flags given by the
/// user win.
inline int run_registered(int argc, char **argv) {
    std::string interleave = "--benchmark_enable_random_interleaving=true",
                repeat = "--benchmark_repetitions=9";
    std::string aggregates = "--benchmark_report_aggregates_only=true";
    std::unique_ptr<char *[]> all(new char *[static_cast<size_t>(argc) + 4]);
    int count = 0;
    all[count++] = argv[0];
    all[count++] = &interleave[0];
    all[count++] = &repeat[0];
    all[count++] = &aggregates[0];
    for (int i = 1; i < argc; i++) all[count++] = argv[i];
    benchmark::Initialize(&count, all.get());
    if (benchmark::ReportUnrecognizedArguments(count, all.get())) return 2;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}

#endif
