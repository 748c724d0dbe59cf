// SPDX-License-Identifier: Apache-2.0
// Sharing: weights among operators and threads, blobs among machines, configurations as text.
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "counting.h"
#include "fixture.h"
#include "tests.h"

enum { THREADS = 4 };

/// Runs `op` on the fixture's data and returns the output in memory of the caller's.
static float *output_of(const quernel_operator *op, const fixture *f) {
    buffers b = buffers_make(op);
    for (size_t i = 0; i < f->x_count; i++)
        ((float *)b.x)[i] = (float)((int)(i * 29 % 101) - 50) * 0.03f;
    float *y = malloc(f->y_count * sizeof *y);
    quernel_error error = {0};
    const int code =
        quernel_operator_run(op, b.x, NULL, b.y, b.workspace, b.workspace_bytes, NULL, &error);
    if (!CHECK(code == QUERNEL_OK, "run: %s", error.text) || !y) abort();
    memcpy(y, b.y, f->y_count * sizeof *y);
    buffers_free(&b);
    return y;
}

static quernel_weights *packed(fixture *f) {
    quernel_weights *weights = NULL;
    quernel_error error = {0};
    if (!CHECK(quernel_weights_pack(&f->w, &weights, &error) == QUERNEL_OK, "pack: %s", error.text))
        abort();
    return weights;
}

static quernel_weights *packed_counted(fixture *f, fixture_kind kind, counting *memory) {
    fixture_init(f, kind);
    counting_init(memory, 0);
    f->w.allocator = &memory->allocator;
    return packed(f);
}

static quernel_operator *created(fixture *f, quernel_weights *weights) {
    quernel_operator *op = NULL;
    quernel_error error = {0};
    f->l.weights = f->d.weights = weights;
    if (!CHECK(fixture_create_op(f, &op, &error) == QUERNEL_OK, "create: %s", error.text)) abort();
    return op;
}

void test_weights_are_shared(void) {
    fixture f;
    counting memory;
    quernel_weights *weights = packed_counted(&f, FIXTURE_CONV2D, &memory);
    quernel_operator *first = created(&f, weights);
    f.d.isa = QUERNEL_ISA_REF;
    quernel_operator *second = created(&f, weights);
    quernel_weights *again = quernel_weights_retain(weights);
    CHECK(again == weights, "retain returns another pointer");
    quernel_weights_release(weights);
    quernel_weights_release(again);
    // the operators keep the weights alive
    float *a = output_of(first, &f), *b = output_of(second, &f);
    CHECK(memcmp(a, b, f.y_count * sizeof *a) == 0, "two operators of the same weights differ");
    quernel_operator_destroy(first);
    CHECK(memory.live > 0, "weights were freed while an operator uses them");
    float *c = output_of(second, &f);
    CHECK(memcmp(a, c, f.y_count * sizeof *a) == 0,
          "the second operator changed when the first one was destroyed");
    quernel_operator_destroy(second);
    counting_check(&memory, "shared weights");
    free(a);
    free(b);
    free(c);
}

static void *retain_and_release(void *arg) {
    quernel_weights *weights = arg;
    for (int i = 0; i < 20000; i++) quernel_weights_release(quernel_weights_retain(weights));
    return NULL;
}

void test_references_from_threads(void) {
    fixture f;
    counting memory;
    quernel_weights *weights = packed_counted(&f, FIXTURE_LINEAR, &memory);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, retain_and_release, weights);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    CHECK(memory.live == 1, "%zu blocks live after as many retains as releases", memory.live);
    quernel_weights_release(weights);
    counting_check(&memory, "references from threads");
}

static void check_same_info(const quernel_weights *a, const quernel_weights *b) {
    quernel_weights_info i = QUERNEL_WEIGHTS_INFO_INIT, j = QUERNEL_WEIGHTS_INFO_INIT;
    CHECK(quernel_weights_get(a, &i) == QUERNEL_OK && quernel_weights_get(b, &j) == QUERNEL_OK,
          "get");
    CHECK(i.kind == j.kind && i.out == j.out && i.in == j.in && i.kernel_h == j.kernel_h &&
              i.kernel_w == j.kernel_w && i.groups == j.groups && i.smooth_kind == j.smooth_kind &&
              i.packed_bytes == j.packed_bytes,
          "sizes or kinds differ");
    CHECK(memcmp(i.scale, j.scale, i.out * sizeof(float)) == 0, "scales differ");
    CHECK(!i.zero == !j.zero && (!i.zero || memcmp(i.zero, j.zero, i.out * sizeof(int32_t)) == 0),
          "zero points differ");
    CHECK(!i.smooth == !j.smooth, "smoothing factors differ");
}

