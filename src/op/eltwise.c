// SPDX-License-Identifier: Apache-2.0
// Element by element: creation of the operator.
#include "quernel/eltwise.h"

#include <string.h>

#include "base/desc.h"
#include "base/error.h"
#include "base/text.h"
#include "cpu/cpu.h"
#include "cpu/fpenv.h"
#include "cpu/machine.h"
#include "exec/eltwise.h"
#include "op/operand.h"
#include "op/operator.h"
#include "op/validate.h"
#include "registry/registry.h"

#define WHERE "eltwise"
#define DESC QUERNEL_I_DESC(quernel_eltwise_desc, QUERNEL_ELTWISE_DESC_MIN, WHERE, "size")

enum { CODES = QUERNEL_I_ELTWISE_TABLE }; // of a byte: entries of a table

typedef struct eltwise {
    quernel_operator base;
    quernel_i_eltwise_work work;
} eltwise;

static void run(const quernel_operator *op, const quernel_i_operator_call *call) {
    const quernel_i_eltwise_buffers buffers = {call->x, call->residual, call->y};
    quernel_i_eltwise_run(&((const eltwise *)op)->work, &buffers, call->parallel);
}

static size_t explain(const quernel_operator *op, char *text, size_t capacity) {
    const quernel_i_eltwise_work *w = &((const eltwise *)op)->work;
    if (capacity) *text = 0;
    return quernel_i_text_add(text, capacity, 0, "kernel=%s%s%s rows=%u columns=%u tasks=%u",
                              w->kernel->name, w->lines ? " lines=" : "",
                              w->lines ? w->lines->name : "", w->nest.rows, w->nest.columns,
                              w->nest.tasks);
}

static const quernel_i_operator_kind kind = {run, explain, NULL, NULL};

static bool two_operands(const quernel_eltwise_desc *d) {
    return d->kind >= QUERNEL_ELTWISE_ADD && d->kind <= QUERNEL_ELTWISE_DIV;
}

static int check_lookup(const quernel_eltwise_desc *d, quernel_error *error) {
    if (!d->table) return quernel_i_error_null(error, WHERE, "table");
    if (!quernel_i_validate_int8(d->x.tensor.type))
        return quernel_i_validate_refuse(error, WHERE, "x.type", "of a look-up must be s8 or u8");
    if (!quernel_i_validate_int8(d->epilogue.y_type))
        return quernel_i_validate_refuse(error, WHERE, "epilogue.y_type",
                                         "of a look-up must be s8 or u8");
    if (d->epilogue.activation)
        return quernel_i_validate_refuse(error, WHERE, "epilogue.activation",
                                         "a look-up has none: it belongs into the table");
    if (d->tables != 1 && d->tables != d->x.tensor.c)
        return quernel_i_error_set(error, QUERNEL_E_SHAPE, "tables", -1,
                                   WHERE ": tables: %u: must be 1 or x.c", d->tables);
    return QUERNEL_OK;
}

static int check_broadcast(const quernel_tensor *z, const quernel_tensor *y, quernel_error *error) {
    const uint32_t have[] = {z->n, z->c, z->h, z->w}, want[] = {y->n, y->c, y->h, y->w};
    for (int i = 0; i < 4; i++)
        if (have[i] != 1 && have[i] != want[i])
            return quernel_i_error_set(error, QUERNEL_E_SHAPE, "z", -1,
                                       WHERE ": z.%c: %u: must be 1 or y's, %u", "nchw"[i], have[i],
                                       want[i]);
    return QUERNEL_OK;
}

// Sizes that are left open, and what the operands and the epilogue say.
static int check(quernel_eltwise_desc *d, quernel_error *error) {
    int code = quernel_i_check_range(error, QUERNEL_E_VALUE, WHERE, "kind", d->kind, 0,
                                     QUERNEL_ELTWISE_LOOKUP);
    quernel_tensor *x = &d->x.tensor, *z = &d->z.tensor;
    if (!code) code = quernel_i_operator_fill_sizes(&d->y, x, WHERE, "y", error);
    if (!code) code = quernel_i_operand_check(&d->x, WHERE, "x", error);
    if (!code && d->kind == QUERNEL_ELTWISE_LOOKUP) code = check_lookup(d, error);
    if (!code && two_operands(d)) {
        if (!z->n && !z->c && !z->h && !z->w) z->n = x->n, z->c = x->c, z->h = x->h, z->w = x->w;
        code = check_broadcast(z, x, error);
        if (!code) code = quernel_i_operand_check(&d->z, WHERE, "z", error);
    }
    return code ? code : quernel_i_operand_check_epilogue(&d->epilogue, WHERE, x->c, error);
}

// Elements between pixels along a line of y, or between lines of one pixel; 1 where the tensor has
// one for all; 0 where y has one pixel.
static int64_t pixel_stride(const quernel_tensor *t, const quernel_tensor *y) {
    if (y->w > 1) return t->w > 1 ? t->stride_w : 1;
    if (y->h > 1) return t->h > 1 ? t->stride_h : 1;
    return 0;
}

