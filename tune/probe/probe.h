// SPDX-License-Identifier: Apache-2.0
// Peaks of this machine: multiply-adds per second in registers, bytes per second read at a
// footprint.
#ifndef QUERNEL_TUNE_PROBE_H
#define QUERNEL_TUNE_PROBE_H

#include "quernel/quernel.h"

/// Multiply-adds of one call of a register-only loop; each is in a file of its own ISA.
typedef uint64_t probe_loop(uint32_t rounds);
uint64_t probe_avx2(uint32_t rounds);       // saturating: vpmaddubsw + vpmaddwd + vpaddd
uint64_t probe_avxvnni(uint32_t rounds);    // vpdpbusd, 256 bits
uint64_t probe_avx512vnni(uint32_t rounds); // vpdpbusd, 512 bits
uint64_t probe_amxint8(uint32_t rounds);    // tdpbusd; quernel_amx_request must have succeeded
uint64_t probe_neon(uint32_t rounds);       // smull + sadalp
uint64_t probe_dotprod(uint32_t rounds);    // sdot
uint64_t probe_i8mm(uint32_t rounds);       // smmla

/// Reads `bytes` bytes (a multiple of 1024) once with the widest loads of the ISA.
typedef void probe_reader(const void *from, size_t bytes);
void probe_read_avx2(const void *from, size_t bytes);
void probe_read_avx512vnni(const void *from, size_t bytes);
void probe_read_neon(const void *from, size_t bytes);

/// Rounds of a burst that lasts about `seconds`; 0 where the ISA has no probe here.
uint32_t probe_calibrate(quernel_isa isa, double seconds);

/// One burst on as many threads as `parallel` is given: 2·MAC per ns. 0 where the ISA has no probe
/// here.
double probe_gops(quernel_isa isa, uint32_t rounds, uint32_t threads,
                  const quernel_parallel *parallel);

/// One pass over `bytes` bytes at `from`, on one thread: bytes per ns. 0 where the ISA has no probe
/// here.
double probe_read(quernel_isa isa, const void *from, size_t bytes);
/// The best of some passes over a footprint of its own. 0 where there is no memory for it, too.
double probe_read_best(quernel_isa isa, size_t bytes);

/// Clock in GHz, by a chain of dependent additions.
double probe_clock(void);
/// MAC per cycle that the instructions allow, for comparison with the probe; 0: it has no probe.
double probe_bound(quernel_isa isa);

#endif
