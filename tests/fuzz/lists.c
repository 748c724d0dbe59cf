// SPDX-License-Identifier: Apache-2.0
// The lists that the program reads, under libFuzzer, from the inputs in lists/: layers, products
// and networks. A row is refused, or its derived sizes are those of exact arithmetic; what is small
// is made, run and compared with ref.
#define _GNU_SOURCE // memfd_create
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source.h"
#include "tune/workload/network.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum {
    MOST_MACS = 1 << 16,     // of what is run, so that hundreds of inputs take a second
    MOST_ELEMENTS = 1 << 16, // of its tensors and weights
    MOST_ROWS = 8            // of a network that is run
};

typedef __int128 exact;

static exact size_of(const shape *s, exact size, exact kernel, exact stride, exact pad) {
    const exact window = s->dilation * (kernel - 1) + 1;
    return s->op == SHAPE_DECONV ? (size - 1) * stride + window + s->out_pad - 2 * pad
                                 : (size + 2 * pad - window) / stride + 1;
}

static void check_layer(const shape *s) {
    const exact taps = (exact)s->kernel * s->kernel_w, deconv = s->op == SHAPE_DECONV;
    const exact h = size_of(s, s->h, s->kernel, s->stride, s->pad),
                w = size_of(s, s->w, s->kernel_w, s->stride_w, s->pad_w);
    if (s->h_out != h || s->w_out != w) fuzz_fail("output %u x %u", s->h_out, s->w_out);
    if (s->m != s->batch * (deconv ? (exact)s->h * s->w : h * w)) fuzz_fail("m %u", s->m);
    if (s->n != s->c_out / s->groups * (deconv ? taps : 1)) fuzz_fail("n %u", s->n);
    if (s->k != s->c_in / s->groups * (deconv ? 1 : taps)) fuzz_fail("k %u", s->k);
}

static void check_row(const shape *s) {
    char name[SHAPE_NAME_MAX];
    const bool gemm = s->op == SHAPE_GEMM;
    if (!gemm) check_layer(s);
    if (s->macs != (exact)s->m * s->n * s->k * (gemm ? 1 : s->groups)) fuzz_fail("macs");
    shape_name(s, name, sizeof name);
    if (!*name || strchr(name, '/')) fuzz_fail("\"%s\" is no name of a file", name);
}

static bool is_small(const shape *s) {
    const double x = (double)s->batch * s->c_in * s->h * s->w,
                 y = (double)s->batch * s->c_out * s->h_out * s->w_out;
    return s->macs <= MOST_MACS &&
           (double)s->n * s->k * (s->groups ? s->groups : 1) <= MOST_ELEMENTS &&
           (double)s->m * s->k <= MOST_ELEMENTS && (double)s->m * s->n <= MOST_ELEMENTS &&
           x <= MOST_ELEMENTS && y <= MOST_ELEMENTS && s->pad <= 64 && s->pad_w <= 64;
}

static void run_row(const shape *s, uint32_t how) {
    const request r = {.boundary = (enum boundary)(how % 3),
                       .x_type = how / 3 % 2 ? QUERNEL_TYPE_S8 : QUERNEL_TYPE_U8,
                       .nchw = how / 6 % 2,
                       .threads = 1,
                       .isa = -1,
                       .seed = 1};
    workload w;
    uint64_t checked;
    if (!workload_make(&w, s, &r)) {
        if (!*w.reason) fuzz_fail("a row is refused without a reason");
    } else if (workload_run(&w, NULL) || workload_check(&w, &checked))
        fuzz_fail("a row runs wrong");
    workload_free(&w);
}

static void run_network(const shape *rows, uint32_t count, uint32_t how) {
    const int32_t type = how % 2 ? QUERNEL_TYPE_S8 : QUERNEL_TYPE_U8;
    const network_request r = {.x_type = type,
                               .y_type = how / 2 % 2 ? QUERNEL_TYPE_F32 : type,
                               .inner = type,
                               .threads = 1,
                               .isa = -1,
                               .seed = 1};
    network_workload n;
    bool differs = false;
    if (network_make(&n, rows, count, &r)) network_check(&n, &differs);
    if (differs) fuzz_fail("%s", n.reason);
    network_free(&n);
}

static void check_network(const shape *rows, uint32_t count, uint32_t how) {
    network_workload n = {.rows = rows, .count = count};
    bool small = count <= MOST_ROWS;
    for (uint32_t i = 0; i < count; i++) small = small && is_small(&rows[i]);
    if (!network_check_rows(&n)) {
        if (!*n.reason) fuzz_fail("rows are refused without a reason");
    } else if (small) run_network(rows, count, how);
}

static void check_rows(const shape *rows, uint32_t count, bool gemm, uint32_t how) {
    for (uint32_t i = 0; i < count; i++) {
        check_row(&rows[i]);
        if (i < MOST_ROWS && is_small(&rows[i])) run_row(&rows[i], how);
    }
    for (uint32_t i = 0, rows_of; i < count && !gemm; i += rows_of) {
        rows_of = network_rows(rows, i, count);
        check_network(rows + i, rows_of, how);
    }
}

// The first byte says how it is read and run; the text follows.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    char path[32];
    shape *rows = NULL;
    const int file = memfd_create("list", 0);
    if (!bytes || file < 0 || write(file, data + 1, bytes - 1) != (ssize_t)bytes - 1) return 0;
    const bool gemm = data[0] % 2;
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    const int count = shapes_read(path, gemm, &rows);
    close(file);
    if (count < -1 || (count < 0 && rows)) fuzz_fail("%d rows", count);
    if (count > 0) check_rows(rows, (uint32_t)count, gemm, data[0] / 2);
    free(rows);
    return 0;
}
