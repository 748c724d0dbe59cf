// SPDX-License-Identifier: Apache-2.0
// Element-wise kernels and look-ups: 64 channels of 784 pixels, as images of networks are in the
// middle, and tables of codes over the same. Normalizations of rows as transformers have them.
#include <vector>

#include "registered.h"

namespace {

// 50176 elements: from L2; a table is of all codes of a byte
constexpr uint32_t PIXELS = 784, CHANNELS = 64, TABLE = 256;
constexpr uint32_t ROWS = 20; // whose floats L1 keeps

struct Case {
    const char *name;
    int32_t combine, x, z, y;
    bool x_planes, y_planes, one_z; // one_z: of all pixels
};
const Case cases[] = {
    {"u8+u8-u8", QUERNEL_I_COMBINE_ADD, QUERNEL_TYPE_U8, QUERNEL_TYPE_U8, QUERNEL_TYPE_U8, false,
     false, false},
    {"u8*u8-u8/channels", QUERNEL_I_COMBINE_MUL, QUERNEL_TYPE_U8, QUERNEL_TYPE_U8, QUERNEL_TYPE_U8,
     false, false, true},
    {"f32+f32-f32", QUERNEL_I_COMBINE_ADD, QUERNEL_TYPE_F32, QUERNEL_TYPE_F32, QUERNEL_TYPE_F32,
     false, false, false},
    {"f32-u8", QUERNEL_I_COMBINE_COPY, QUERNEL_TYPE_F32, 0, QUERNEL_TYPE_U8, false, false, false},
    {"u8-f32/turned", QUERNEL_I_COMBINE_COPY, QUERNEL_TYPE_U8, 0, QUERNEL_TYPE_F32, false, true,
     false},
    {"f32-f32/turned", QUERNEL_I_COMBINE_COPY, QUERNEL_TYPE_F32, 0, QUERNEL_TYPE_F32, true, false,
     false},
};

void count(benchmark::State &state) {
    state.counters["elements/s"] = benchmark::Counter(static_cast<double>(PIXELS) * CHANNELS *
                                                          static_cast<double>(state.iterations()),
                                                      benchmark::Counter::kIsRate);
}

ptrdiff_t row_of(int32_t type, bool planes) {
    return static_cast<ptrdiff_t>(quernel_type_size(static_cast<quernel_type>(type)) *
                                  (planes ? 1 : CHANNELS));
}

ptrdiff_t column_of(int32_t type, bool planes) {
    return static_cast<ptrdiff_t>(quernel_type_size(static_cast<quernel_type>(type)) *
                                  (planes ? PIXELS : 1));
}

quernel_i_elements operand(Memory &memory, int32_t type, bool planes) {
    quernel_i_elements e = {};
    e.at = type == QUERNEL_TYPE_F32 ? static_cast<const void *>(memory.floats()) : memory.bytes();
    e.row = row_of(type, planes), e.col = column_of(type, planes);
    e.type = type, e.zero = 120, e.scale = 0.05f;
    return e;
}

void combine(benchmark::State &state, const quernel_i_kernel &k, const Case &c) {
    const size_t bytes = static_cast<size_t>(PIXELS) * CHANNELS * sizeof(float);
    Memory x(bytes), z(bytes), y(bytes);
    const std::vector<float> out_scale(CHANNELS, 16.0f);
    quernel_i_epilogue f = {};
    f.y = y.bytes(), f.out = c.y;
    f.y_row = row_of(c.y, c.y_planes), f.y_col = column_of(c.y, c.y_planes);
    f.q_lo = -128.0f, f.q_hi = 127.0f, f.q_zero = 128;
    if (c.y == QUERNEL_TYPE_U8) f.out_scale = out_scale.data();
    quernel_i_eltwise call = {};
    call.combine = c.combine, call.rows = PIXELS, call.columns = CHANNELS, call.p_col = 1;
    call.x = operand(x, c.x, c.x_planes), call.z = operand(z, c.z, false);
    if (c.one_z) call.z.row = 0;
    call.epilogue = &f;
    for (auto _ : state) k.run.eltwise(&call);
    count(state);
}

void look_up(benchmark::State &state, const quernel_i_kernel &k, bool turned) {
    Memory x(PIXELS * CHANNELS), y(PIXELS * CHANNELS), table(TABLE);
    quernel_i_lookup call = {};
    call.x = x.bytes(), call.x_row = CHANNELS, call.x_col = 1;
    call.y = y.bytes(), call.y_row = turned ? 1 : CHANNELS, call.y_col = turned ? PIXELS : 1;
    call.rows = PIXELS, call.columns = CHANNELS, call.table = table.bytes();
    for (auto _ : state) k.run.lookup(&call);
    count(state);
}

struct Rows {
    const char *name;
    int32_t kind, type;
    uint32_t channels;
};
const Rows rows[] = {{"softmax/u8", QUERNEL_I_NORMALIZE_SOFTMAX, QUERNEL_TYPE_U8, 197},
                     {"layer/u8", QUERNEL_I_NORMALIZE_LAYER, QUERNEL_TYPE_U8, 384},
                     {"layer/f32", QUERNEL_I_NORMALIZE_LAYER, QUERNEL_TYPE_F32, 384},
                     {"rms/f32", QUERNEL_I_NORMALIZE_RMS, QUERNEL_TYPE_F32, 384}};

void normalize(benchmark::State &state, const quernel_i_kernel &k, const Rows &of) {
    const size_t floats = static_cast<size_t>(ROWS) * of.channels * sizeof(float);
    Memory x(floats), y(floats), line(floats);
    const std::vector<float> table(of.channels + 16 /* as ukr.h says */, 0.05f);
    quernel_i_normalize call = {};
    call.kind = of.kind, call.rows = ROWS, call.channels = of.channels, call.epsilon = 1e-5f;
    call.x = operand(x, of.type, false), call.x.scales = table.data();
    call.x.row =
        static_cast<ptrdiff_t>(of.channels * quernel_type_size(static_cast<quernel_type>(of.type)));
    call.factor = call.shift = table.data();
    call.line = line.floats(), call.y = y.floats(), call.y_row = of.channels;
    for (auto _ : state) k.run.normalize(&call);
    state.counters["elements/s"] = benchmark::Counter(static_cast<double>(ROWS) * of.channels *
                                                          static_cast<double>(state.iterations()),
                                                      benchmark::Counter::kIsRate);
}

} // namespace

