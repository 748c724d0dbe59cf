// SPDX-License-Identifier: Apache-2.0
// Runs one random operator: guarded buffers, poisoned outputs, an odd float environment, every byte
// compared.
#include "runner.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "environment.h"
#include "golden.h"
#include "memory.h"
#include "oracle.h"
#include "spread.h"

enum { POISON_X = 0xee, POISON_Y = 0xa5, WORKSPACE_ALIGNMENT = 64 };

/// A tensor's memory: `first` is element (0, 0, 0, 0), the window is all that must keep what the
/// oracle says.
typedef struct buffer {
    quernel_tensor t; // strides and sizes filled in
    int type;
    uint8_t *first, *window, *expected;
    size_t window_bytes;
} buffer;

typedef struct run_state {
    op_case c;
    buffer x, residual, y;
    uint8_t *workspace;
    size_t workspace_bytes;
    char *text;
    size_t capacity;
    bool unsupported; // refused as a combination that is not offered
} run_state;

static bool say(run_state *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool say(run_state *s, const char *format, ...) {
    va_list list;
    va_start(list, format);
    const int length = vsnprintf(s->text, s->capacity, format, list);
    va_end(list);
    char *const end = s->text + length;
    const size_t left =
        length >= 0 && (size_t)length < s->capacity ? s->capacity - (size_t)length : 0;
    if (left > 8) {
        memcpy(end, "\n    ", 6);
        case_describe(&s->c, end + 5, left - 5);
    }
    return false;
}

uint32_t runner_isas(void) {
    quernel_cpu cpu = QUERNEL_CPU_INIT;
    return quernel_cpu_get(&cpu) == QUERNEL_OK ? cpu.usable : 0;
}

static int64_t offset(const quernel_tensor *t, int64_t n, int64_t c, int64_t h, int64_t w) {
    return n * t->stride_n + c * t->stride_c + h * t->stride_h + w * t->stride_w;
}

/// Takes memory for a tensor, its border and, where it is one, its chain memory.
static bool take(run_state *s, guarded *g, buffer *b, const quernel_tensor *t, int type,
                 const op_chain *chain, uint8_t poison) {
    b->t = oracle_dense(*t);
    b->type = type;
    const size_t size = quernel_type_size((quernel_type)type);
    const int64_t before = -offset(&b->t, 0, 0, -(int64_t)t->border_h, -(int64_t)t->border_w);
    const int64_t behind =
        offset(&b->t, (int64_t)t->n - 1, (int64_t)t->c - 1, (int64_t)t->h - 1 + t->border_h,
               (int64_t)t->w - 1 + t->border_w) +
        1;
    size_t bytes = (size_t)(before + behind) * size, alignment = size,
           first = (size_t)before * size;
    if (chain->bytes) {
        if ((int64_t)chain->offset < before ||
            (int64_t)(chain->bytes - chain->offset) < behind + 64) {
            return say(s, "chain_describe: %zu bytes, offset %zu: too few for %lld + %lld",
                       chain->bytes, chain->offset, (long long)before, (long long)behind);
        }
        bytes = chain->bytes;
        first = chain->offset;
        alignment = 64;
    }
    const guarded_place place = (guarded_place)rng_int(&s->c.r, GUARDED_END, GUARDED_MIDDLE);
    uint8_t *at = guarded_take(g, bytes, alignment, place, poison, &b->window, &b->window_bytes);
    if (!at) return say(s, "no memory for %zu bytes", bytes);
    b->first = at + first;
    return true;
}

static void fill_border(const buffer *b, int32_t zero) {
    const quernel_tensor *t = &b->t;
    for (int64_t n = 0; n < t->n; n++) {
        for (int64_t h = -(int64_t)t->border_h; h < t->h + (int64_t)t->border_h; h++) {
            for (int64_t w = -(int64_t)t->border_w; w < t->w + (int64_t)t->border_w; w++) {
                for (int64_t c = 0; c < t->c; c++) b->first[offset(t, n, c, h, w)] = (uint8_t)zero;
            }
        }
    }
}

static bool keep_copy(run_state *s, buffer *b) {
    b->expected = malloc(b->window_bytes);
    if (!b->expected) return say(s, "no memory for a copy of %zu bytes", b->window_bytes);
    memcpy(b->expected, b->window, b->window_bytes);
    return true;
}

// The oracle's y, beside ours: in the copy that surrounds it with the same bytes.
static bool compute_expected(run_state *s) {
    const op_case *c = &s->c;
    uint8_t *expected = s->y.expected + (s->y.first - s->y.window);
    const void *residual = c->alias ? expected : s->residual.first;
    const quernel_linear_desc linear = case_linear(c);
    const int failed = c->kind == OP_LINEAR
                           ? oracle_linear(&c->weights, &linear, s->x.first, residual, expected)
                           : oracle_image(&c->weights, &c->conv, s->x.first, residual, expected);
    return failed ? say(s, "the oracle has no memory") : true;
}

/// Buffers filled, and what they must hold afterwards computed.
static bool prepare(run_state *s) {
    static guarded x_memory, residual_memory, y_memory;
    op_case *c = &s->c;
    const quernel_conv2d_desc *d = &c->conv;
    const quernel_epilogue *f = &d->epilogue;
    const quernel_tensor y = case_output(c);
    const op_chain none = {0, 0};
    if (!take(s, &x_memory, &s->x, &d->x, d->x.type, &c->x_chain, POISON_X)) return false;
    if (!take(s, &y_memory, &s->y, &y, f->y_type, &c->y_chain, POISON_Y)) return false;
    if (d->x.border_h || d->x.border_w) fill_border(&s->x, d->quant.zero);
    case_fill(c, &s->x.t, d->x.type, c->x_amp, d->quant.zero, s->x.first);
    if (f->residual) {
        if (c->alias) {
            s->residual = s->y;
        } else if (!take(s, &residual_memory, &s->residual, &d->residual, f->residual_type, &none,
                         POISON_X)) {
            return false;
        }
        case_fill(c, &s->residual.t, f->residual_type, c->t_amp, f->residual_zero,
                  s->residual.first);
    }
    if (!keep_copy(s, &s->x) || !keep_copy(s, &s->y)) return false;
    if (f->residual && !c->alias && !keep_copy(s, &s->residual)) return false;
    return compute_expected(s);
}

static int reload(quernel_weights **weights, quernel_error *error) {
    const size_t bytes = quernel_weights_blob_bytes(*weights);
    uint8_t *blob = malloc(bytes + 1);
    if (!blob) return QUERNEL_E_MEMORY;
    quernel_weights *loaded = NULL;
    int code = quernel_weights_save(*weights, blob + 1, bytes, error); // at an odd address
    if (code == QUERNEL_OK) code = quernel_weights_load(blob + 1, bytes, NULL, &loaded, error);
    free(blob);
    if (code == QUERNEL_OK) {
        quernel_weights_release(*weights);
        *weights = loaded;
    }
    return code;
}

static int create_op(const op_case *c, quernel_operator **op, quernel_error *error) {
    const quernel_linear_desc linear = case_linear(c);
    if (c->kind == OP_LINEAR) return quernel_linear_create(&linear, op, error);
    if (c->kind == OP_CONV2D) return quernel_conv2d_create(&c->conv, op, error);
    return quernel_deconv2d_create(&c->conv, op, error);
}

/// Dynamic quantization per row is not offered for small groups.
static bool may_be_unsupported(const op_case *c) {
    const quernel_weights_desc *w = &c->weights;
    return c->conv.quant.mode == QUERNEL_QUANT_DYNAMIC_ROW && w->groups > 1 &&
           w->out / w->groups <= 8;
}

/// Changes a line of explain: other numbers, and now and then another path. The plan then cuts its
/// work elsewhere.
static void other_plan(rng *r, const char *line, char *text, size_t capacity) {
    static const char *const paths[] = {"path=inplace", "path=staged", "path=im2col"};
    size_t length = 0;
    while (*line && length + 16 < capacity) {
        const char *word = NULL;
        char number[16];
        size_t skip = 0;
        if (strncmp(line, "path=", 5) == 0 && rng_one_in(r, 2)) {
            word = paths[rng_int(r, 0, 2)];
            skip = strcspn(line, " ");
        } else if (length > 0 && text[length - 1] == '=' && *line >= '0' && *line <= '9') {
            snprintf(number, sizeof number, "%d",
                     (int)(rng_one_in(r, 3) ? 16 * rng_int(r, 1, 4) : rng_int(r, 1, 9)));
            word = number;
            skip = strspn(line, "0123456789");
        }
        if (word) {
            length += (size_t)snprintf(text + length, capacity - length, "%s", word);
            line += skip;
        } else {
            text[length++] = *line++;
        }
    }
    text[length] = 0;
}

/// No plan may change a bit: the operator is made again with other sizes of its strips, chunks and
/// blocks. A plan that is refused leaves the first one.
static void create_otherwise(op_case *c, quernel_operator **op) {
    char line[512], text[512];
    quernel_operator *other = NULL;
    const size_t length = quernel_operator_explain(*op, line, sizeof line);
    if (length >= sizeof line) return;
    other_plan(&c->r, line, text, sizeof text);
    const size_t used = strlen(text);
    if (rng_one_in(&c->r, 2))
        snprintf(text + used, sizeof text - used, " dedup=%d",
                 rng_int(&c->r, 1, rng_one_in(&c->r, 2) ? 2 : 9));
    c->conv.config = text;
    if (create_op(c, &other, NULL) == QUERNEL_OK) {
        quernel_operator_destroy(*op);
        *op = other;
    }
    c->conv.config = NULL;
}

static int create(run_state *s, quernel_operator **op, quernel_error *error) {
    op_case *c = &s->c;
    int code = quernel_weights_pack(&c->weights, &c->conv.weights, error);
    if (code == QUERNEL_OK && c->reload) code = reload(&c->conv.weights, error);
    if (code == QUERNEL_OK) code = create_op(c, op, error);
    if (code == QUERNEL_OK && c->replan) create_otherwise(c, op);
    quernel_weights_release(c->conv.weights);
    c->conv.weights = NULL;
    if (code == QUERNEL_OK) case_scribble(c);
    return code;
}

static int run(run_state *s, const quernel_operator *op, quernel_error *error) {
    op_case *c = &s->c;
    spread context;
    const quernel_parallel parallel =
        spread_make(c->spread, c->conv.threads, rng_next(&c->r), &context);
    const quernel_parallel *const spread_over = c->spread == OP_SPREAD_NONE ? NULL : &parallel;
    return quernel_operator_run(op, s->x.first,
                                c->conv.epilogue.residual ? s->residual.first : NULL, s->y.first,
                                s->workspace, s->workspace_bytes, spread_over, error);
}

/// The library's part, in the caller's odd environment.
static bool execute(run_state *s) {
    static guarded workspace_memory;
    quernel_error error = {0};
    quernel_operator *op = NULL;
    uint8_t *window = NULL;
    size_t window_bytes = 0;
    const environment odd = environment_number(s->c.environment);
    environment_set(odd);
    int code = create(s, &op, &error);
    if (code == QUERNEL_OK) {
        s->workspace_bytes = quernel_operator_workspace(op);
        s->workspace =
            guarded_take(&workspace_memory, s->workspace_bytes, WORKSPACE_ALIGNMENT, GUARDED_END,
                         (uint8_t)rng_next(&s->c.r), &window, &window_bytes);
        code = s->workspace ? run(s, op, &error) : QUERNEL_E_MEMORY;
        quernel_operator_destroy(op);
    }
    const environment after = environment_get();
    environment_set(environment_number(0));
    if (code == QUERNEL_E_UNSUPPORTED && may_be_unsupported(&s->c)) {
        s->unsupported = true;
        return true;
    }
    if (code != QUERNEL_OK) return say(s, "%s: %s", quernel_status_string(code), error.text);
    if (after != odd)
        return say(s, "the caller's float environment was %x, is %x", (unsigned)odd,
                   (unsigned)after);
    return true;
}

/// Where both hold a NaN, its sign and payload are not promised: the expected one becomes the
/// actual one.
static void forgive_nan(const buffer *b, int64_t at) {
    float actual, expected;
    uint8_t *place = b->first + at * 4;
    memcpy(&actual, place, 4);
    memcpy(&expected, b->expected + (place - b->window), 4);
    if (isnan(actual) && isnan(expected)) memcpy(b->expected + (place - b->window), place, 4);
}

static void print_element(char *text, size_t capacity, int type, const uint8_t *place) {
    uint32_t bits = 0;
    float value;
    memcpy(&bits, place, quernel_type_size((quernel_type)type));
    memcpy(&value, &bits, sizeof value);
    snprintf(text, capacity, "%08x (%d, %g)", bits, (int)(int32_t)bits, (double)value);
}

static bool compare_elements(run_state *s, const buffer *b) {
    const quernel_tensor *t = &b->t;
    const size_t size = quernel_type_size((quernel_type)b->type);
    size_t wrong = 0;
    char first[200] = "";
    for (uint32_t n = 0; n < t->n; n++) {
        for (uint32_t c = 0; c < t->c; c++) {
            for (uint32_t h = 0; h < t->h; h++) {
                for (uint32_t w = 0; w < t->w; w++) {
                    const int64_t at = offset(t, n, c, h, w);
                    if (b->type == QUERNEL_TYPE_F32) forgive_nan(b, at);
                    const uint8_t *place = b->first + at * (int64_t)size;
                    const uint8_t *expected = b->expected + (place - b->window);
                    if (memcmp(place, expected, size) == 0 || wrong++) continue;
                    char is[48], wanted[48];
                    print_element(is, sizeof is, b->type, place);
                    print_element(wanted, sizeof wanted, b->type, expected);
                    snprintf(first, sizeof first, "n %u c %u h %u w %u is %s, expected %s", n, c, h,
                             w, is, wanted);
                }
            }
        }
    }
    if (wrong)
        return say(s, "y %ux%ux%ux%u: %zu elements differ: first %s", t->n, t->c, t->h, t->w, wrong,
                   first);
    return true;
}

static bool compare(run_state *s) {
    if (memcmp(s->x.window, s->x.expected, s->x.window_bytes)) return say(s, "x was written to");
    if (s->residual.expected &&
        memcmp(s->residual.window, s->residual.expected, s->residual.window_bytes)) {
        return say(s, "the residual was written to");
    }
    if (!compare_elements(s, &s->y)) return false;
    golden_tensor(&s->y.t, s->y.type, s->y.first);
    for (size_t i = 0; i < s->y.window_bytes; i++) {
        if (s->y.window[i] == s->y.expected[i]) continue;
        return say(s, "y: byte %td from element 0, outside its elements, is %02x, expected %02x",
                   s->y.window + i - s->y.first, s->y.window[i], s->y.expected[i]);
    }
    return true;
}

bool runner_operator(op_kind kind, uint64_t seed, uint64_t number, uint32_t isas, char *text,
                     size_t capacity) {
    run_state s = {.text = text, .capacity = capacity};
    case_draw(&s.c, kind, seed, number, isas);
    const bool right = prepare(&s) && execute(&s) && (s.unsupported || compare(&s));
    free(s.x.expected);
    free(s.y.expected);
    free(s.residual.expected);
    case_free(&s.c);
    return right;
}
