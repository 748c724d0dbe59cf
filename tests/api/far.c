// SPDX-License-Identifier: Apache-2.0
// Tensors whose lines, rows or channels lie gigabytes apart give what dense ones give: an offset
// that is kept in 32 bits, signed or not, would lead elsewhere. The memory between them is only
// reserved.
#define _DEFAULT_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fixture.h"
#include "tests.h"

#define FAR_BYTES ((size_t)5 << 30) // beyond 32 bits
enum { PARTS_MAX = 10 };            // lines of the largest output

// A tensor's memory: `parts` stretches of `bytes`, `step` apart.
typedef struct stretches {
    uint8_t *first;
    size_t parts, bytes, step;
} stretches;

static size_t span(const stretches *s) { return (s->parts - 1) * s->step + s->bytes; }

static bool reserve(stretches *s) {
    void *memory = mmap(NULL, span(s), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    s->first = memory == MAP_FAILED ? NULL : memory;
    return CHECK(s->first, "no address space of %zu bytes", span(s));
}

static void fill(const stretches *s) {
    for (size_t i = 0; i < s->parts; i++)
        for (size_t j = 0; j < s->bytes / sizeof(float); j++)
            ((float *)(void *)(s->first + i * s->step))[j] = (float)((i * 7 + j * 5) % 23) / 8 - 1;
}

// Sizes and strides of x and y, as the descriptor has them.
static void describe(fixture *f, size_t apart, stretches *x, stretches *y) {
    const size_t size = f->epilogue->y_type == QUERNEL_TYPE_F32 ? sizeof(float) : 1;
    const bool nchw = f->d.x.layout == QUERNEL_LAYOUT_NCHW, linear = f->kind == FIXTURE_LINEAR;
    *x = (stretches){.parts = nchw ? FIXTURE_IN : 5};
    *y = (stretches){.parts = nchw ? FIXTURE_OUT : f->kind == FIXTURE_DECONV2D ? PARTS_MAX : 5};
    x->bytes = f->x_count / x->parts * sizeof(float), y->bytes = f->y_count / y->parts * size;
    x->step = apart ? apart : x->bytes, y->step = apart ? apart : y->bytes;
    const int64_t x_step = (int64_t)(x->step / sizeof(float)), y_step = (int64_t)(y->step / size);
    if (linear) f->l.x_stride = x_step, f->l.y_stride = y_step;
    else if (nchw) f->d.x.stride_c = x_step, f->d.y.stride_c = y_step;
    else f->d.x.stride_h = x_step, f->d.y.stride_h = y_step;
}

// The output, its stretches one behind the other.
static void run(fixture *f, size_t apart, uint8_t *ret_y) {
    stretches x, y;
    quernel_operator *op = NULL;
    quernel_error error = {0};
    describe(f, apart, &x, &y);
    if (!CHECK(fixture_create(f, &op, &error) == QUERNEL_OK, "create: %s", error.text)) return;
    buffers b = buffers_make(op);
    if (reserve(&x) && reserve(&y)) {
        fill(&x);
        CHECK(quernel_operator_run(op, x.first, NULL, y.first, b.workspace, b.workspace_bytes, NULL,
                                   &error) == QUERNEL_OK,
              "run: %s", error.text);
        for (size_t i = 0; i < y.parts; i++)
            memcpy(ret_y + i * y.bytes, y.first + i * y.step, y.bytes);
    }
    if (x.first) munmap(x.first, span(&x));
    if (y.first) munmap(y.first, span(&y));
    buffers_free(&b);
    quernel_operator_destroy(op);
}

static void compare(fixture_kind kind, int layout, int y_type, int isa) {
    static uint8_t near_y[FIXTURE_MAX], far_y[FIXTURE_MAX];
    fixture f;
    fixture_init(&f, kind);
    if (y_type != QUERNEL_TYPE_F32) fixture_int8_output(&f, y_type);
    f.d.x.layout = f.d.y.layout = layout, f.l.isa = f.d.isa = isa;
    memset(far_y, 0x5a, sizeof far_y), memset(near_y, 0xa5, sizeof near_y);
    run(&f, 0, near_y), run(&f, FAR_BYTES, far_y);
    const size_t bytes = f.y_count * (y_type == QUERNEL_TYPE_F32 ? sizeof(float) : 1);
    CHECK(!memcmp(near_y, far_y, bytes), "%s, layout %d, output of type %d, isa %d: far is another",
          fixture_names[kind], layout, y_type, isa);
}

void test_far_tensors(void) {
    static const int types[] = {QUERNEL_TYPE_F32, QUERNEL_TYPE_U8}, isas[] = {QUERNEL_ISA_REF, -1};
    for (fixture_kind kind = 0; kind < FIXTURE_KINDS; kind++)
        for (int layout = 0; layout < (kind == FIXTURE_LINEAR ? 1 : 2); layout++)
            for (int i = 0; i < 4; i++) compare(kind, layout, types[i / 2], isas[i % 2]);
}

// As many windows as a line may have are not looked at one by one: that would take some seconds.
void test_long_pools(void) {
    quernel_pool2d_desc d = QUERNEL_POOL2D_DESC_INIT;
    d.x.tensor.n = d.x.tensor.c = d.x.tensor.h = 1, d.x.tensor.w = 1u << 30;
    d.x.tensor.type = QUERNEL_TYPE_F32, d.epilogue.y_type = QUERNEL_TYPE_F32;
    d.kernel_w = 3, d.pad_left = d.pad_right = 1;
    quernel_operator *op = NULL;
    quernel_error error = {0};
    CHECK(quernel_pool2d_create(&d, &op, &error) == QUERNEL_OK, "create: %s", error.text);
    quernel_operator_destroy(op);
}
