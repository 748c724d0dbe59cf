// SPDX-License-Identifier: Apache-2.0
// Sums of depthwise_dot.h as f32 NCHW: from quads to lines of floats, and the fetching of what they
// will be stored to.

// Floats of NCHW: 4 channels of a pixel lie side by side in a part of its quad. `act` is a constant
// where this is called.
static inline __attribute__((always_inline)) void
planes_act(lines_tile t, const quernel_i_epilogue *f, uint32_t byte, int act, bool past) {
    const int32_t *acc = t.acc;
    for (uint32_t n = 0; n < t.oc; n += 4, byte += 4) {
        t.acc = acc + byte / 4 % 4 * (CHANNELS / 4) + byte / LANE * 4 - n;
        lines_run_4(&t, f, n, act, past);
    }
}

static void finish_planes(const work *w, const stretch *s, const quad *sums, uint32_t group,
                          uint32_t line) {
    const quernel_i_epilogue f = depthwise_epilogue(w->d, line);
    const lines_tile t = {(const int32_t *)sums,
                          sizeof(quad) / sizeof(int32_t),
                          s->pixels,
                          w->count,
                          s->pixel,
                          w->channel};
    const uint32_t byte = group * w->width;
    if (f.act == QUERNEL_I_ACT_RELU) planes_act(t, &f, byte, QUERNEL_I_ACT_RELU, w->past);
    else if (f.act == QUERNEL_I_ACT_CLAMP) planes_act(t, &f, byte, QUERNEL_I_ACT_CLAMP, w->past);
    else if (f.act == QUERNEL_I_ACT_PRELU) planes_act(t, &f, byte, QUERNEL_I_ACT_PRELU, w->past);
    else planes_act(t, &f, byte, QUERNEL_I_ACT_NONE, w->past);
}

// Fetches a stretch of a line of the output.
static void fetch_line(const work *w, const stretch *s, uint32_t line) {
    const quernel_i_epilogue *f = w->d->epilogue;
    const uint8_t *y = (const uint8_t *)f->y + (ptrdiff_t)line * w->d->y_line +
                       s->pixel * f->y_row + (ptrdiff_t)w->channel * f->y_col;
    for (uint32_t c = 0; c < w->count; c++, y += f->y_col)
        planes_fetch(y, s->pixels * f->y_row, w->past);
}

// Fetches what a stretch will write, while it is computed. Images of 14 and 7 pixels are there.
static void fetch_planes(const work *w, const stretch *s) {
    for (uint32_t l = 0; l < w->lines && s->line + l < w->group_lines; l++)
        for (uint32_t g = 0; g < w->groups && w->d->rows >= STRETCH; g++) {
            const uint32_t line = g * w->group_lines + s->line + l;
            if (line < w->d->lines) fetch_line(w, s, line);
        }
}