int main(int argc, char **argv) {
    each_kernel(QUERNEL_I_OP_ELTWISE, [](const quernel_i_kernel &k) {
        for (const Case &c : cases) {
            if (k.lines && (c.x_planes || c.y_planes)) continue; // it takes none of these
            benchmark::RegisterBenchmark(
                (std::string(k.name) + "/" + c.name).c_str(),
                [&k, &c](benchmark::State &state) { combine(state, k, c); })
                ->Unit(benchmark::kMicrosecond);
        }
    });
    each_kernel(QUERNEL_I_OP_LOOKUP, [](const quernel_i_kernel &k) {
        for (bool turned : {false, true})
            benchmark::RegisterBenchmark(
                (std::string(k.name) + (turned ? "/turned" : "/rows")).c_str(),
                [&k, turned](benchmark::State &state) { look_up(state, k, turned); })
                ->Unit(benchmark::kMicrosecond);
    });
    each_kernel(QUERNEL_I_OP_NORMALIZE, [](const quernel_i_kernel &k) {
        for (const Rows &of : rows)
            benchmark::RegisterBenchmark(
                (std::string(k.name) + "/" + of.name).c_str(),
                [&k, &of](benchmark::State &state) { normalize(state, k, of); })
                ->Unit(benchmark::kMicrosecond);
    });
    return run_registered(argc, argv);
}
