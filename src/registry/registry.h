// SPDX-License-Identifier: Apache-2.0
// The registry: which kernels exist and which of them to take.
#ifndef QUERNEL_REGISTRY_REGISTRY_H
#define QUERNEL_REGISTRY_REGISTRY_H

#include "kernels/ukr.h"

/// Whether the kernel can run here with the instruction sets `usable` (bits 1u << isa).
bool quernel_i_registry_runs(const quernel_i_kernel *kernel, uint32_t usable);

/// The first kernel of `op` on the best instruction set in the mask `usable` (bits 1u << isa) that
/// has one. `a_type` −1: rows of any encoding. On a set with kernels for both encodings the first
/// line of kernels.def wins. Kernels of tiles are left out: whether they pay is for the plan to
/// say; and those of lines, which do not take every call.
const quernel_i_kernel *quernel_i_registry_best(quernel_i_op op, uint32_t usable, int32_t a_type);

/// The best kernel of ELTWISE that takes lines alone, of a higher set than the one that takes all;
/// or NULL.
const quernel_i_kernel *quernel_i_registry_lines(uint32_t usable);

/// The kernel of ref that computes the same.
const quernel_i_kernel *quernel_i_registry_oracle(const quernel_i_kernel *kernel);

/// The kernel of this name, or NULL.
const quernel_i_kernel *quernel_i_registry_named(const char *name);

#endif
