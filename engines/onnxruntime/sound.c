// SPDX-License-Identifier: Apache-2.0
// Whether a program that comes from a file can be run: every index leads to something, every array
// has the length that it is read with. What the numbers mean, the library checks.
#include "program.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "resample.h"

typedef struct check {
    const quernel_ep_program *p;
    const char *why;
} check;

static bool fail(check *k, const char *why) {
    if (!k->why) k->why = why;
    return false;
}

static bool span_fits(const check *k, quernel_ep_span s) {
    return s.bytes <= k->p->image->data_bytes && s.offset <= k->p->image->data_bytes - s.bytes &&
           s.offset % 8 == 0;
}

static bool is_type(int32_t type) {
    return type == QUERNEL_EP_TYPE_F32 || quernel_ep_is_int8(type);
}

static bool check_record(check *k, const quernel_ep_record *r) {
    const quernel_ep_image *image = k->p->image;
    const quernel_ep_sizes *s = &r->constant_sizes;
    if (!is_type(r->type) ||
        (r->order != QUERNEL_EP_ORDER_IMAGE && r->order != QUERNEL_EP_ORDER_ROWS) || r->rank < 2 ||
        r->rank > 4)
        return fail(k, "a value has no known type or shape");
    if (r->input < -1 || r->input >= (int32_t)image->n_inputs || r->output < -1 ||
        r->output >= (int32_t)image->n_outputs || (r->input >= 0 && r->constant.bytes))
        return fail(k, "a value is none of the run's");
    if (!span_fits(k, r->constant) || !span_fits(k, r->smooth))
        return fail(k, "an array lies outside of it");
    if (r->constant.bytes &&
        (s->n != 1 || s->h != 1 || s->w != 1 || r->type != QUERNEL_EP_TYPE_F32 ||
         r->constant.bytes != s->c * (uint64_t)sizeof(float)))
        return fail(k, "a constant has another size than its shape");
    return true;
}

static bool is_record(const check *k, int32_t v) {
    return v >= 0 && v < (int32_t)k->p->image->n_records;
}

static bool check_list(check *k, const quernel_ep_step *s) {
    const quernel_ep_span span = s->arrays[QUERNEL_EP_LIST];
    const int32_t *list = quernel_ep_program_at(k->p, span);
    if ((span.bytes != 0) != (s->kind == QUERNEL_EP_CONCAT) || span.bytes % sizeof *list)
        return fail(k, "a list of values belongs to no concatenation");
    for (uint32_t i = 0; i < span.bytes / sizeof *list; i++)
        if (!is_record(k, list[i])) return fail(k, "an index is none of a value");
    return true;
}

static bool check_window(const quernel_ep_window *w) {
    const uint32_t max = 1u << 16; // what the library takes
    for (int i = 0; i < 2; i++)
        if (!w->stride[i] || w->stride[i] > max || !w->kernel[i] || w->kernel[i] > max ||
            !w->dilation[i] || w->dilation[i] > max || w->begin[i] > max || w->end[i] > max ||
            w->out_pad[i] > max)
            return false;
    return w->auto_pad >= QUERNEL_EP_PAD_GIVEN && w->auto_pad <= QUERNEL_EP_PAD_SAME_LOWER;
}

static bool check_resize(const quernel_ep_axis *a, float most) {
    return a->mode >= QUERNEL_EP_MODE_NEAREST && a->mode <= QUERNEL_EP_MODE_CUBIC &&
           a->scale >= 0 && a->scale <= most && a->size <= INT32_MAX &&
           (a->scale > 0 || a->size > 0) && isfinite(a->roi[0]) && isfinite(a->roi[1]) &&
           isfinite(a->cubic);
}

static bool check_axis(const quernel_ep_axis *a) {
    const int64_t most = 1 << 16; // of padding, and of how many times larger something becomes
    switch (a->kind) {
    case QUERNEL_EP_AXIS_KEEP: return true;
    case QUERNEL_EP_AXIS_RESIZE: return check_resize(a, (float)most);
    case QUERNEL_EP_AXIS_SLICE:
        return a->step != 0 && a->step >= -INT32_MAX && a->step <= INT32_MAX;
    case QUERNEL_EP_AXIS_PAD:
        return a->begin >= -most && a->begin <= most && a->end >= -most && a->end <= most;
    default: return false;
    }
}

