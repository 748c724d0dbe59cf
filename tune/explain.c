// SPDX-License-Identifier: Apache-2.0
// quernel explain: what would be chosen for one product or layer, in the words that --config takes back.
#include <stdlib.h>
#include <string.h>

#include "plan/plan.h"
#include "tune/json.h"
#include "tune/program.h"
#include "tune/subject.h"

static const char usage[] =
    "usage: quernel explain (--gemm MxNxK | --conv CxHxW:OUT:K:STRIDE:PAD[:GROUPS[:DILATION]] | --deconv CxHxW:OUT:K:STRIDE[:PAD[:OUT_PAD]])\n"
    "       [--boundary int8|int8-dense|f32] [--layout nchw|nhwc] [--isa X] [--threads N] [--config C] [--json]\n";

// The keys of a config, from the same list as everything that reads them.
static void print_help(void) {
    fputs(usage, stdout);
    printf("\nKeys of --config, all optional:\n  %-9s a kernel's name (quernel verify lists them)\n", "kernel");
    for (const quernel_i_knob *k = quernel_i_knobs; k->key; k++)
        printf("  %-9s %s%s%s%s\n", k->key, k->meaning, k->words ? " (" : "", k->words ? k->words : "", k->words ? ")" : "");
}

// Numbers separated by x and ':'; returns how many were read, 0 where anything else stands.
static int numbers(const char *text, uint32_t *to, int most) {
    int count = 0;
    while (count < most) {
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

static int parse_shape(const char *op, const char *text, shape *s) {
    uint32_t v[9] = {0};
    *s = (shape){.batch = 1, .groups = 1, .dilation = 1, .repeat = 1, .activation = "none"};
    if (!text) return 0;
    if (!strcmp(op, "gemm")) {
        if (numbers(text, v, 3) != 3) return 0;
        s->op = SHAPE_GEMM, s->m = v[0], s->n = v[1], s->k = v[2];
        return shape_complete(s);
    }
    const int deconv = !strcmp(op, "deconv"), count = numbers(text, v, 9);
    if (count < (deconv ? 6 : 7)) return 0;
    s->op = deconv ? SHAPE_DECONV : SHAPE_CONV;
    s->c_in = v[0], s->h = v[1], s->w = v[2], s->c_out = v[3];
    s->kernel = s->kernel_w = v[4], s->stride = s->stride_w = v[5];
    if (count > 6) s->pad = s->pad_w = v[6];
    if (count > 7) *(deconv ? &s->out_pad : &s->groups) = v[7];
    if (count > 8) s->dilation = v[8];
    if (s->op == SHAPE_CONV && s->groups > 1 && s->groups == s->c_in && s->c_out == s->c_in) s->op = SHAPE_DEPTHWISE;
    return shape_complete(s);
}

static void print(const subject *s, bool as_json) {
    char text[512];
    quernel_operator_explain(s->op, text, sizeof text);
    if (!as_json) {
        printf("%s\n", text);
        printf("from: %s; tables searched: none in this version\n", s->request.config ? "the given config" : "model");
        printf("workspace: %zu bytes, packed weights: %zu bytes\n", s->workspace_bytes, s->weights_bytes);
        return;
    }
    json j = {stdout, 1};
    json_open(&j, NULL, '{');
    json_text(&j, "schema", "quernel-explain-1");
    json_text(&j, "config", text), json_text(&j, "config_from", s->request.config ? "override" : "model");
    json_integer(&j, "workspace_bytes", (int64_t)s->workspace_bytes);
    json_integer(&j, "bytes_weights", (int64_t)s->weights_bytes);
    json_close(&j, '}');
    putchar('\n');
}

static bool take(request *r, const option_seen o) {
    quernel_isa isa;
    if (!o.value) return false;
    if (!strcmp(o.name, "threads")) return parse_u32(o.value, 1, &r->threads);
    if (!strcmp(o.name, "config")) return (r->config = o.value) != NULL;
    if (!strcmp(o.name, "isa") && !quernel_isa_parse(o.value, &isa)) return r->isa = (int32_t)isa, true;
    if (!strcmp(o.name, "layout")) return r->nchw = !strcmp(o.value, "nchw"), r->nchw || !strcmp(o.value, "nhwc");
    if (strcmp(o.name, "boundary")) return false;
    if (!strcmp(o.value, "int8")) return r->boundary = BOUNDARY_INT8, true;
    if (!strcmp(o.value, "int8-dense")) return r->boundary = BOUNDARY_INT8_DENSE, true;
    return r->boundary = BOUNDARY_F32, !strcmp(o.value, "f32");
}

int command_explain(int argc, char **argv) {
    request r = {.nchw = 1, .x_type = QUERNEL_TYPE_U8, .threads = 1, .isa = -1, .seed = 1};
    shape s = {0};
    bool given = false, as_json = false;
    options o = {argc, 0, argv};
    for (option_seen seen; (seen = option_next(&o, " help json ")).name;) {
        if (!strcmp(seen.name, "help")) {
            print_help();
            return EXIT_DONE;
        }
        if (!strcmp(seen.name, "json")) as_json = true;
        else if (!strcmp(seen.name, "gemm") || !strcmp(seen.name, "conv") || !strcmp(seen.name, "deconv")) {
            if (!parse_shape(seen.name, seen.value, &s)) return usage_error("explain", seen.name, seen.value);
            given = true;
        } else if (!take(&r, seen)) return usage_error("explain", seen.name, seen.value);
    }
    if (!given) return usage_error("explain", "--gemm, --conv or --deconv", NULL);
    quernel_cpu cpu = QUERNEL_CPU_INIT;
    quernel_cpu_get(&cpu);
    if (r.isa >= 0 && !(cpu.usable >> r.isa & 1)) {
        usage_error("explain", "--isa cannot run here", quernel_isa_name((quernel_isa)r.isa));
        return EXIT_NO_ISA;
    }
    subject u;
    const int made = subject_make(&u, &s, &r);
    if (made) print(&u, as_json);
    else usage_error("explain", "layer", u.reason);
    subject_free(&u);
    return made ? EXIT_DONE : EXIT_USAGE;
}
