// SPDX-License-Identifier: Apache-2.0
// The parts of quernel bench: its options, what a row gave, how it is timed and written.
#ifndef QUERNEL_TUNE_BENCH_H
#define QUERNEL_TUNE_BENCH_H

#include <stdbool.h>

#include "tune/common/json.h"
#include "tune/common/statistics.h"
#include "tune/workload/workload.h"

typedef struct bench_options {
    const char *file, *filter, *json_path;
    int gemm; // `file` lists products
    uint32_t rounds;
    uint32_t isas; // a row each; a mask
    request request;
} bench_options;

typedef struct bench_row {
    const shape *shape;
    quernel_isa isa;
    workload workload;
    const char *status, *reason; // "ok", "wrong", "skipped"
    uint64_t checked, mismatches;
    median ms;
    double gops, peak_gops, percent; // of the row, of the probe beside it, one over the other
    double read_gbs, probe_read_gbs; // of the weights; the probe's is NaN where they are no bound
    char config[512], kernel[96];
    const char *source; // model, override, table
} bench_row;

/// Times a row that was made and checked, with the probe of its instruction set beside every call.
void bench_time(const bench_options *o, bench_row *r, const quernel_parallel *parallel);

/// One line of the table.
void bench_print(FILE *to, const bench_row *r);
void bench_write(json *j, const bench_options *o, const bench_row *r);
/// The object "host".
void bench_write_host(json *j);

#endif