static bool check_step(check *k, const quernel_ep_step *s) {
    if (s->kind < 0 || s->kind >= QUERNEL_EP_N_KINDS) return fail(k, "a step has no known kind");
    if (!is_record(k, s->x) || !is_record(k, s->y) || (s->z != -1 && !is_record(k, s->z)))
        return fail(k, "an index is none of a value");
    if (s->kind == QUERNEL_EP_MATMUL && s->z < 0) return fail(k, "a product has one input");
    if (s->kind == QUERNEL_EP_CONV ? s->weights < 0 || s->weights >= (int32_t)k->p->image->n_weights
                                   : s->weights != -1)
        return fail(k, "a step has no weights");
    for (int i = 0; i < QUERNEL_EP_N_ARRAYS; i++)
        if (!span_fits(k, s->arrays[i])) return fail(k, "an array lies outside of it");
    if (!s->block[0] || !s->block[1] || s->block[0] > 256 || s->block[1] > 256 ||
        !check_window(&s->window) || !check_axis(&s->axes[0]) || !check_axis(&s->axes[1]))
        return fail(k, "a window, block or axis is out of range");
    if ((s->order != QUERNEL_EP_ORDER_IMAGE && s->order != QUERNEL_EP_ORDER_ROWS) ||
        (s->y_order != QUERNEL_EP_ORDER_IMAGE && s->y_order != QUERNEL_EP_ORDER_ROWS))
        return fail(k, "a step has no known order");
    return check_list(k, s);
}

// Each value is written once, before it is read, and none that is handed in.
static bool check_order(check *k, uint8_t *written) {
    const quernel_ep_program *p = k->p;
    for (uint32_t i = 0; i < p->image->n_records; i++)
        written[i] = p->records[i].input >= 0 || p->records[i].constant.bytes;
    for (uint32_t i = 0; i < p->image->n_steps; i++) {
        const quernel_ep_step *s = &p->steps[i];
        const int32_t *list = quernel_ep_program_at(p, s->arrays[QUERNEL_EP_LIST]);
        bool ready = written[s->x] && (s->z < 0 || written[s->z]) && !written[s->y];
        for (uint32_t j = 0; j < s->arrays[QUERNEL_EP_LIST].bytes / sizeof *list; j++)
            ready = ready && written[list[j]];
        if (!ready) return fail(k, "its steps are not in an order in which they can run");
        written[s->y] = 1;
    }
    for (uint32_t i = 0; i < p->image->n_records; i++)
        if (!written[i]) return fail(k, "a value is never written");
    return true;
}

// Every input and output of a run has its value; outputs one each.
static bool check_ends(check *k, uint8_t *seen) {
    int32_t *types = k->p->types;
    const quernel_ep_image *image = k->p->image;
    memset(seen, 0, (size_t)image->n_inputs + image->n_outputs);
    for (uint32_t i = 0; i < image->n_records; i++) {
        const quernel_ep_record *r = &k->p->records[i];
        if (r->output >= 0) types[image->n_inputs + (uint32_t)r->output] = r->type;
        if (r->output >= 0 && (r->input >= 0 || seen[image->n_inputs + (uint32_t)r->output]++))
            return fail(k, "an output is written twice");
        if (r->input < 0) continue;
        if (seen[r->input] && types[r->input] != r->type) return fail(k, "an input has two types");
        seen[r->input] = 1;
        types[r->input] = r->type;
    }
    for (uint32_t i = 0; i < image->n_inputs + image->n_outputs; i++)
        if (!seen[i]) return fail(k, "an input or output is missing");
    return true;
}

bool quernel_ep_program_is_sound(const quernel_ep_program *p, const char **ret_reason) {
    check k = {p, NULL};
    uint8_t *marks =
        calloc(1, (size_t)p->image->n_records + p->image->n_inputs + p->image->n_outputs + 1);
    bool sound = marks != NULL;
    for (uint32_t i = 0; i < p->image->n_records && sound; i++)
        sound = check_record(&k, &p->records[i]);
    for (uint32_t i = 0; i < p->image->n_steps && sound; i++) sound = check_step(&k, &p->steps[i]);
    sound = sound && check_order(&k, marks) && check_ends(&k, marks);
    free(marks);
    *ret_reason = k.why ? k.why : "no memory";
    return sound;
}
