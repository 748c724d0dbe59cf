// SPDX-License-Identifier: Apache-2.0
// The process's one table of what the CPU can do.
#ifndef QUERNEL_I_CPU_H
#define QUERNEL_I_CPU_H

#include <stdbool.h>

#include "quernel/cpu.h"

#define QUERNEL_I_ISA_COUNT (QUERNEL_ISA_I8MM + 1) // of enumerators, holes included

/// Tile registers: what one holds, and cycles of working with it. All 0: the set has none.
typedef struct quernel_i_isa_tile {
    uint64_t rows, k_quads; // of a tile of rows; a tile of weights has 16 output channels
    uint64_t product;       // a product of two tiles, where others fill its latency
    uint64_t latency;       // of a product: what fewer than four chains wait for
    uint64_t load, load_l2; // of a tile, on two load ports; from L2
    uint64_t call;          // of a kernel, but for its products
    uint64_t outputs;       // 16 of a row, of which fewer hide behind long products than it seems
    uint64_t planes;        // at least, beside those of vectors, where they fill planes of floats
    uint64_t gathered, run; // of a row: a step that runs of k share, and a part of a run in one
} quernel_i_isa_tile;

/// A line of isas.def.
typedef struct quernel_i_isa {
    const char *name; // NULL where no set has the value
    double macs_per_ns, words_per_ns;
    double products_a_cycle, cycles_an_output; // of the GEMM kernel; 0: not measured
    bool asks;
    quernel_i_isa_tile tile;
} quernel_i_isa;

/// By quernel_isa.
extern const quernel_i_isa quernel_i_isas[QUERNEL_I_ISA_COUNT];

/// The table, made at the first call and immutable from then on.
const quernel_cpu *quernel_i_cpu(void);

/// Instruction sets of this architecture that are no higher than `isa`, as a mask. ref is always in
/// it.
uint32_t quernel_i_isa_below(quernel_isa isa);

/// Asks the kernel for AMX tiles, once per process: 0, or an errno. Where `usable` lacks amxint8
/// nothing is asked.
int quernel_i_amx_request(void);

/// Whether the kernel lets this process use the instruction set: 0, or an errno. Asks where that is
/// needed.
int quernel_i_isa_request(quernel_isa isa);

/// What cores of one instruction set differ in.
typedef struct quernel_i_cpu_traits {
    // Sets of which one vector, or half of one, is multiplied a cycle: 1u << isa.
    uint32_t one_multiplier;
    // Sets beside whose multiplications all else weighs less than elsewhere, likewise: there is one
    // multiplier, or as many units again, or what waits lets others pass.
    uint32_t light;
    bool near; // lines that are read soon are best fetched into L1, not L2
    bool vbmi; // AVX-512 VBMI, with the rest of AVX-512-VNNI
    // Of the core's design: vendor, family and model, "amd-25-1"; implementer and part,
    // "arm-0x41-0xd0c". Empty where it is not known.
    char core[32];
} quernel_i_cpu_traits;

/// Found with the table.
const quernel_i_cpu_traits *quernel_i_cpu_traits_of(void);

/// Fills in what depends on the architecture: `detected`, the cache sizes as reported (0: unknown),
/// the model name, and the traits.
void quernel_i_cpu_detect(quernel_cpu *cpu, quernel_i_cpu_traits *ret_traits);

/// Likewise: has the operating system let this process use tiles. Returns 0, or an errno.
int quernel_i_cpu_permit_tiles(void);

#endif