/// Blobs: the same bytes each time, for loaded and mapped weights too, which run as the packed ones
/// do.
void test_blob_round_trip(void) {
    for (int variant = 0; variant < 8 * FIXTURE_KINDS; variant++) {
        fixture f;
        fixture_init(&f, (fixture_kind)(variant / 8));
        if (variant & 1) f.w.smooth_kind = QUERNEL_SMOOTH_CHANNEL, f.w.smooth = f.smooth;
        if (variant & 2) f.w.type = QUERNEL_TYPE_S8, f.w.zero = f.zero, f.w.scale = f.scale;
        quernel_weights *weights = packed(&f), *loaded = NULL;
        const size_t bytes = quernel_weights_blob_bytes(weights);
        uint8_t *blob = aligned_alloc(64, (bytes + 63) / 64 * 64), *second = malloc(bytes);
        int (*open)(const void *, size_t, const quernel_allocator *, quernel_weights **,
                    quernel_error *) = variant & 4 ? quernel_weights_map : quernel_weights_load;
        quernel_error error = {0};
        CHECK(quernel_weights_save(weights, blob, bytes, &error) == QUERNEL_OK, "save: %s",
              error.text);
        if (!CHECK(open(blob, bytes, NULL, &loaded, &error) == QUERNEL_OK, "load: %s", error.text))
            abort();
        CHECK(quernel_weights_blob_bytes(loaded) == bytes, "the blob's size differs");
        CHECK(quernel_weights_save(loaded, second, bytes, &error) == QUERNEL_OK, "save: %s",
              error.text);
        CHECK(memcmp(blob, second, bytes) == 0, "the blob of loaded weights differs");
        check_same_info(weights, loaded);
        quernel_operator *a = created(&f, weights), *b = created(&f, loaded);
        float *y = output_of(a, &f), *z = output_of(b, &f);
        CHECK(memcmp(y, z, f.y_count * sizeof *y) == 0, "%s: loaded weights give other results",
              fixture_names[f.kind]);
        quernel_operator_destroy(a);
        quernel_operator_destroy(b);
        quernel_weights_release(weights);
        quernel_weights_release(loaded);
        free(blob);
        free(second);
        free(y);
        free(z);
    }
}

/// What explain prints is accepted back, and means the same.
void test_config_round_trip(void) {
    for (int kind = 0; kind < FIXTURE_KINDS; kind++) {
        fixture f;
        fixture_init(&f, (fixture_kind)kind);
        quernel_weights *weights = packed(&f);
        quernel_operator *op = created(&f, weights);
        char line[512], again[512];
        const size_t length = quernel_operator_explain(op, line, sizeof line);
        CHECK(length > 0 && length < sizeof line && strlen(line) == length, "explain: %zu", length);
        f.l.config = f.d.config = line;
        quernel_operator *forced = created(&f, weights);
        quernel_operator_explain(forced, again, sizeof again);
        CHECK(strcmp(line, again) == 0, "\"%s\" became \"%s\"", line, again);
        float *y = output_of(op, &f), *z = output_of(forced, &f);
        CHECK(memcmp(y, z, f.y_count * sizeof *y) == 0, "the forced operator gives other results");
        quernel_operator_destroy(op);
        quernel_operator_destroy(forced);
        quernel_weights_release(weights);
        free(y);
        free(z);
    }
}

// Kernels beside the channels at which their sums reach the bound.
static const struct {
    const char *kernel;
    uint32_t channels; // times 9·127·255: just below and just above 2^25, 2^28
    bool fits;
} bounded[] = {{"kernel=quernel_uk_conv3x3_u8s8_6x16x2_avx2", 112, true},
               {"kernel=quernel_uk_conv3x3_u8s8_6x16x2_avx2", 116, true},
               {"kernel=quernel_uk_convlines_u8s8_6x16x2_avx2", 920, true},
               {"kernel=quernel_uk_convlines_u8s8_6x16x2_avx2", 924, false}};

