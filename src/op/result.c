// SPDX-License-Identifier: Apache-2.0
// Tables of results.
#include "op/result.h"

#include "op/operand.h"
#include "op/validate.h"
#include "registry/registry.h"

bool quernel_i_result_keeps_elements(const quernel_operand *x, const quernel_epilogue *f) {
    const bool narrows = f->y_type == QUERNEL_TYPE_S8 && f->y_narrow;
    if (x->tensor.type != f->y_type || f->activation) return false;
    if (!quernel_i_validate_int8(f->y_type)) return true;
    if (narrows || x->zero != f->y_zero) return false;
    for (uint32_t n = 0; n < x->tensor.c; n++)
        if ((x->scales ? x->scales[n] : x->scale) !=
            (f->y_smooth ? f->y_scale * f->y_smooth[n] : f->y_scale))
            return false;
    return true;
}

quernel_i_result quernel_i_result_make(const quernel_operand *x, const quernel_epilogue *f,
                                       const quernel_tensor *y, uint32_t usable,
                                       quernel_i_layout *block) {
    quernel_i_result r = {
        .eltwise = quernel_i_registry_best(QUERNEL_I_OP_ELTWISE, usable, -1),
        .epilogue = quernel_i_registry_best(QUERNEL_I_OP_EPILOGUE, usable, -1),
        .x = quernel_i_operand_elements(x, y->c, block),
        .output = quernel_i_operand_epilogue(f, y->c, block),
        .y = *y,
    };
    if (!quernel_i_validate_int8(x->tensor.type)) return r;
    const size_t count = quernel_i_round_up(y->c, 16); // as ukr.h says
    float *scales = quernel_i_take(block, count, sizeof *scales);
    r.zeros = quernel_i_take(block, count, sizeof *r.zeros);
    for (uint32_t n = 0; scales && n < y->c; n++) scales[n] = x->scales ? x->scales[n] : x->scale;
    r.scales = scales;
    return r;
}
