// SPDX-License-Identifier: Apache-2.0
// kernels.def expanded: declarations, then the list, then look-ups.
#include "registry/registry.h"

#include <string.h>

#include "quernel/cpu.h"

#define ARGUMENTS_GEMM (const quernel_i_gemm *)
#define ARGUMENTS_GEMV (const quernel_i_gemm *)
#define ARGUMENTS_CONV3X3 (const quernel_i_conv *)
#define ARGUMENTS_CONV3X3S2 ARGUMENTS_CONV3X3
#define ARGUMENTS_CONVLINES ARGUMENTS_CONV3X3
#define ARGUMENTS_CONVGROUPS ARGUMENTS_CONV3X3
#define ARGUMENTS_DEPTHWISE (const quernel_i_depthwise *)
#define ARGUMENTS_ROWS_NHWC (const quernel_i_rows *)
#define ARGUMENTS_ROWS_NCHW (const quernel_i_rows *)
#define ARGUMENTS_RANGE_NHWC (const quernel_i_range *)
#define ARGUMENTS_RANGE_NCHW (const quernel_i_range *)
#define ARGUMENTS_FINISH (const int32_t *, size_t, uint32_t, uint32_t, const quernel_i_finish *)

#define MEMBER_GEMM gemm
#define MEMBER_GEMV gemm
#define MEMBER_CONV3X3 conv
#define MEMBER_CONV3X3S2 conv
#define MEMBER_CONVLINES conv
#define MEMBER_CONVGROUPS conv
#define MEMBER_DEPTHWISE depthwise
#define MEMBER_ROWS_NHWC rows
#define MEMBER_ROWS_NCHW rows
#define MEMBER_RANGE_NHWC range
#define MEMBER_RANGE_NCHW range
#define MEMBER_FINISH finish

#define SCRATCH(function) size_t function(uint32_t groups);
#define PREPARE_GEMM(function) void function(const int8_t *panel, uint32_t groups, void *dst);
#define PREPARE_CONV(function) void function(const int8_t *panel, const quernel_i_window *window, void *dst);
#define KERNEL(op, name, isa, ISA, rows, mr, nr, kr, krev, scratch, prepare, b_group) \
    void quernel_uk_##name##_##isa ARGUMENTS_##op;
#include "kernels/kernels.def"

#define KERNEL(op, name, isa, ISA, rows, mr, nr, kr, krev, scratch, prepare, b_group)                             \
    {"quernel_uk_" #name "_" #isa, QUERNEL_I_OP_##op, QUERNEL_ISA_##ISA, QUERNEL_TYPE_##rows, mr, nr, kr, krev, \
     {.MEMBER_##op = quernel_uk_##name##_##isa}, scratch, {.any = (void (*)(void))prepare}, b_group},
const quernel_i_kernel quernel_i_kernels[] = {
#include "kernels/kernels.def"
    {0}};

const quernel_i_kernel *quernel_i_registry_best(quernel_i_op op, uint32_t usable, int32_t a_type) {
    const quernel_i_kernel *best = NULL;
    for (const quernel_i_kernel *k = quernel_i_kernels; k->name; k++) {
        if (k->op != op || !(usable >> k->isa & 1) || (a_type >= 0 && k->a_type != a_type)) continue;
        if (!best || k->isa > best->isa) best = k;
    }
    return best;
}

const quernel_i_kernel *quernel_i_registry_named(const char *name) {
    for (const quernel_i_kernel *k = quernel_i_kernels; k->name; k++)
        if (!strcmp(k->name, name)) return k;
    return NULL;
}
