// SPDX-License-Identifier: Apache-2.0
// Layers by options.
#include "tune/program/shape_options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tune/common/lines.h"
#include "tune/program/request_options.h"

const char shape_options_help[] =
    "\n"
    "Layers:\n"
    "  --layers F | --gemm F            lists (bench/shapes/*.csv)\n"
    "  --filter S                       only rows of a list whose name holds S\n"
    "  --gemm MxNxK                     one product\n"
    "  --conv CxHxW:OUT:K:STRIDE:PAD[:GROUPS[:DILATION]] | --deconv "
    "CxHxW:OUT:K:STRIDE[:PAD[:OUT_PAD]]\n"
    "  --misses F                       what a program recorded (QUERNEL_RECORD_MISSES=F)\n"
    "  --boundary int8|int8-dense|f32   --layout nchw|nhwc (f32)   --x u8|s8   --scale "
    "static|dynamic\n"
    "  --isa X (ceiling)                --threads N\n";

// Numbers separated by x and ':'; returns how many were read, 0 where there is anything else.
static int numbers(const char *text, uint32_t *to, int max) {
    int count = 0;
    while (count < max) {
        char *end;
        const unsigned long value = strtoul(text, &end, 10);
        if (end == text || value > INT32_MAX) return 0;
        to[count++] = (uint32_t)value;
        if (!*end) return count;
        if (*end != 'x' && *end != ':') return 0;
        text = end + 1;
    }
    return 0;
}

// The sizes of --gemm, --conv or --deconv; what is left out is 1, or no padding.
static bool parse_sizes(const char *op, const char *text, shape *s) {
    uint32_t v[9] = {0};
    *s = (shape){.batch = 1, .groups = 1, .dilation = 1, .repeat = 1, .activation = "none"};
    if (!strcmp(op, "gemm")) {
        if (numbers(text, v, 3) != 3) return false;
        s->op = SHAPE_GEMM, s->m = v[0], s->n = v[1], s->k = v[2];
        return shape_complete(s);
    }
    const int deconv = !strcmp(op, "deconv"), count = numbers(text, v, 9);
    if (count < (deconv ? 6 : 7)) return false;
    s->op = deconv ? SHAPE_DECONV : SHAPE_CONV;
    s->c_in = v[0], s->h = v[1], s->w = v[2], s->c_out = v[3];
    s->kernel = s->kernel_w = v[4], s->stride = s->stride_w = v[5];
    if (count > 6) s->pad = s->pad_w = v[6];
    if (count > 7) *(deconv ? &s->out_pad : &s->groups) = v[7];
    if (count > 8) s->dilation = v[8];
    if (s->op == SHAPE_CONV && s->groups > 1 && s->groups == s->c_in && s->c_out == s->c_in)
        s->op = SHAPE_DEPTHWISE;
    return shape_complete(s);
}

// `own` is the request of a shape that came with one, else NULL: then the options' request, which
// is not complete before the last option, is used.
static bool add(shape_options *s, const shape *one, const request *own) {
    const size_t count = (size_t)s->count + 1;
    shape *shapes = realloc(s->shapes, count * sizeof *shapes);
    if (shapes) s->shapes = shapes;
    request *requests = realloc(s->requests, count * sizeof *requests);
    if (requests) s->requests = requests;
    if (!shapes || !requests) return false;
    s->requests[s->count] = own ? *own : (request){.threads = 0};
    s->shapes[s->count++] = *one;
    return true;
}

// A recorded miss: op, shape and env, as a row of a table has them. One of an operator that no
// list describes is told and passed over.
static bool add_miss(shape_options *s, lines *from, char *line) {
    char *save, *op = strtok_r(line, "\t", &save);
    char *sizes = strtok_r(NULL, "\t", &save), *env = strtok_r(NULL, "\t", &save);
    shape one;
    request own;
    if (!env || *save) return lines_refuse(from, "misses", "not op, shape and env");
    if (shape_of_key(op, sizes, env, &one, &own))
        return add(s, &one, &own) || lines_refuse(from, "memory", "none left");
    fprintf(stderr, "quernel: misses: cannot be made again: %s %s\n", op, sizes);
    return true;
}

static bool read_misses(shape_options *s, const char *path) {
    lines from;
    if (lines_open(&from, path))
        for (char *line; (line = lines_next(&from));)
            if (*line && !add_miss(s, &from, line)) break;
    return lines_close(&from);
}

static bool take_isa(request *r, const char *name) {
    quernel_isa isa;
    if (quernel_isa_parse(name, &isa)) return false;
    r->isa = (int32_t)isa;
    return true;
}

// --gemm takes sizes or a file.
static bool names_sizes(option o) {
    return !strcmp(o.name, "conv") || !strcmp(o.name, "deconv") ||
           (!strcmp(o.name, "gemm") && isdigit((unsigned char)*o.value));
}

bool shape_options_take(shape_options *s, option o) {
    shape one;
    if (!o.value) return false;
    if (names_sizes(o)) return parse_sizes(o.name, o.value, &one) && add(s, &one, NULL);
    if (!strcmp(o.name, "layers")) return (s->layers = o.value) != NULL;
    if (!strcmp(o.name, "gemm")) return (s->gemm = o.value) != NULL;
    if (!strcmp(o.name, "misses")) return read_misses(s, o.value);
    if (!strcmp(o.name, "filter")) return (s->filter = o.value) != NULL;
    if (!strcmp(o.name, "isa")) return take_isa(&s->request, o.value);
    return request_take(&s->request, o);
}

static bool read_list(shape_options *s, const char *path, int gemm) {
    shape *read = NULL;
    const int count = shapes_read(path, gemm, &read);
    bool fine = count >= 0;
    for (int i = 0; fine && i < count; i++) {
        char text[SHAPE_NAME_MAX];
        shape_name(&read[i], text, sizeof text);
        if (!s->filter || strstr(text, s->filter)) fine = add(s, &read[i], NULL);
    }
    free(read);
    return fine;
}

int shape_options_read(shape_options *s, const char *command) {
    quernel_cpu cpu = QUERNEL_CPU_INIT;
    quernel_cpu_get(&cpu);
    if (s->request.isa >= 0 && !(cpu.usable >> s->request.isa & 1)) {
        usage_error(command, "--isa cannot run here",
                    quernel_isa_name((quernel_isa)s->request.isa));
        return EXIT_NO_ISA;
    }
    if (s->layers && !read_list(s, s->layers, 0)) return EXIT_USAGE;
    if (s->gemm && !read_list(s, s->gemm, 1)) return EXIT_USAGE;
    return s->count ? GO_ON : usage_error(command, "layers", "none given");
}

void shape_options_free(shape_options *s) { free(s->shapes), free(s->requests); }

const request *shape_options_request(const shape_options *s, int index) {
    return s->requests[index].threads ? &s->requests[index] : &s->request;
}