/// Kernels that are exact below a bound alone are not given weights that can reach it, not even on
/// demand; 3x3 kernels divide them.
void test_sums_keep_a_bound(void) {
    quernel_cpu cpu = QUERNEL_CPU_INIT;
    quernel_cpu_get(&cpu);
    const bool usable = cpu.usable >> QUERNEL_ISA_AVX2 & 1;
    for (size_t i = 0; i < sizeof bounded / sizeof *bounded; i++) {
        const char *kernel = bounded[i].kernel;
        const bool fits = usable && bounded[i].fits;
        fixture f;
        fixture_init(&f, FIXTURE_CONV2D);
        f.d.isa = usable ? QUERNEL_ISA_AVX2 : -1;
        static int8_t data[5 * 924 * 9];
        static const float scale[5] = {1.0f, 1.0f, 1.0f, 1.0f, 1.0f};
        memset(data, 127, sizeof data);
        f.w.type = QUERNEL_TYPE_S8, f.w.data = data, f.w.scale = scale, f.w.smooth = NULL,
        f.w.zero = NULL;
        // fewer have a kernel of their own
        f.w.in = f.d.x.c = bounded[i].channels, f.w.out = 5, f.w.groups = 1;
        f.epilogue->bias = NULL;
        quernel_operator *op = NULL;
        quernel_error error = {0};
        char line[512] = "";
        CHECK(fixture_create(&f, &op, &error) == QUERNEL_OK, "%s", error.text);
        quernel_operator_explain(op, line, sizeof line);
        CHECK(fits || !strstr(line, kernel), "%u channels: %s", bounded[i].channels, line);
        quernel_operator_destroy(op);
        op = NULL;
        f.d.config = kernel;
        CHECK((fixture_create(&f, &op, &error) == QUERNEL_OK) == fits, "%u channels on demand",
              bounded[i].channels);
        quernel_operator_destroy(op);
    }
}

/// Kernels one pixel wide read channels of a larger tensor where they lie, whichever kernel runs.
void test_narrow_kernels_read_slices(void) {
    enum { C = 18, PITCH = 20, OUT = 5, H = 12, W = 8 };
    static uint8_t x[H * W * PITCH], workspace[1 << 20] __attribute__((aligned(64)));
    static int8_t data[OUT * C * 3];
    static int32_t y[2][OUT * (H - 2) * W];
    for (size_t i = 0; i < sizeof x; i++) x[i] = (uint8_t)(i * 31 % 251);
    for (size_t i = 0; i < sizeof data; i++) data[i] = (int8_t)(i * 29 % 255 - 127);
    for (int i = 0; i < 2; i++) {
        fixture f;
        fixture_init(&f, FIXTURE_CONV2D);
        f.w.type = QUERNEL_TYPE_S8, f.w.data = data, f.w.groups = 1, f.w.in = C, f.w.out = OUT,
        f.w.kernel_w = 1;
        f.d.x = (quernel_tensor){
            QUERNEL_TYPE_U8,       QUERNEL_LAYOUT_NHWC, 1, C, H, W, .stride_w = PITCH,
            .stride_h = W * PITCH, .stride_c = 1};
        f.d.y = (quernel_tensor){.layout = QUERNEL_LAYOUT_NHWC, .type = QUERNEL_TYPE_S32};
        f.d.pad_top = f.d.pad_left = f.d.pad_bottom = f.d.pad_right = 0;
        f.epilogue->y_type = QUERNEL_TYPE_S32, f.quant->zero = 0;
        if (i) f.d.isa = QUERNEL_ISA_REF;
        quernel_operator *op = NULL;
        quernel_error error = {0};
        if (!CHECK(fixture_create(&f, &op, &error) == QUERNEL_OK, "%s", error.text)) return;
        const size_t bytes = quernel_operator_workspace(op);
        CHECK(bytes <= sizeof workspace &&
                  !quernel_operator_run(op, x, NULL, y[i], workspace, bytes, NULL, &error),
              "%s", error.text);
        quernel_operator_destroy(op);
    }
    CHECK(!memcmp(y[0], y[1], sizeof y[0]), "the results differ");
}

/// A dead channel (all weights 0) and silent input work and make no NaN.
void test_dead_channels(void) {
    for (int kind = 0; kind < FIXTURE_KINDS; kind++) {
        for (int mode = QUERNEL_QUANT_STATIC; mode <= QUERNEL_QUANT_DYNAMIC_CALL; mode++) {
            fixture f;
            fixture_init(&f, (fixture_kind)kind);
            memset(f.data, 0, sizeof f.data);
            f.quant->mode = mode;
            quernel_weights *weights = packed(&f);
            quernel_operator *op = created(&f, weights);
            quernel_weights_release(weights);
            buffers b = buffers_make(op);
            memset(b.x, 0, f.x_count * sizeof(float));
            const int code = quernel_operator_run(op, b.x, NULL, b.y, b.workspace,
                                                  b.workspace_bytes, NULL, NULL);
            CHECK(code == QUERNEL_OK, "%s: %d", fixture_names[kind], code);
            for (size_t i = 0; i < f.y_count; i++) {
                if (!CHECK(((float *)b.y)[i] == 0.0f, "element %zu is %g", i,
                           (double)((float *)b.y)[i]))
                    break;
            }
            buffers_free(&b);
            quernel_operator_destroy(op);
        }
    }
}