// Channels outside of lines and pixels: where these lie side by side everywhere.
static bool is_planes(const quernel_operator *op) {
    return pixel_stride(&op->y, &op->y) == 1 && pixel_stride(&op->x, &op->y) == 1 &&
           (!op->has_residual || pixel_stride(&op->residual, &op->y) == 1);
}

static bool is_apart(const quernel_tensor *t) { return t->c > 1 && t->stride_c != 1; }

static bool is_turned(const quernel_operator *op) {
    return is_apart(&op->y) || is_apart(&op->x) || (op->has_residual && is_apart(&op->residual));
}

static bool is_by_channel(const quernel_eltwise_desc *d) {
    if (d->kind == QUERNEL_ELTWISE_LOOKUP) return d->tables > 1;
    return quernel_i_operand_by_channel(&d->x) ||
           (two_operands(d) && quernel_i_operand_by_channel(&d->z)) ||
           quernel_i_operand_epilogue_by_channel(&d->epilogue);
}

// One code is one result: the values need not be looked at.
static bool is_lookup(const quernel_eltwise_desc *d, bool by_channel) {
    return d->kind == QUERNEL_ELTWISE_LOOKUP || (d->kind == QUERNEL_ELTWISE_COPY && !by_channel &&
                                                 quernel_i_validate_int8(d->x.tensor.type) &&
                                                 quernel_i_validate_int8(d->epilogue.y_type));
}

// Floats of channels apart become codes of channels side by side: what entries of networks are.
static bool is_entry(const quernel_eltwise_desc *d, const quernel_operator *op) {
    return d->kind == QUERNEL_ELTWISE_COPY && op->x.type == QUERNEL_TYPE_F32 &&
           quernel_i_validate_int8(op->y.type) && !d->epilogue.activation && op->y.c > 1 &&
           op->y.stride_c == 1 && pixel_stride(&op->x, &op->y) == 1 && !is_planes(op);
}

// Codes of channels side by side become floats of channels apart: exits of networks.
static bool is_exit(const quernel_eltwise_desc *d, const quernel_operator *op) {
    return d->kind == QUERNEL_ELTWISE_COPY && quernel_i_validate_int8(op->x.type) &&
           op->y.type == QUERNEL_TYPE_F32 && !d->epilogue.activation && op->y.c > 1 &&
           op->x.stride_c == 1 && pixel_stride(&op->y, &op->y) == 1 && !is_planes(op);
}

static quernel_i_op op_of(const quernel_eltwise_desc *d, const quernel_operator *op) {
    if (is_lookup(d, is_by_channel(d))) return QUERNEL_I_OP_LOOKUP;
    if (is_exit(d, op)) return QUERNEL_I_OP_EPILOGUE;
    return is_entry(d, op) ? QUERNEL_I_OP_QUANTIZE_NCHW : QUERNEL_I_OP_ELTWISE;
}

// Which kernel, and over which loops.
static int plan(eltwise *made, const quernel_eltwise_desc *d, quernel_error *error) {
    quernel_operator *op = &made->base;
    quernel_i_eltwise_work *w = &made->work;
    const bool planes = is_planes(op);
    const quernel_i_op kernel = op_of(d, op);
    // Where channels are columns that lie apart, kernels turn tiles, with tables along columns.
    const bool columns = kernel == QUERNEL_I_OP_QUANTIZE_NCHW || kernel == QUERNEL_I_OP_EPILOGUE ||
                         (kernel == QUERNEL_I_OP_ELTWISE && !planes && is_turned(op));
    const bool by_channel = is_by_channel(d) || columns;
    w->nest = quernel_i_nest_make(&op->y, &op->x, op->has_residual ? &op->residual : NULL, planes,
                                  by_channel);
    if (!w->nest.blocks)
        return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, "y", -1,
                                   WHERE ": y: too many elements");
    w->kernel = quernel_i_registry_best(kernel, quernel_i_operator_usable(d->isa), -1);
    if (kernel == QUERNEL_I_OP_ELTWISE)
        w->lines = quernel_i_registry_lines(quernel_i_operator_usable(d->isa));
    w->combine = d->kind == QUERNEL_ELTWISE_LOOKUP ? QUERNEL_I_COMBINE_COPY : d->kind;
    w->y = op->y, w->border = (uint8_t)d->epilogue.y_zero;
    return QUERNEL_OK;
}

// What each code becomes, by the kernel that works on values.
static void fill_codes(const quernel_i_eltwise_work *w, uint32_t usable, uint8_t *table) {
    uint8_t codes[CODES];
    for (uint32_t i = 0; i < CODES; i++) codes[i] = (uint8_t)i;
    quernel_i_epilogue f = w->epilogue;
    f.y = table, f.y_row = CODES, f.y_col = 1;
    quernel_i_eltwise call = {.rows = 1, .columns = CODES, .x = w->x, .epilogue = &f};
    call.x.at = codes, call.x.row = CODES, call.x.col = 1;
    quernel_i_registry_best(QUERNEL_I_OP_ELTWISE, usable, -1)->run.eltwise(&call);
}

