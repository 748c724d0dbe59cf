// SPDX-License-Identifier: Apache-2.0
// A network from rows of a CSV, with seeded weights and data, ready to be planned and run.
#ifndef QUERNEL_TUNE_WORKLOAD_NETWORK_H
#define QUERNEL_TUNE_WORKLOAD_NETWORK_H

#include "tune/workload/workload.h"

/// How a network is run.
typedef struct network_request {
    int32_t x_type, x_layout, y_type, y_layout; // of its input and its output
    int32_t inner;                              // type between layers: U8 or S8
    int dynamic;                                // float input: quantized by its range
    uint32_t threads;
    int32_t isa; // the ceiling; −1: that of the process
    uint64_t seed;
} network_request;

typedef struct network_workload {
    const shape *rows; // of one model: `input` and `residual` are rows of it, counted from 1
    uint32_t count;
    network_request request;
    quernel_weights **weights; // [count]
    uint8_t *x_memory;
    size_t y_bytes;
    char reason[256]; // why it cannot be run
} network_workload;

/// Rows from `first` on that are of one model.
uint32_t network_rows(const shape *rows, uint32_t first, uint32_t count);

/// False, with a reason that names row and column, where the rows are no network.
bool network_check_rows(network_workload *n);

/// Makes it. False (with `reason`) where the rows are no network, or this version does not offer
/// it.
bool network_make(network_workload *n, const shape *rows, uint32_t count, const network_request *r);
void network_free(network_workload *n);

/// Multiply-adds of all rows.
uint64_t network_macs(const network_workload *n);

/// The network with a config for each row (NULL: what tables and model say), lines and columns of
/// its input divided by `share`. Returns a quernel_status.
int network_plan(const network_workload *n, const char *const *configs, uint32_t share, int32_t isa,
                 quernel_network **ret_network, quernel_error *error);
/// Runs such a network. `y` has room for y_bytes, `workspace` for what the network wants.
int network_run(const network_workload *n, const quernel_network *network, uint8_t *y,
                void *workspace, size_t bytes, const quernel_parallel *parallel);

/// Whether it gives ref's bits, of a large one on an eighth of its lines and columns; false, with a
/// reason, where they differ or cannot be compared.
bool network_check(network_workload *n, bool *ret_differs);

#endif
