// SPDX-License-Identifier: Apache-2.0
// Descriptors of all that is no product under libFuzzer: eltwise, pool2d, resize2d, shuffle2d,
// normalize.
#include "operate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static const uint32_t most[4] = {2, 40, 12, 16};
// Of an output that no kind makes larger.
static const uint32_t most_written[4] = {2, 40, 60, 80};

static int create_eltwise(const void *desc, quernel_operator **ret_op, quernel_error *error) {
    return quernel_eltwise_create(desc, ret_op, error);
}
static int create_pool2d(const void *desc, quernel_operator **ret_op, quernel_error *error) {
    return quernel_pool2d_create(desc, ret_op, error);
}
static int create_resize2d(const void *desc, quernel_operator **ret_op, quernel_error *error) {
    return quernel_resize2d_create(desc, ret_op, error);
}
static int create_shuffle2d(const void *desc, quernel_operator **ret_op, quernel_error *error) {
    return quernel_shuffle2d_create(desc, ret_op, error);
}

static int create_normalize(const void *desc, quernel_operator **ret_op, quernel_error *error) {
    return quernel_normalize_create(desc, ret_op, error);
}

// Sizes of y are inferred, or what the source says.
static void draw_y(source *s, quernel_tensor *y, const quernel_epilogue *f) {
    y->type = f->y_type;
    if (source_one_in(s, 32)) y->n = source_size(s, 2), y->c = source_size(s, 4);
    source_tensor(s, y, most_written);
}

static void fuzz_eltwise(source *s) {
    quernel_eltwise_desc d = QUERNEL_ELTWISE_DESC_INIT;
    d.kind = source_choice(s, QUERNEL_ELTWISE_LOOKUP + 1);
    d.size = source_struct(s, sizeof d);
    source_operand(s, &d.x, most), source_operand(s, &d.z, most);
    quernel_tensor *z = &d.z.tensor, *x = &d.x.tensor;
    const uint32_t of_x[] = {x->n, x->c, x->h, x->w};
    uint32_t *const of_z[] = {&z->n, &z->c, &z->h, &z->w};
    for (int i = 0; i < 4; i++) // like x, or the same along this axis
        if (!source_one_in(s, 16)) *of_z[i] = source_one_in(s, 3) ? 1 : of_x[i];
    d.z.scales = source_one_in(s, 4) ? source_scales(s, z->c) : NULL;
    source_epilogue(s, &d.epilogue, x->c, false);
    draw_y(s, &d.y, &d.epilogue);
    if (d.kind == QUERNEL_ELTWISE_LOOKUP || source_one_in(s, 32)) {
        d.tables = source_odd(s, source_one_in(s, 2) ? x->c : 1);
        d.table = source_array(s, 256 * (uint64_t)d.tables);
    }
    d.threads = source_odd(s, source_below(s, 4)), d.isa = source_isa(s);
    d.allocator = &s->allocator;
    operate(s,
            &(operate_subject){create_eltwise, &d, sizeof d, &d.isa, NULL, d.x.zero, .depth = 1});
}

static void fuzz_pool2d(source *s) {
    quernel_pool2d_desc d = QUERNEL_POOL2D_DESC_INIT;
    d.kind = source_choice(s, QUERNEL_POOL2D_GLOBAL + 1);
    d.size = source_struct(s, sizeof d);
    source_operand(s, &d.x, most);
    source_epilogue(s, &d.epilogue, d.x.tensor.c, false);
    draw_y(s, &d.y, &d.epilogue);
    uint32_t *const window[] = {&d.kernel_h, &d.kernel_w,   &d.stride_h,
                                &d.stride_w, &d.dilation_h, &d.dilation_w};
    for (int i = 0; i < 6; i++) *window[i] = source_size(s, 4);
    uint32_t *const pads[] = {&d.pad_top, &d.pad_left, &d.pad_bottom, &d.pad_right};
    for (int i = 0; i < 4; i++) *pads[i] = source_odd(s, source_below(s, 3));
    d.ceil_mode = source_choice(s, 2);
    d.threads = source_odd(s, source_below(s, 4)), d.isa = source_isa(s);
    d.allocator = &s->allocator;
    operate(s, &(operate_subject){create_pool2d, &d, sizeof d, &d.isa, NULL, d.x.zero,
                                  .depth = (uint64_t)d.kernel_h * d.kernel_w});
}

