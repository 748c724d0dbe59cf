// SPDX-License-Identifier: Apache-2.0
// From a graph to networks: which nodes Quernel takes, and what each island of them becomes.
//
// The compiler has no state of its own between calls, allocates with malloc, and never prints.
// Creation of a session:  islands_find → for each island a program (subgraph, weights to pack).
// A run with new shapes:  program → instance (a network for these shapes), kept by the host.
#ifndef QUERNEL_EP_COMPILER_H
#define QUERNEL_EP_COMPILER_H

#include <quernel/quernel.h>

#include "graph.h"

/// What the user asked for.
typedef struct quernel_ep_options {
    uint32_t threads; // at least 1
    int32_t isa;      // a quernel_isa, or −1
    bool units;       // each operator is an island of its own (to compare with larger ones)
    bool all;         // claims islands that would lose, too (tests)
} quernel_ep_options;

/// An island that outlives the graph it was found in: its steps, small constants, and packed
/// weights. Immutable, shared by threads.
typedef struct quernel_ep_program quernel_ep_program;

/// Nodes that run as one network. Values are indices of the graph's.
typedef struct quernel_ep_island {
    uint32_t *nodes, n_nodes; // ascending
    int32_t *inputs;          // values that are read and neither made inside nor constant
    int32_t *outputs;         // values that are read outside, or are graph outputs
    uint32_t n_inputs, n_outputs;
    uint64_t macs; // multiply-adds of its convolutions and products; 0 where shapes are unknown
    quernel_ep_program *program; // made on trial, with inputs and outputs in the order above
} quernel_ep_island;

/// Why a node is left to others.
typedef struct quernel_ep_refusal {
    uint32_t node;
    char reason[120];
} quernel_ep_refusal;

typedef struct quernel_ep_partition {
    quernel_ep_island *islands;
    uint32_t n_islands;
    quernel_ep_refusal *refusals;
    uint32_t n_refusals;
} quernel_ep_partition;

/// Finds the islands: each convex, each one a network that quernel_network_create has accepted.
/// Returns QUERNEL_OK, or QUERNEL_E_MEMORY; what cannot be taken is a refusal, not an error.
int quernel_ep_partition_find(const quernel_ep_graph *graph, const quernel_ep_options *options,
                              quernel_ep_partition *ret_partition, quernel_error *error);
void quernel_ep_partition_free(quernel_ep_partition *partition);

/// Makes the program: packs the weights. `inputs` and `outputs` are in the order in which a run
/// hands them in, as values of the graph.
int quernel_ep_program_create(const quernel_ep_graph *graph, const quernel_ep_island *island,
                              const quernel_ep_options *options, quernel_ep_program **ret_program,
                              quernel_error *error);
void quernel_ep_program_destroy(quernel_ep_program *program);

/// What a run is handed: element types (quernel_ep_type), in order. They are the program's.
typedef struct quernel_ep_signature {
    uint32_t n_inputs, n_outputs;
    const int32_t *inputs, *outputs;
} quernel_ep_signature;

quernel_ep_signature quernel_ep_program_signature(const quernel_ep_program *program);

/// Changes the order in which a run hands tensors in and out: input i becomes inputs[i]. Before the
/// program is shared.
void quernel_ep_program_permute(quernel_ep_program *program, const uint32_t *inputs,
                                const uint32_t *outputs);

/// Bytes from which _load makes the same program again, without packing; for any instruction set.
/// `data` NULL: only the size.
size_t quernel_ep_program_save(const quernel_ep_program *program, void *data, size_t capacity);
/// Checks all of it; weights are used where they lie, so `data` (64-byte aligned) must live as long
/// as the program.
int quernel_ep_program_load(const void *data, size_t bytes, const quernel_ep_options *options,
                            quernel_ep_program **ret_program, quernel_error *error);

/// A program for given shapes of its inputs.
typedef struct quernel_ep_instance quernel_ep_instance;

typedef struct quernel_ep_shape {
    uint32_t rank;
    int64_t dims[QUERNEL_EP_MAX_RANK];
} quernel_ep_shape;

int quernel_ep_instance_create(const quernel_ep_program *program, const quernel_ep_shape *inputs,
                               quernel_ep_instance **ret_instance, quernel_error *error);
void quernel_ep_instance_destroy(quernel_ep_instance *instance);
/// Shape of output `index`.
const quernel_ep_shape *quernel_ep_instance_output(const quernel_ep_instance *instance,
                                                   uint32_t index);
/// Workspace of a run, 64-byte aligned.
size_t quernel_ep_instance_workspace(const quernel_ep_instance *instance);
/// Runs it; tensors as ONNX has them: dense, NCHW where they have four dimensions. Any thread, each
/// with a workspace of its own.
int quernel_ep_instance_run(const quernel_ep_instance *instance, const void *const *inputs,
                            void *const *outputs, void *workspace, const quernel_parallel *parallel,
                            quernel_error *error);

#endif
