// SPDX-License-Identifier: Apache-2.0
// Stands where a compiler has its <immintrin.h>: SIMDe's intrinsics, and what SIMDe lacks or has
// otherwise than the CPU.
#ifndef QUERNEL_SIMULATED_IMMINTRIN_H
#define QUERNEL_SIMULATED_IMMINTRIN_H

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>
#include <simde/x86/f16c.h>
#include <simde/x86/fma.h>

#include "instructions.h"
#include "intrinsics.h"

#endif