// Of `size` lines (or pixels), from `from` ones.
static quernel_resize2d_axis draw_axis(source *s, uint32_t size, uint32_t from) {
    quernel_resize2d_axis a = {source_odd(s, 1 + (source_one_in(s, 2) ? source_below(s, 4) : 0)),
                               NULL, NULL};
    const uint64_t count = (uint64_t)size * a.taps;
    if (count > SOURCE_CHANNELS_MAX) return a;
    uint32_t *index = source_array(s, count * sizeof *index);
    for (uint64_t i = 0; index && i < count; i++)
        index[i] = index[i] % 31 == 30 ? QUERNEL_RESIZE2D_PAD : index[i] % (from ? from : 1);
    if (index && source_one_in(s, 32)) index[source_below(s, (uint32_t)count)] = source_odd(s, 0);
    a.index = index;
    if (a.taps > 1 || source_one_in(s, 2)) a.weight = source_scales(s, (uint32_t)count);
    return a;
}

static void fuzz_resize2d(source *s) {
    quernel_resize2d_desc d = QUERNEL_RESIZE2D_DESC_INIT;
    d.size = source_struct(s, sizeof d);
    source_operand(s, &d.x, most);
    source_epilogue(s, &d.epilogue, d.x.tensor.c, false);
    draw_y(s, &d.y, &d.epilogue);
    d.y.h = source_size(s, 24), d.y.w = source_size(s, 30);
    d.lines = draw_axis(s, d.y.h, d.x.tensor.h), d.pixels = draw_axis(s, d.y.w, d.x.tensor.w);
    d.pad = source_scale(s);
    d.threads = source_odd(s, source_below(s, 4)), d.isa = source_isa(s);
    d.allocator = &s->allocator;
    operate(s, &(operate_subject){create_resize2d, &d, sizeof d, &d.isa, NULL, d.x.zero,
                                  .depth = (uint64_t)d.lines.taps * d.pixels.taps});
}

static void draw_from(source *s, quernel_shuffle2d_desc *d) {
    const uint64_t blocks = (uint64_t)d->block_h * d->block_w,
                   count = d->gather                      ? d->y.c
                           : blocks > SOURCE_CHANNELS_MAX ? 0
                                                          : blocks * d->y.c;
    if (count > SOURCE_CHANNELS_MAX) return;
    uint32_t *from = source_array(s, count * sizeof *from);
    const uint64_t range = (d->gather ? blocks : 1) * d->x.c;
    for (uint64_t i = 0; from && range && i < count; i++) from[i] = (uint32_t)(from[i] % range);
    if (from && source_one_in(s, 32)) from[source_below(s, (uint32_t)count)] = source_odd(s, 0);
    d->from = from;
}

static void fuzz_shuffle2d(source *s) {
    quernel_shuffle2d_desc d = QUERNEL_SHUFFLE2D_DESC_INIT;
    quernel_operand x = QUERNEL_OPERAND_INIT;
    d.size = source_struct(s, sizeof d);
    d.gather = source_choice(s, 2);
    source_operand(s, &x, most);
    d.x = x.tensor;
    if (source_one_in(s, 8)) d.x.type = source_choice(s, QUERNEL_TYPE_U8 + 1);
    d.y.type = (int32_t)source_odd(s, (uint32_t)d.x.type);
    source_tensor(s, &d.y, most_written);
    d.y.c = source_size(s, 40);
    d.block_h = source_size(s, 3), d.block_w = source_size(s, 3);
    if (d.gather && !source_one_in(s, 8)) d.x.h = d.block_h * 4, d.x.w = d.block_w * 5;
    draw_from(s, &d);
    d.border = (uint8_t)source_byte(s);
    d.threads = source_odd(s, source_below(s, 4));
    d.allocator = &s->allocator;
    operate(s, &(operate_subject){create_shuffle2d, &d, sizeof d, NULL, NULL, 0, .depth = 1});
}

static void fuzz_normalize(source *s) {
    quernel_normalize_desc d = QUERNEL_NORMALIZE_DESC_INIT;
    d.kind = source_choice(s, QUERNEL_NORMALIZE_RMS + 1);
    d.size = source_struct(s, sizeof d);
    source_operand(s, &d.x, most);
    source_epilogue(s, &d.epilogue, d.x.tensor.c, false);
    draw_y(s, &d.y, &d.epilogue);
    d.gamma = source_one_in(s, 2) ? source_scales(s, d.x.tensor.c) : NULL;
    d.beta = source_one_in(s, 2) ? source_scales(s, d.x.tensor.c) : NULL;
    d.epsilon = source_scale(s);
    d.threads = source_odd(s, source_below(s, 4)), d.isa = source_isa(s);
    d.allocator = &s->allocator;
    operate(s,
            &(operate_subject){create_normalize, &d, sizeof d, &d.isa, NULL, d.x.zero, .depth = 1});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    source s;
    source_open(&s, data, bytes);
    switch (source_below(&s, 5)) {
    case 0: fuzz_eltwise(&s); break;
    case 1: fuzz_pool2d(&s); break;
    case 2: fuzz_resize2d(&s); break;
    case 4: fuzz_normalize(&s); break;
    default: fuzz_shuffle2d(&s);
    }
    source_close(&s);
    return 0;
}
