// SPDX-License-Identifier: Apache-2.0
// The options that say how a layer is run.
#include "tune/program/request_options.h"

const char *const smooth_names[] = {"none", "channel", "column", NULL};

bool request_take(request *r, option o) {
    static const char *const layouts[] = {"nhwc", "nchw", NULL}, *const types[] = {"s8", "u8",
                                                                                   NULL};
    static const char *const scales[] = {"static", "dynamic", NULL};
    int i = -1;
    if (option_is(o, "boundary"))
        r->boundary = (enum boundary)(i = parse_choice(o.value, boundary_names));
    else if (option_is(o, "layout")) r->nchw = i = parse_choice(o.value, layouts);
    else if (option_is(o, "x"))
        r->x_type = (i = parse_choice(o.value, types)) ? QUERNEL_TYPE_U8 : QUERNEL_TYPE_S8;
    else if (option_is(o, "scale")) r->dynamic = i = parse_choice(o.value, scales);
    else if (option_is(o, "threads")) return parse_u32(o.value, 1, &r->threads);
    else if (option_is(o, "config")) return (r->config = o.value) != NULL;
    return i >= 0;
}
