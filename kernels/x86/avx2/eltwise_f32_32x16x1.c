// SPDX-License-Identifier: Apache-2.0
// Element by element for AVX2. Sums and products of lines take one pass (eltwise_spans.h). All else
// goes through a tile of 32 x 16 floats in L1: the operands' values, what is made of them, and what
// the epilogue makes of that.
#include "elements.h"
#include "spans.h"

#include "kernels/x86/eltwise_spans.h"

static void combine(int32_t how, const float *z, uint32_t count, float *t) {
#define EACH(f)                                                                  \
    for (uint32_t i = 0; i < count; i += 8)                                      \
        _mm256_store_ps(t + i, f(_mm256_load_ps(t + i), _mm256_load_ps(z + i))); \
    break;
    switch (how) {
    case QUERNEL_I_COMBINE_ADD: EACH(_mm256_add_ps)
    case QUERNEL_I_COMBINE_SUB: EACH(_mm256_sub_ps)
    case QUERNEL_I_COMBINE_MUL: EACH(_mm256_mul_ps)
    default: EACH(_mm256_div_ps)
    }
#undef EACH
}

static void eltwise_tile(const epilogue_tile *t, const quernel_i_epilogue *f, int32_t how,
                         const elements *x, const elements *z) {
    float other[EPILOGUE_ROWS_MAX * EPILOGUE_NR] __attribute__((aligned(32)));
    elements_load(x, t->rows, t->oc, epilogue_floats(t));
    if (how != QUERNEL_I_COMBINE_COPY) {
        elements_load(z, t->rows, t->oc, other);
        combine(how, other, t->rows * EPILOGUE_NR, epilogue_floats(t));
    }
    epilogue_run_values(t, f);
}

void quernel_uk_eltwise_f32_32x16x1_avx2(const quernel_i_eltwise *e);
void quernel_uk_eltwise_f32_32x16x1_avx2(const quernel_i_eltwise *e) {
    if (quernel_i_eltwise_lines(e)) span_eltwise(e);
    else eltwise_tiles(e);
}
