// SPDX-License-Identifier: Apache-2.0
// Small legal descriptors, and buffers to run them in.
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

enum { POISON = 0x5a, BUFFER_BYTES = FIXTURE_MAX * 4 };

const char *const fixture_names[FIXTURE_KINDS] = {"linear", "conv2d", "deconv2d"};

static void fill_arrays(fixture *f) {
    for (int i = 0; i < 512; i++) f->data[i] = (float)(i * 37 % 64 - 31) / 32.0f;
    for (int i = 0; i < 64; i++) f->smooth[i] = 1.0f + (float)(i % 3) * 0.5f;
    for (int i = 0; i < FIXTURE_ROWS; i++) f->row_scale[i] = 0.02f;
    for (int i = 0; i < FIXTURE_OUT; i++) {
        f->scale[i] = 0.01f + 0.001f * (float)i;
        f->bias[i] = (float)i - 1.5f;
        f->slopes[i] = 0.1f * (float)i;
        f->zero[i] = i;
        f->bias32[i] = 100 * i;
    }
}

void fixture_init(fixture *f, fixture_kind kind) {
    *f = (fixture){.kind = kind,
                   .w = QUERNEL_WEIGHTS_DESC_INIT,
                   .l = QUERNEL_LINEAR_DESC_INIT,
                   .d = QUERNEL_CONV2D_DESC_INIT};
    fill_arrays(f);
    f->w.kind = kind == FIXTURE_LINEAR   ? QUERNEL_WEIGHTS_LINEAR
                : kind == FIXTURE_CONV2D ? QUERNEL_WEIGHTS_CONV2D
                                         : QUERNEL_WEIGHTS_DECONV2D;
    f->w.in = FIXTURE_IN;
    f->w.out = FIXTURE_OUT;
    f->w.data = f->data;
    f->quant = kind == FIXTURE_LINEAR ? &f->l.quant : &f->d.quant;
    f->epilogue = kind == FIXTURE_LINEAR ? &f->l.epilogue : &f->d.epilogue;
    f->quant->scale = 0.02f;
    f->quant->zero = 128;
    f->l.m = FIXTURE_ROWS;
    f->d.x.n = 1;
    f->d.x.c = FIXTURE_IN;
    f->d.x.h = 5;
    f->d.x.w = 7;
    f->x_count = kind == FIXTURE_LINEAR ? FIXTURE_ROWS * FIXTURE_IN : FIXTURE_IN * 5 * 7;
    f->y_count = kind == FIXTURE_LINEAR ? FIXTURE_ROWS * FIXTURE_OUT : FIXTURE_OUT * 5 * 7;
    if (kind == FIXTURE_CONV2D) {
        f->w.groups = 2;
        f->w.kernel_h = f->w.kernel_w = 3;
        f->d.pad_top = f->d.pad_left = f->d.pad_bottom = f->d.pad_right = 1;
    }
    if (kind == FIXTURE_DECONV2D) {
        f->w.kernel_h = f->w.kernel_w = f->d.stride_h = f->d.stride_w = 2;
        f->y_count *= 4;
    }
}

void fixture_int8_output(fixture *f, int type) {
    f->epilogue->y_type = type;
    f->d.y.type = type;
    f->epilogue->y_scale = 0.05f;
}

int fixture_create_op(const fixture *f, quernel_operator **op, quernel_error *error) {
    if (f->kind == FIXTURE_LINEAR) return quernel_linear_create(&f->l, op, error);
    if (f->kind == FIXTURE_CONV2D) return quernel_conv2d_create(&f->d, op, error);
    return quernel_deconv2d_create(&f->d, op, error);
}

int fixture_create(fixture *f, quernel_operator **op, quernel_error *error) {
    quernel_weights *weights = NULL;
    f->w.allocator = f->l.allocator = f->d.allocator = f->allocator;
    const int packed = quernel_weights_pack(&f->w, &weights, error);
    if (packed != QUERNEL_OK) return packed;
    f->l.weights = f->d.weights = weights;
    const int created = fixture_create_op(f, op, error);
    quernel_weights_release(weights);
    f->l.weights = f->d.weights = NULL;
    return created;
}

void expect_refusal(int code, const quernel_error *error, refusal wanted, const char *what) {
    CHECK(code == wanted.status, "%s: returned %s, expected %s (%s)", what,
          quernel_status_string(code), quernel_status_string(wanted.status), error->text);
    if (code == QUERNEL_OK) return;
    const char *dot = strrchr(wanted.argument, '.');
    const char *member = dot ? dot + 1 : wanted.argument;
    CHECK(error->code == code, "%s: error.code is %d", what, error->code);
    CHECK(strcmp(error->argument, wanted.argument) == 0,
          "%s: error.argument is \"%s\", expected \"%s\" (%s)", what, error->argument,
          wanted.argument, error->text);
    CHECK(error->index == wanted.index, "%s: error.index is %d, expected %d (%s)", what,
          error->index, wanted.index, error->text);
    CHECK(strstr(error->text, member), "%s: \"%s\" does not name %s", what, error->text, member);
    CHECK(!strchr(error->text, '\n'), "%s: the text has a newline", what);
    if (wanted.value) {
        CHECK(strstr(error->text, wanted.value), "%s: \"%s\" does not say %s", what, error->text,
              wanted.value);
    }
}

static void *aligned(size_t bytes) {
    void *memory = aligned_alloc(64, (bytes + 127) / 64 * 64);
    if (!memory) abort();
    memset(memory, POISON, bytes);
    return memory;
}

buffers buffers_make(const quernel_operator *op) {
    // a test takes x for it
    const size_t bytes = quernel_operator_workspace(op),
                 x_bytes = bytes > BUFFER_BYTES ? bytes : BUFFER_BYTES;
    buffers b = {aligned(x_bytes), aligned(BUFFER_BYTES), aligned(BUFFER_BYTES), NULL, bytes};
    b.workspace = aligned(b.workspace_bytes);
    return b;
}

void buffers_free(buffers *b) {
    free(b->x);
    free(b->residual);
    free(b->y);
    free(b->workspace);
}

int buffers_untouched(const buffers *b) {
    for (size_t i = 0; i < BUFFER_BYTES; i++) {
        if (((const unsigned char *)b->y)[i] != POISON) return 0;
    }
    return 1;
}