static bool is_identity(const uint8_t *table, uint32_t tables) {
    for (size_t i = 0; i < (size_t)tables * CODES; i++)
        if (table[i] != i % CODES) return false;
    return true;
}

// Of an exit: t = steps·scale + 0.
static void fill_exit(quernel_i_eltwise_work *w, uint32_t tables, quernel_i_layout *block) {
    const size_t count = quernel_i_round_up(tables, 16); // that epilogues read
    float *scale = quernel_i_take(block, count, sizeof *scale),
          *bias = quernel_i_take(block, count, sizeof *bias);
    for (uint32_t n = 0; block->base && n < tables; n++)
        scale[n] = w->x.scales ? w->x.scales[n] : w->x.scale, bias[n] = 0.0f;
    w->epilogue.scale = scale, w->epilogue.bias = bias;
    const uint64_t elements = (uint64_t)w->y.n * w->y.c * w->y.h * w->y.w;
    w->epilogue.past_caches =
        quernel_i_machine_past(quernel_i_cpu()->l2_bytes, elements * sizeof(float));
}

// Takes the tables of an operator from `block` and, where it has a base, fills them.
static void fill(quernel_i_eltwise_work *w, const quernel_eltwise_desc *d,
                 quernel_i_layout *block) {
    const quernel_i_nest_dim *dims = w->nest.dims;
    bool by_channel = false;
    for (int i = 0; i < QUERNEL_I_NEST_DIMS; i++)
        by_channel |= dims[i].step[QUERNEL_I_NEST_TABLES] != 0;
    const uint32_t tables = by_channel ? d->x.tensor.c : 1;
    w->x = quernel_i_operand_elements(&d->x, tables, block);
    if (two_operands(d)) w->z = quernel_i_operand_elements(&d->z, tables, block);
    w->epilogue = quernel_i_operand_epilogue(&d->epilogue, tables, block);
    if (w->kernel->call == QUERNEL_I_CALL_EPILOGUE) fill_exit(w, tables, block);
    if (w->kernel->call != QUERNEL_I_CALL_LOOKUP) return;
    const uint32_t given = d->kind == QUERNEL_ELTWISE_LOOKUP ? d->tables : 1;
    uint8_t *table = quernel_i_take(block, given, CODES);
    if (!block->base) return;
    if (d->kind == QUERNEL_ELTWISE_LOOKUP) memcpy(table, d->table, (size_t)given * CODES);
    else fill_codes(w, quernel_i_operator_usable(d->isa), table);
    w->table = is_identity(table, given) ? NULL : table;
}

static int allocate(eltwise *made, const quernel_eltwise_desc *d, const quernel_i_request *request,
                    quernel_operator **ret_op, quernel_error *error) {
    quernel_i_layout block = {0};
    quernel_i_take(&block, 1, sizeof *made);
    fill(&made->work, d, &block);
    if (block.overflow)
        return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, "x", -1,
                                   WHERE ": x: the tables' size overflows");
    const int code =
        quernel_i_operator_allocate(&made->base, sizeof *made, request, &block, ret_op, error);
    if (!code) fill(&((eltwise *)*ret_op)->work, d, &block);
    return code;
}

static int create(quernel_eltwise_desc *d, quernel_operator **ret_op, quernel_error *error) {
    const quernel_i_request request = {d->isa, NULL, d->allocator};
    int code = quernel_i_operator_check_request(&request, WHERE, d->threads, error);
    if (!code) code = check(d, error);
    if (code) return code;
    d->y.type = d->epilogue.y_type;
    eltwise made = {.base = {.kind = &kind,
                             .where = WHERE,
                             .x = d->x.tensor,
                             .residual = d->z.tensor,
                             .y = d->y,
                             .has_residual = two_operands(d),
                             .x_in_place = true,
                             .residual_name = "z",
                             .threads = d->threads}};
    code = quernel_i_operator_complete(&made.base, error);
    if (!code) code = plan(&made, d, error);
    return code ? code : allocate(&made, d, &request, ret_op, error);
}

int quernel_eltwise_create(const quernel_eltwise_desc *desc, quernel_operator **ret_op,
                           quernel_error *error) {
    if (!desc) return quernel_i_error_null(error, WHERE, "desc");
    if (!ret_op) return quernel_i_error_null(error, WHERE, "ret_op");
    quernel_eltwise_desc d = QUERNEL_ELTWISE_DESC_INIT;
    const int code = quernel_i_desc_read(DESC, &d, desc, error);
    if (code) return code;
    const quernel_i_fpenv caller = quernel_i_fpenv_enter();
    const int created = create(&d, ret_op, error);
    quernel_i_fpenv_leave(caller);
    return created;
}
