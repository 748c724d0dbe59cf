// SPDX-License-Identifier: Apache-2.0
// What quernel bench says: a line of text, a row of JSON.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tune/program/bench.h"
#include "tune/program/output.h"
#include "tune/program/request_options.h"

// The row in words, as the table shows it.
static void name_of(const shape *s, char *to, size_t capacity) {
    if (s->op == SHAPE_GEMM) snprintf(to, capacity, "%s %ux%ux%u", s->layer, s->m, s->n, s->k);
    else
        snprintf(to, capacity, "%s %s %u:%u %ux%u k%u s%u", s->model, s->layer, s->c_in, s->c_out,
                 s->h, s->w, s->kernel, s->stride);
}

void bench_print(FILE *to, const bench_row *r) {
    char name[192];
    name_of(r->shape, name, sizeof name);
    fprintf(to, "%-52.52s %-10s ", name, quernel_isa_name(r->isa));
    if (strcmp(r->status, "ok")) fprintf(to, "%s: %s\n", r->status, r->reason ? r->reason : "");
    else {
        fprintf(to, "%9.3f ms [%.3f, %.3f] %8.1f GOPS ", r->ms.middle, r->ms.lo, r->ms.hi, r->gops);
        if (isfinite(r->percent)) fprintf(to, "%5.1f %% of %.0f", r->percent, r->peak_gops);
        if (isfinite(r->probe_read_gbs))
            fprintf(to, "  %.1f GB/s, %.1f %% of reading", r->read_gbs,
                    100 * r->read_gbs / r->probe_read_gbs);
        fprintf(to, "\n");
    }
    fflush(to);
}

static void write_sizes(json *j, const shape *s) {
    const struct {
        const char *name;
        uint32_t value;
    } sizes[] = {{"c_in", s->c_in},
                 {"h", s->h},
                 {"w", s->w},
                 {"c_out", s->c_out},
                 {"kernel", s->kernel},
                 {"stride", s->stride},
                 {"pad", s->pad},
                 {"batch", s->batch},
                 {"groups", s->groups},
                 {"dilation", s->dilation},
                 {"kernel_w", s->kernel_w},
                 {"stride_w", s->stride_w},
                 {"pad_w", s->pad_w},
                 {"out_pad", s->out_pad},
                 {"residual", s->residual},
                 {"repeat", s->repeat}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        json_integer(j, sizes[i].name, sizes[i].value);
}

static void write_layer(json *j, const shape *s) {
    json_text(j, "model", s->model);
    json_text(j, "layer", s->layer);
    json_text(j, "op", shape_op_names[s->op]);
    write_sizes(j, s);
    json_text(j, "activation", s->activation);
}

static void write_shape(json *j, const shape *s) {
    if (s->op == SHAPE_GEMM) {
        json_text(j, "kind", s->layer);
        json_text(j, "op", shape_op_names[s->op]);
    } else write_layer(j, s);
    json_integer(j, "m", s->m), json_integer(j, "n", s->n), json_integer(j, "k", s->k);
    json_integer(j, "macs", (int64_t)s->macs);
}

static void write_request(json *j, const request *r) {
    json_integer(j, "threads", r->threads);
    json_text(j, "boundary", boundary_names[r->boundary]);
    json_text(j, "layout", r->nchw ? "nchw" : "nhwc");
    json_text(j, "x", r->x_type == QUERNEL_TYPE_U8 ? "u8" : "s8");
    json_text(j, "scale", r->dynamic ? "dynamic" : "static");
    json_text(j, "smooth", smooth_names[r->smooth]);
}

// What ran, by the operator's own report.
static void write_plan(json *j, const bench_row *r) {
    char path[24];
    json_text(j, "path", config_word(r->config, "path", path, sizeof path));
    json_text(j, "kernel", *r->kernel ? r->kernel : NULL);
    json_text(j, "config", *r->config ? r->config : NULL);
    json_text(j, "config_from", r->source);
}

// null where the row was not timed.
static void write_times(json *j, const bench_row *r) {
    const struct {
        const char *name;
        double value;
    } times[] = {{"median_ms", r->ms.middle}, {"lo_ms", r->ms.lo},
                 {"hi_ms", r->ms.hi},         {"gops", r->gops},
                 {"peak_gops", r->peak_gops}, {"percent_of_peak", r->percent},
                 {"read_gbs", r->read_gbs},   {"probe_read_gbs", r->probe_read_gbs}};
    const bool timed = !strcmp(r->status, "ok");
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        json_number(j, times[i].name, timed ? times[i].value : NAN);
}

void bench_write(json *j, const bench_options *o, const bench_row *r) {
    const workload *w = &r->workload;
    json_open(j, NULL, '{');
    write_shape(j, r->shape);
    json_text(j, "isa", quernel_isa_name(r->isa));
    write_request(j, &o->request);
    write_plan(j, r);
    json_integer(j, "checked", (int64_t)r->checked),
        json_integer(j, "mismatches", (int64_t)r->mismatches);
    json_integer(j, "rounds", o->rounds);
    write_times(j, r);
    json_integer(j, "bytes_in", (int64_t)w->x_bytes),
        json_integer(j, "bytes_out", (int64_t)w->y_bytes);
    json_integer(j, "bytes_weights", (int64_t)w->weights_bytes);
    json_integer(j, "workspace_bytes", (int64_t)w->workspace_bytes);
    json_text(j, "status", r->status), json_text(j, "reason", r->reason);
    json_close(j, '}');
}

void bench_write_host(json *j) {
    quernel_cpu cpu = QUERNEL_CPU_INIT;
    quernel_cpu_get(&cpu);
    json_open(j, "host", '{');
    json_text(j, "model", cpu.model);
    json_integer(j, "cores", cpu.cores);
    json_integer(j, "l1d_bytes", (int64_t)cpu.l1d_bytes),
        json_integer(j, "l2_bytes", (int64_t)cpu.l2_bytes);
    json_integer(j, "l3_bytes", (int64_t)cpu.l3_bytes);
    output_build(j);
    json_close(j, '}');
}
