// SPDX-License-Identifier: Apache-2.0
// What this CPU can run, and the ceiling that a process puts on it.
#ifndef QUERNEL_CPU_H
#define QUERNEL_CPU_H

#include <stdbool.h>

#include "common.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Instruction sets, in the order in which they are preferred within their architecture. Values
/// never change.
typedef enum quernel_isa {
    QUERNEL_ISA_REF = 0,
    QUERNEL_ISA_AVX2 = 1,       ///< AVX2 + FMA
    QUERNEL_ISA_AVXVNNI = 2,    ///< AVX2 + FMA + AVX-VNNI; CPUs with AVX-512-VNNI may lack it
    QUERNEL_ISA_AVX512VNNI = 3, ///< F + BW + DQ + VL + VNNI
    /// AVX-512-VNNI + TILE + INT8 + palette 1; needs the kernel's permission (quernel_amx_request)
    QUERNEL_ISA_AMXINT8 = 4,
    QUERNEL_ISA_NEON = 16,
    QUERNEL_ISA_DOTPROD = 17,
    QUERNEL_ISA_I8MM = 18
} quernel_isa;

/// Name of an instruction set, as QUERNEL_ISA and the command line spell it: "avx512vnni".
/// Returns static text; NULL for an unknown value.
/// Threads: any.
QUERNEL_API const char *quernel_isa_name(quernel_isa isa);

/// The value of a name, in capitals or not.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE for an unknown name.
/// Threads: any.
QUERNEL_API int quernel_isa_parse(const char *name, quernel_isa *ret_isa);

/// Facts about this CPU and this build, detected once per process and never changed.
typedef struct quernel_cpu {
    uint32_t size;     ///< sizeof, set by QUERNEL_CPU_INIT
    uint32_t detected; ///< bit 1u << isa: the CPU and the operating system can run it
    uint32_t compiled; ///< bit 1u << isa: kernels of it were compiled
    uint32_t usable;   ///< detected, compiled and not above the ceiling
    int32_t ceiling;   ///< a quernel_isa, from QUERNEL_ISA, or the highest of this architecture
    /// 1 if QUERNEL_ISA named an instruction set that cannot run here, 2 if it is no name of one
    int32_t ceiling_clamped;
    uint32_t cores;          ///< online
    uint32_t caches_clamped; ///< 1 if a reported cache size was out of reason and was replaced
    size_t l1d_bytes, l2_bytes, l3_bytes;
    char model[64];       ///< the CPU's own name, advisory
    uint32_t amx_cpuid;   ///< 1 if CPUID reports AMX-TILE and AMX-INT8
    uint32_t amx_xcr0;    ///< 1 if the operating system saves tiles (XCR0 bits 17 and 18)
    uint32_t amx_palette; ///< 1 if palette 1 is there: 8 tiles of 16 rows of 64 bytes
} quernel_cpu;
#define QUERNEL_CPU_INIT \
    { sizeof(quernel_cpu), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, {0}, 0, 0, 0 }
#define QUERNEL_CPU_MIN 120 ///< bytes of its first layout

/// Fills `ret_cpu`. The environment variable QUERNEL_ISA is read at the first call of the process
/// and ignored where the process is set-uid.
/// Returns QUERNEL_OK; QUERNEL_E_NULL; QUERNEL_E_VALUE (size).
/// Threads: any.
QUERNEL_API int quernel_cpu_get(quernel_cpu *ret_cpu);

/// Requests the kernel's permission to use AMX tiles (Linux: arch_prctl ARCH_REQ_XCOMP_PERM).
/// Creating the first operator with an AMX kernel does so by itself; where the answer is no, it
/// takes AVX-512-VNNI and the log says why. The process requests it once and keeps the answer.
/// Children inherit the permission, exec loses it.
/// Returns QUERNEL_OK; QUERNEL_E_ISA where `usable` lacks amxint8 or the kernel refuses: ENOSPC
/// where a thread's alternate signal stack is too small for tiles, EINVAL or ENOSYS where it does
/// not know them.
/// Threads: any.
QUERNEL_API int quernel_amx_request(quernel_error *error);

#ifdef __cplusplus
}
#endif

#endif
