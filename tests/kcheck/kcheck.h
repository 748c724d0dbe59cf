// SPDX-License-Identifier: Apache-2.0
// The kernel checker: every kernel against its twin in kernels/ref, through the contract of
// kernels/ukr.h, in this process, so that it runs under emulators and inside `quernel verify`.
//
// A case is one call with seeded arguments. Its memory ends (or begins) at a page that nobody may
// touch, output and scratch are poisoned, sources and everything around the output must stay as
// they are, callee-saved registers and the control word must come back. Results are compared bit
// for bit; of an f32 NaN only that it is one.
#ifndef QUERNEL_KCHECK_H
#define QUERNEL_KCHECK_H

#include "guard.h"
#include "kernels/ukr.h"

typedef struct kcheck_options {
    // mask of instruction sets to check; 0: all that can run below the ceiling
    uint32_t isas;
    const char *kernel; // part of a name, or NULL
    uint64_t seed;
    uint32_t cases;                               // of each kernel
    int64_t only;                                 // replays this case; −1: all
    void (*report)(void *user, const char *line); // failures and a line per kernel
    void *user;
} kcheck_options;

typedef struct kcheck_result {
    uint64_t passed, failed, skipped; // cases; skipped: kernels that cannot run here
} kcheck_result;

void kcheck_run(const kcheck_options *options, kcheck_result *ret_result);

/// Checks that deliberately broken kernels are caught and that the same wrapper, unbroken, is not.
/// Returns the same counts.
void kcheck_self_test(const kcheck_options *options, kcheck_result *ret_result);

/// Proofs in place of cases: each product kernel counts as one (bilinear.c). `longer`: of GEMM
/// every count of rows with every count of output channels.
void kcheck_prove_all(const kcheck_options *options, bool longer, kcheck_result *ret_result);

/// The proof of one kernel. Returns NULL, or what went wrong, written to `text`.
const char *kcheck_prove(const quernel_i_kernel *kernel, bool longer, uint64_t seed, char *text,
                         size_t size);

/// One case of one kernel against `oracle`. Returns NULL, or what went wrong.
const char *kcheck_case(const quernel_i_kernel *kernel, const quernel_i_kernel *oracle,
                        uint64_t seed, uint64_t number);

// The cases of each way to call a kernel (ops.def).
const char *kcheck_gemm(const quernel_i_kernel *k, const quernel_i_kernel *oracle, guard *g,
                        uint64_t seed, uint64_t number);
const char *kcheck_conv(const quernel_i_kernel *k, const quernel_i_kernel *oracle, guard *g,
                        uint64_t seed, uint64_t number);
const char *kcheck_depthwise(const quernel_i_kernel *k, const quernel_i_kernel *oracle, guard *g,
                             uint64_t seed, uint64_t number);
const char *kcheck_epilogue(const quernel_i_kernel *k, const quernel_i_kernel *oracle, guard *g,
                            uint64_t seed, uint64_t number);
const char *kcheck_quantize(const quernel_i_kernel *k, const quernel_i_kernel *oracle, guard *g,
                            uint64_t seed, uint64_t number);
const char *kcheck_range(const quernel_i_kernel *k, const quernel_i_kernel *oracle, guard *g,
                         uint64_t seed, uint64_t number);
const char *kcheck_eltwise(const quernel_i_kernel *k, const quernel_i_kernel *oracle, guard *g,
                           uint64_t seed, uint64_t number);
const char *kcheck_lookup(const quernel_i_kernel *k, const quernel_i_kernel *oracle, guard *g,
                          uint64_t seed, uint64_t number);
const char *kcheck_pool(const quernel_i_kernel *k, const quernel_i_kernel *oracle, guard *g,
                        uint64_t seed, uint64_t number);
const char *kcheck_permute(const quernel_i_kernel *k, const quernel_i_kernel *oracle, guard *g,
                           uint64_t seed, uint64_t number);
const char *kcheck_blend(const quernel_i_kernel *k, const quernel_i_kernel *oracle, guard *g,
                         uint64_t seed, uint64_t number);

const char *kcheck_sample(const quernel_i_kernel *k, const quernel_i_kernel *oracle, guard *g,
                          uint64_t seed, uint64_t number);
const char *kcheck_normalize(const quernel_i_kernel *k, const quernel_i_kernel *oracle, guard *g,
                             uint64_t seed, uint64_t number);

/// Words for what a call did beside its work, or NULL.
const char *kcheck_conduct(call_report report);
/// Words where sources, or memory around buffers, are not as they were sealed; or NULL.
const char *kcheck_unchanged(const guard *g);

/// An output: bytes with their gaps, of an element, and whether NaNs are alike; and what else may
/// be written, or NULL.
typedef struct kcheck_elements {
    size_t bytes, size;
    bool floats;
    const void *scratch;
} kcheck_elements;

/// Kernel and oracle on the same arguments, each into memory of its own, which `to`, a member of
/// *call, is made to point to. Seals what was taken so far. Words for what is wrong, or NULL.
const char *kcheck_agree(const quernel_i_kernel *k, const quernel_i_kernel *oracle, guard *g,
                         void *call, void *to, kcheck_elements of);

#endif
