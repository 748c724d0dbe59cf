// SPDX-License-Identifier: Apache-2.0
// Loops: joined where strides allow it, and cut into tasks.
#include "exec/nest.h"

// COLUMNS, AREA: elements of a block's row, and of a task: some microseconds, tens of KiB of each
// tensor. A block's row of whole cache lines, whatever the element.
enum { COLUMNS = 16384, AREA = 16384 };

enum { N, C, H, W };

static uint32_t size_of(const quernel_tensor *t, int dim) {
    const uint32_t sizes[] = {[N] = t->n, [C] = t->c, [H] = t->h, [W] = t->w};
    return sizes[dim];
}

// 0 where all of y's elements along the dimension meet the same one.
static ptrdiff_t step_of(const quernel_tensor *t, int dim) {
    if (!t || size_of(t, dim) == 1) return 0;
    const int64_t strides[] = {
        [N] = t->stride_n, [C] = t->stride_c, [H] = t->stride_h, [W] = t->stride_w};
    return (ptrdiff_t)(strides[dim] * (int64_t)quernel_type_size((quernel_type)t->type));
}

// Whether all steps over `outer` are those over the whole of `inner`.
static bool joins(const quernel_i_nest_dim *outer, const quernel_i_nest_dim *inner) {
    if ((uint64_t)outer->size * inner->size > INT32_MAX) return false;
    for (int i = 0; i < QUERNEL_I_NEST_THINGS; i++)
        if (outer->step[i] != inner->step[i] * (ptrdiff_t)inner->size) return false;
    return true;
}

// Puts a dimension around those from dims[first] on; returns the first one then.
static int surround(quernel_i_nest *nest, int first, const quernel_i_nest_dim *dim) {
    if (dim->size == 1) return first;
    quernel_i_nest_dim *inner = &nest->dims[first];
    if (first < QUERNEL_I_NEST_DIMS && joins(dim, inner)) {
        inner->size *= dim->size;
        return first;
    }
    nest->dims[first - 1] = *dim;
    return first - 1;
}

static uint32_t pieces(uint32_t count, uint32_t piece) { return (count - 1) / piece + 1; }

static void cut(quernel_i_nest *nest) {
    const quernel_i_nest_dim *d = nest->dims;
    nest->columns = d[3].size < COLUMNS ? d[3].size : COLUMNS;
    const uint32_t rows = AREA / nest->columns ? AREA / nest->columns : 1;
    nest->rows = d[2].size < rows ? d[2].size : rows;
    const uint64_t blocks = (uint64_t)d[0].size * d[1].size * pieces(d[2].size, nest->rows) *
                            pieces(d[3].size, nest->columns);
    nest->blocks = blocks < UINT32_MAX ? (uint32_t)blocks : 0; // checked by who makes it
    nest->blocks_of_task = AREA / (nest->rows * nest->columns);
    if (!nest->blocks_of_task) nest->blocks_of_task = 1;
    nest->tasks = nest->blocks ? pieces(nest->blocks, nest->blocks_of_task) : 0;
}

quernel_i_nest quernel_i_nest_make(const quernel_tensor *y, const quernel_tensor *x,
                                   const quernel_tensor *z, bool planes, bool by_channel) {
    static const int inside[] = {C, W, H, N}, outside[] = {W, H, C, N};
    quernel_i_nest nest = {0};
    int first = QUERNEL_I_NEST_DIMS;
    for (int i = 0; i < QUERNEL_I_NEST_DIMS; i++) {
        const int dim = planes ? outside[i] : inside[i];
        const quernel_i_nest_dim d = {
            size_of(y, dim),
            {step_of(y, dim), step_of(x, dim), step_of(z, dim), by_channel && dim == C}};
        first = surround(&nest, first, &d);
    }
    for (int i = 0; i < first; i++) nest.dims[i].size = 1;
    cut(&nest);
    return nest;
}

quernel_i_nest_block quernel_i_nest_at(const quernel_i_nest *nest, uint32_t index) {
    const quernel_i_nest_dim *d = nest->dims;
    uint32_t at[QUERNEL_I_NEST_DIMS];
    const uint32_t columns = pieces(d[3].size, nest->columns), rows = pieces(d[2].size, nest->rows);
    at[3] = index % columns * nest->columns, index /= columns;
    at[2] = index % rows * nest->rows, index /= rows;
    at[1] = index % d[1].size, at[0] = index / d[1].size;
    quernel_i_nest_block b = {0};
    b.columns = d[3].size - at[3] < nest->columns ? d[3].size - at[3] : nest->columns;
    b.rows = d[2].size - at[2] < nest->rows ? d[2].size - at[2] : nest->rows;
    for (int i = 0; i < QUERNEL_I_NEST_DIMS; i++)
        for (int k = 0; k < QUERNEL_I_NEST_THINGS; k++)
            b.offset[k] += (ptrdiff_t)at[i] * d[i].step[k];
    return b;
}
