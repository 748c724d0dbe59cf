// SPDX-License-Identifier: Apache-2.0
// kernels.def expanded: declarations, then the list, then look-ups.
#include "registry/registry.h"

#include <string.h>

#include "cpu/cpu.h"
#include "quernel/cpu.h"

// The words of kernels.def.
enum {
    U8 = QUERNEL_TYPE_U8,
    S8 = QUERNEL_TYPE_S8,
    F32 = QUERNEL_TYPE_F32,
    BF16 = QUERNEL_TYPE_BF16,
    POINTS = QUERNEL_I_MULTIPLIES_POINTS,
    LINES = QUERNEL_I_MULTIPLIES_LINES,
    SLOTS = QUERNEL_I_MULTIPLIES_SLOTS
};
enum {
#define ISA(isa, name, compiled, ...) ISA_##name = QUERNEL_ISA_##isa,
#include "cpu/isas.def"
};

// What follows from an op: run_<op> and prepare_<op> are the types of its kernels' functions.
#define CALL(call, member, prepare, arguments) \
    typedef void run_##call##_call arguments;  \
    typedef quernel_i_prepare_##prepare prepare_##call##_call;
#define OP(op, call, typed)                     \
    typedef run_##call##_call run_##op;         \
    typedef prepare_##call##_call prepare_##op; \
    enum { CALL_OF_##op = QUERNEL_I_CALL_##call, TYPED_##op = (typed) };
#include "kernels/ops.def"

// Whatever a line does not own is declared and never used.
#define KERNEL(op, name, isa, own, ...)               \
    run_##op quernel_uk_##name##_##isa;               \
    prepare_##op quernel_uk_##name##_##isa##_prepare; \
    size_t quernel_uk_##name##_##isa##_scratch(uint32_t k_quads);
#include "kernels/kernels.def"

#define ANY(function) \
    { .any = (void (*)(void))(function) }
#define OWN_NONE(function)
#define OWN_SCRATCH(function) .scratch = function##_scratch,
#define OWN_PREPARE(function) .b_prepare = ANY(function##_prepare),
#define OWN_SCRATCH_PREPARE(function) OWN_SCRATCH(function) OWN_PREPARE(function)

#pragma GCC diagnostic ignored "-Woverride-init" // of what most lines have in common
#define KERNEL(op_, name_, isa_, own, ...)                     \
    {.name = "quernel_uk_" #name_ "_" #isa_,                   \
     .op = QUERNEL_I_OP_##op_,                                 \
     .call = CALL_OF_##op_,                                    \
     .typed = TYPED_##op_,                                     \
     .isa = ISA_##isa_,                                        \
     .run = ANY(quernel_uk_##name_##_##isa_),                  \
     OWN_##own(quernel_uk_##name_##_##isa_).b_quad_bytes = 64, \
     __VA_ARGS__},
const quernel_i_kernel quernel_i_kernels[] = {
#include "kernels/kernels.def"
    {0}};

// ukr.h: the kinds of activations lie side by side.
#define IS_CLAMP(act) ((int)QUERNEL_I_ACT_##act < QUERNEL_I_ACT_SLOPES)
#define IS_FUNCTION(act) ((int)QUERNEL_I_ACT_##act >= QUERNEL_I_ACT_FUNCTIONS)
_Static_assert(IS_CLAMP(NONE) && IS_CLAMP(RELU) && IS_CLAMP(CLAMP), "clamps come first");
_Static_assert(!IS_CLAMP(PRELU) && !IS_FUNCTION(PRELU), "slopes come between");
_Static_assert(IS_FUNCTION(HSWISH) && IS_FUNCTION(HSIGMOID) && IS_FUNCTION(SILU) &&
                   IS_FUNCTION(GELU) && IS_FUNCTION(SIGMOID) && IS_FUNCTION(TANH) &&
                   QUERNEL_I_ACT_COUNT == 10,
               "functions come last, and all are named here");
#undef IS_CLAMP
#undef IS_FUNCTION

bool quernel_i_registry_runs(const quernel_i_kernel *kernel, uint32_t usable) {
    return usable >> kernel->isa & 1 && (!kernel->vbmi || quernel_i_cpu_traits_of()->vbmi);
}

const quernel_i_kernel *quernel_i_registry_best(quernel_i_op op, uint32_t usable, int32_t a_type) {
    const quernel_i_kernel *best = NULL;
    for (const quernel_i_kernel *k = quernel_i_kernels; k->name; k++) {
        if (k->op != op || k->tiles || k->lines || !quernel_i_registry_runs(k, usable) ||
            (a_type >= 0 && k->a_type != a_type))
            continue;
        if (!best || k->isa > best->isa) best = k;
    }
    return best;
}

const quernel_i_kernel *quernel_i_registry_lines(uint32_t usable) {
    const quernel_i_kernel *all = quernel_i_registry_best(QUERNEL_I_OP_ELTWISE, usable, -1),
                           *best = NULL;
    for (const quernel_i_kernel *k = quernel_i_kernels; k->name; k++)
        if (k->lines && quernel_i_registry_runs(k, usable) && k->isa > (best ? best : all)->isa)
            best = k;
    return best;
}

const quernel_i_kernel *quernel_i_registry_oracle(const quernel_i_kernel *kernel) {
    return quernel_i_registry_best((quernel_i_op)kernel->op, 1u << QUERNEL_ISA_REF,
                                   kernel->typed ? kernel->a_type : -1);
}

const quernel_i_kernel *quernel_i_registry_named(const char *name) {
    for (const quernel_i_kernel *k = quernel_i_kernels; k->name; k++)
        if (!strcmp(k->name, name)) return k;
    return NULL;
}
