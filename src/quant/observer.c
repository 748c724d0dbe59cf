// SPDX-License-Identifier: Apache-2.0
// Observers: creation, merging, statistics.
#include "quant/observer.h"

#include <string.h>

#include "base/desc.h"
#include "base/error.h"

#define WHERE "observer"
#define DESC QUERNEL_I_DESC(quernel_observer_desc, QUERNEL_OBSERVER_DESC_MIN, WHERE, "size")
// Bytes of a descriptor's members before its allocator, without the padding between.
#define DESC_BYTES (offsetof(quernel_observer_desc, pad_right) + sizeof(uint32_t))

static int check_geometry(const quernel_observer_desc *d, quernel_error *error) {
    const quernel_i_size sizes[] = {QUERNEL_I_KERNEL_SIZES(d), QUERNEL_I_SLIDE_SIZES(d)};
    return quernel_i_check_sizes(error, WHERE, sizes, sizeof sizes / sizeof *sizes, 65536);
}

static int check_desc(const quernel_observer_desc *d, quernel_error *error) {
    int code = quernel_i_check_range(error, QUERNEL_E_VALUE, WHERE, "granularity", d->granularity,
                                     0, QUERNEL_GRANULARITY_COLUMN);
    if (!code)
        code =
            quernel_i_check_range(error, QUERNEL_E_VALUE, WHERE, "histogram", d->histogram, 0, 1);
    if (!code && (d->granularity == QUERNEL_GRANULARITY_CHANNEL ||
                  d->granularity == QUERNEL_GRANULARITY_COLUMN))
        code = quernel_i_check_range(error, QUERNEL_E_SHAPE, WHERE, "channels", d->channels, 1,
                                     1 << 30);
    if (!code && d->granularity == QUERNEL_GRANULARITY_ROW)
        code = quernel_i_check_range(error, QUERNEL_E_SHAPE, WHERE, "rows", d->rows, 1, 1 << 30);
    if (!code && d->granularity == QUERNEL_GRANULARITY_COLUMN) code = check_geometry(d, error);
    return code ? code : quernel_i_allocator_check(d->allocator, WHERE, error);
}

static uint64_t count_groups(const quernel_observer_desc *d) {
    switch (d->granularity) {
    case QUERNEL_GRANULARITY_CHANNEL: return d->channels;
    case QUERNEL_GRANULARITY_ROW: return d->rows;
    case QUERNEL_GRANULARITY_COLUMN: {
        const uint64_t taps = (uint64_t)d->kernel_h * d->kernel_w;
        return taps > UINT32_MAX ? UINT64_MAX : taps * d->channels;
    }
    default: return 1;
    }
}

static void lay_out(quernel_observer *o, quernel_i_layout *block) {
    quernel_i_take(block, 1, sizeof *o);
    o->group = quernel_i_take(block, o->groups, sizeof *o->group);
    o->histogram =
        o->desc.histogram ? quernel_i_take(block, o->groups, sizeof *o->histogram) : NULL;
}

static int allocate(quernel_observer *plan, quernel_observer **ret_observer, quernel_error *error) {
    quernel_i_layout block = {0};
    lay_out(plan, &block);
    if (block.overflow)
        return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, "channels", -1,
                                   WHERE ": %u groups: their size overflows", plan->groups);
    quernel_observer *o = quernel_i_allocate(&plan->allocator, block.used);
    if (!o)
        return quernel_i_error_set(error, QUERNEL_E_MEMORY, "allocator", -1,
                                   WHERE ": no memory for %zu bytes", block.used);
    memset(o, 0, block.used);
    *o = *plan;
    o->bytes = block.used;
    block = (quernel_i_layout){.base = (uint8_t *)o};
    lay_out(o, &block);
    for (uint32_t g = 0; g < o->groups; g++)
        o->group[g].min = INFINITY, o->group[g].max = -INFINITY, o->group[g].first_nonfinite = -1;
    *ret_observer = o;
    return QUERNEL_OK;
}

int quernel_observer_create(const quernel_observer_desc *given, quernel_observer **ret_observer,
                            quernel_error *error) {
    if (!given) return quernel_i_error_null(error, WHERE, "desc");
    if (!ret_observer) return quernel_i_error_null(error, WHERE, "ret_observer");
    quernel_observer_desc read = QUERNEL_OBSERVER_DESC_INIT;
    const quernel_observer_desc *desc = &read;
    int code = quernel_i_desc_read(DESC, &read, given, error);
    if (!code) code = check_desc(desc, error);
    if (code) return code;
    const uint64_t groups = count_groups(desc);
    if (groups >= UINT32_MAX)
        return quernel_i_error_set(error, QUERNEL_E_OVERFLOW, "channels", -1,
                                   WHERE ": channels: %u: too many groups", desc->channels);
    quernel_observer plan = {.groups = (uint32_t)groups};
    // The allocator is kept apart: merging compares descriptors.
    memcpy(&plan.desc, desc, DESC_BYTES);
    plan.allocator = quernel_i_allocator(desc->allocator);
    return allocate(&plan, ret_observer, error);
}

