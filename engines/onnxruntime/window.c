// SPDX-License-Identifier: Apache-2.0
// Windows over lines and pixels.
#include "window.h"

#include <string.h>

// strides, dilations and paddings that the library takes
enum { MAX = 65536 };

static bool read_list(quernel_ep_draft *d, const char *name, uint32_t spatial, int64_t min,
                      uint32_t *ret) {
    const int64_t *list;
    const uint32_t count = quernel_ep_ints(quernel_ep_node_of(d->c, d->node), name, &list);
    if (!count) return true;
    if (count != spatial) return QUERNEL_EP_REFUSE(d, "%s has %u numbers", name, count);
    for (uint32_t i = 0; i < count; i++) {
        if (list[i] < min || list[i] > MAX)
            return QUERNEL_EP_REFUSE(d, "%s: %lld is out of range", name, (long long)list[i]);
        ret[2 - spatial + i] = (uint32_t)list[i];
    }
    return true;
}

static bool read_pads(quernel_ep_draft *d, uint32_t spatial, quernel_ep_window *w) {
    const int64_t *list;
    const uint32_t count = quernel_ep_ints(quernel_ep_node_of(d->c, d->node), "pads", &list);
    if (!count) return true;
    if (count != 2 * spatial) return QUERNEL_EP_REFUSE(d, "pads has %u numbers", count);
    for (uint32_t i = 0; i < count; i++)
        if (list[i] < 0 || list[i] > MAX)
            return QUERNEL_EP_REFUSE(d, "pads: %lld is out of range", (long long)list[i]);
    for (uint32_t i = 0; i < spatial; i++) {
        w->begin[2 - spatial + i] = (uint32_t)list[i];
        w->end[2 - spatial + i] = (uint32_t)list[spatial + i];
    }
    return true;
}

static bool read_auto_pad(quernel_ep_draft *d, uint32_t spatial, quernel_ep_window *w) {
    const char *text = quernel_ep_text(quernel_ep_node_of(d->c, d->node), "auto_pad", "NOTSET");
    if (!strcmp(text, "NOTSET")) return read_pads(d, spatial, w);
    if (!strcmp(text, "VALID")) return true;
    w->auto_pad = !strcmp(text, "SAME_UPPER")   ? QUERNEL_EP_PAD_SAME_UPPER
                  : !strcmp(text, "SAME_LOWER") ? QUERNEL_EP_PAD_SAME_LOWER
                                                : QUERNEL_EP_PAD_GIVEN;
    return w->auto_pad || QUERNEL_EP_REFUSE(d, "auto_pad %s is not known", text);
}

static bool read_kernel(quernel_ep_draft *d, uint32_t spatial, const int64_t *kernel,
                        quernel_ep_window *w) {
    if (!read_list(d, "kernel_shape", spatial, 1, w->kernel)) return false;
    const int64_t *list;
    const bool given = quernel_ep_ints(quernel_ep_node_of(d->c, d->node), "kernel_shape", &list);
    if (!kernel) return given || QUERNEL_EP_REFUSE(d, "kernel_shape is left out");
    for (uint32_t i = 0; i < spatial; i++) {
        if (kernel[i] < 1 || kernel[i] > MAX || (given && kernel[i] != list[i]))
            return QUERNEL_EP_REFUSE(d, "kernel_shape is not that of the weights");
        w->kernel[2 - spatial + i] = (uint32_t)kernel[i];
    }
    return true;
}

bool quernel_ep_window_read(quernel_ep_draft *d, uint32_t spatial, const int64_t *kernel,
                            quernel_ep_window *ret_window) {
    quernel_ep_window w = {{1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}, {0, 0}, 0, 0};
    if (!read_kernel(d, spatial, kernel, &w) || !read_list(d, "strides", spatial, 1, w.stride) ||
        !read_list(d, "dilations", spatial, 1, w.dilation) ||
        !read_list(d, "output_padding", spatial, 0, w.out_pad) || !read_auto_pad(d, spatial, &w))
        return false;
    const int64_t ceil_mode = quernel_ep_int(quernel_ep_node_of(d->c, d->node), "ceil_mode", 0);
    w.ceil_mode = ceil_mode != 0;
    *ret_window = w;
    return true;
}

void quernel_ep_window_pads(const quernel_ep_window *w, int axis, uint32_t size,
                            uint32_t *ret_begin, uint32_t *ret_end) {
    *ret_begin = w->begin[axis], *ret_end = w->end[axis];
    if (!w->auto_pad) return;
    const uint64_t stride = w->stride[axis],
                   window = (uint64_t)w->dilation[axis] * (w->kernel[axis] - 1) + 1,
                   covered = ((size + stride - 1) / stride - 1) * stride + window,
                   missing = covered > size ? covered - size : 0;
    const uint32_t less = (uint32_t)(missing / 2), more = (uint32_t)(missing - missing / 2);
    *ret_begin = w->auto_pad == QUERNEL_EP_PAD_SAME_UPPER ? less : more;
    *ret_end = w->auto_pad == QUERNEL_EP_PAD_SAME_UPPER ? more : less;
}