void quernel_observer_destroy(quernel_observer *observer) {
    if (!observer) return;
    const quernel_allocator memory = observer->allocator;
    quernel_i_release(&memory, observer, observer->bytes);
}

uint32_t quernel_observer_groups(const quernel_observer *observer) {
    return observer ? observer->groups : 0;
}

// Sums and counts add up; the first value that is not finite is the one of the lower index.
static void merge_group(quernel_i_group *into, const quernel_i_group *from) {
    into->count += from->count, into->zeros += from->zeros;
    into->nans += from->nans, into->infs += from->infs;
    into->samples += from->samples, into->loud += from->loud;
    if (into->first_nonfinite < 0 ||
        (from->first_nonfinite >= 0 && from->first_nonfinite < into->first_nonfinite))
        into->first_nonfinite = from->first_nonfinite;
    if (from->min < into->min) into->min = from->min;
    if (from->max > into->max) into->max = from->max;
    quernel_i_exact_sum_merge(&into->sum_min, &from->sum_min);
    quernel_i_exact_sum_merge(&into->sum_max, &from->sum_max);
}

int quernel_observer_merge(quernel_observer *into, const quernel_observer *from,
                           quernel_error *error) {
    if (!into) return quernel_i_error_null(error, WHERE, "into");
    if (!from) return quernel_i_error_null(error, WHERE, "from");
    if (into == from)
        return quernel_i_error_set(error, QUERNEL_E_OVERLAP, "from", -1,
                                   WHERE ": from: is the observer it would be added to");
    if (memcmp(&into->desc, &from->desc, DESC_BYTES) != 0)
        return quernel_i_error_set(error, QUERNEL_E_SHAPE, "from", -1,
                                   WHERE ": from: was made of another descriptor");
    for (uint32_t g = 0; g < into->groups; g++) {
        merge_group(&into->group[g], &from->group[g]);
        if (into->histogram) quernel_i_histogram_merge(&into->histogram[g], &from->histogram[g]);
    }
    return QUERNEL_OK;
}

static quernel_observer_stats stats_of(const quernel_i_group *g) {
    const double samples = g->samples ? (double)g->samples : 1.0;
    quernel_observer_stats s = QUERNEL_OBSERVER_STATS_INIT;
    s.count = g->count, s.zeros = g->zeros, s.nans = g->nans, s.infs = g->infs;
    s.first_nonfinite = g->first_nonfinite, s.samples = g->samples;
    s.min = g->count ? g->min : 0.0f, s.max = g->count ? g->max : 0.0f;
    s.mean_min = -quernel_i_exact_sum_value(&g->sum_min) / samples;
    s.mean_max = quernel_i_exact_sum_value(&g->sum_max) / samples;
    return s;
}

int quernel_observer_get(const quernel_observer *observer, uint32_t group,
                         quernel_observer_stats *ret_stats, quernel_error *error) {
    if (!observer) return quernel_i_error_null(error, WHERE, "observer");
    if (!ret_stats) return quernel_i_error_null(error, WHERE, "ret_stats");
    const quernel_i_desc *desc =
        QUERNEL_I_DESC(quernel_observer_stats, QUERNEL_OBSERVER_STATS_MIN, WHERE, "ret_stats.size");
    const int code = quernel_i_desc_check(desc, ret_stats, error);
    if (code) return code;
    if (group >= observer->groups)
        return quernel_i_error_set(error, QUERNEL_E_SHAPE, "group", -1,
                                   WHERE ": group: %u: must be below %u", group, observer->groups);
    const quernel_observer_stats stats = stats_of(&observer->group[group]);
    quernel_i_desc_write(desc, ret_stats, &stats);
    return QUERNEL_OK;
}

int quernel_observer_absmax(const quernel_observer *observer, float *ret_max,
                            quernel_error *error) {
    if (!observer) return quernel_i_error_null(error, WHERE, "observer");
    if (!ret_max) return quernel_i_error_null(error, WHERE, "ret_max");
    for (uint32_t i = 0; i < observer->groups; i++) {
        const quernel_i_group *g = &observer->group[i];
        ret_max[i] = g->count ? fmaxf(fabsf(g->min), fabsf(g->max)) : 0.0f;
    }
    return QUERNEL_OK;
}
