// SPDX-License-Identifier: Apache-2.0
// The SVG of a plot. Sizes are in pixels.
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "tune/program/output.h"
#include "tune/program/plot.h"

enum {
    CELL_W = 62, // of the heat map
    CELL_H = 34,
    LEFT = 130, // where its first cell is
    TOP = 118,
    GAP = 130,   // between it and the scatter plot
    SIDE = 360,  // of the scatter plot, a square
    LEADERS = 6, // plans that are named below it
    MIN_W = 680  // for their names
};

static bool has_value(const axis *a, int index, const char *config) {
    char value[AXIS_WORD];
    return config_word(config, a->key, value, AXIS_WORD) && !strcmp(value, a->value[index]);
}

// From deep blue (the best) over green to yellow (half as fast or worse).
static void colour(double over_best, char *to) {
    static const double stops[4][3] = {
        {48, 44, 122}, {38, 122, 142}, {94, 190, 108}, {250, 228, 80}};
    const double at = fmin(fmax(log2(over_best), 0), 1) * 3;
    const int from = at >= 3 ? 2 : (int)at;
    int rgb[3];
    for (int i = 0; i < 3; i++)
        rgb[i] = (int)(stops[from][i] + (at - from) * (stops[from + 1][i] - stops[from][i]));
    snprintf(to, 8, "#%02x%02x%02x", rgb[0] & 255, rgb[1] & 255, rgb[2] & 255);
}

// One line of text, its letters escaped.
static void text(const plot *p, double x, double y, const char *anchor, int size, const char *fill,
                 const char *words) {
    fprintf(p->to, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" font-size=\"%d\" fill=\"%s\">",
            x, y, anchor, size, fill);
    for (; *words; words++) {
        if (*words == '<') fputs("&lt;", p->to);
        else if (*words == '&') fputs("&amp;", p->to);
        else fputc(*words, p->to);
    }
    fputs("</text>\n", p->to);
}

// The best plan of a cell, over the best of all; infinite where no plan has both values.
static double best_of_cell(const plot *p, int ix, int iy, bool *ret_default) {
    double best = INFINITY;
    *ret_default = false;
    for (uint32_t i = 0; i < p->land->count; i++) {
        const char *config = p->land->configs[i];
        if (!has_value(&p->x, ix, config) || !has_value(&p->y, iy, config)) continue;
        best = fmin(best, p->over_best[i]);
        *ret_default |= i == 0;
    }
    return best;
}

static void draw_cell(const plot *p, int ix, int iy) {
    bool is_default;
    const double best = best_of_cell(p, ix, iy, &is_default);
    char fill[8] = "#eeeeee", words[16];
    const double left = LEFT + ix * CELL_W, top = TOP + iy * CELL_H;
    if (isfinite(best)) colour(best, fill);
    fprintf(p->to,
            "<rect x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"%d\" rx=\"3\" fill=\"%s\"%s/>\n",
            left + 1, top + 1, CELL_W - 2, CELL_H - 2, fill,
            is_default ? " stroke=\"#d2342a\" stroke-width=\"3\"" : "");
    if (!isfinite(best)) return;
    snprintf(words, sizeof words, "%.3f", best);
    text(p, left + CELL_W / 2.0, top + CELL_H / 2.0 + 4, "middle", 12,
         best < 1.6 ? "#ffffff" : "#222222", words); // white on dark cells
}

static void draw_heat_map(const plot *p) {
    char words[96];
    for (int iy = 0; iy < p->y.count; iy++) {
        for (int ix = 0; ix < p->x.count; ix++) draw_cell(p, ix, iy);
        text(p, LEFT - 8, TOP + iy * CELL_H + CELL_H / 2.0 + 4, "end", 12, "#333333",
             p->y.value[iy]);
    }
    for (int ix = 0; ix < p->x.count; ix++)
        text(p, LEFT + ix * CELL_W + CELL_W / 2.0, TOP + p->y.count * CELL_H + 16, "middle", 12,
             "#333333", p->x.value[ix]);
    text(p, LEFT + p->x.count * CELL_W / 2.0, TOP + p->y.count * CELL_H + 36, "middle", 13,
         "#111111", p->x.key);
    snprintf(words, sizeof words, "%s \xe2\x86\x93", p->y.key);
    text(p, LEFT - 8, TOP - 10, "end", 13, "#111111", words);
    snprintf(words, sizeof words,
             "time over the best plan's (best of each cell; the default's cell is framed)");
    text(p, LEFT, TOP - 10, "start", 13, "#111111", words);
}

// The plans that lead, and the default, in words below the heat map.
static void draw_leaders(const plot *p) {
    double last = 0, y = TOP + p->y.count * CELL_H + 76;
    text(p, 24, y - 18, "start", 13, "#111111", "the default and the leading plans");
    for (int n = 0; n <= LEADERS; n++) {
        uint32_t best = 0;
        for (uint32_t i = 1; n && i < p->land->count; i++)
            if (p->over_best[i] > last && (!best || p->over_best[i] < p->over_best[best])) best = i;
        if (n && !best) return;
        char words[400];
        const char *config = p->land->configs[best], *kernel = strstr(config, "quernel_uk_");
        snprintf(words, sizeof words, "%.3f  %s", p->over_best[best],
                 kernel ? kernel + strlen("quernel_uk_") : config);
        text(p, 24, y, "start", 11, n ? "#444444" : "#d2342a", words);
        if (n) last = p->over_best[best];
        y += 16;
    }
}

// The part of the scatter plot that is drawn: a square, logarithmic from lo to hi on both sides.
typedef struct scatter {
    double left, lo, hi;
} scatter;

static double scatter_at(const scatter *s, double ns) {
    return (log(ns) - log(s->lo)) / (log(s->hi) - log(s->lo)) * SIDE;
}

static scatter make_scatter(const plot *p, double left) {
    scatter s = {left, INFINITY, 0};
    for (uint32_t i = 0; i < p->land->count; i++) {
        const double measured = p->best_ns * p->over_best[i];
        const double predicted = isnan(p->predicted[i]) ? measured : p->predicted[i];
        s.lo = fmin(s.lo, fmin(measured, predicted)), s.hi = fmax(s.hi, fmax(measured, predicted));
    }
    s.lo /= 1.1, s.hi *= 1.1;
    return s;
}

static void draw_point(const plot *p, const scatter *s, uint32_t plan) {
    char fill[8];
    if (isnan(p->predicted[plan])) return;
    colour(p->over_best[plan], fill);
    fprintf(p->to,
            "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"5\" fill=\"%s\"%s><title>%s</title></circle>\n",
            s->left + scatter_at(s, p->best_ns * p->over_best[plan]),
            TOP + SIDE - scatter_at(s, p->predicted[plan]), fill,
            plan ? "" : " stroke=\"#d2342a\" stroke-width=\"3\"", p->land->configs[plan]);
}

static void draw_ticks(const plot *p, const scatter *s) {
    const double bottom = TOP + SIDE;
    for (int tick = 0; tick <= 4; tick++) {
        char words[64];
        const double ns = s->lo * pow(s->hi / s->lo, tick / 4.0), at = SIDE * tick / 4.0;
        snprintf(words, sizeof words, "%.3g", 1e-6 * ns);
        text(p, s->left + at, bottom + 16, "middle", 12, "#333333", words);
        text(p, s->left - 6, bottom - at + 4, "end", 12, "#333333", words);
    }
    text(p, s->left + SIDE / 2.0, bottom + 36, "middle", 13, "#111111", "measured");
}

static void draw_scatter(const plot *p, double left) {
    const scatter s = make_scatter(p, left);
    fprintf(
        p->to,
        "<rect x=\"%.1f\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"#999999\"/>\n",
        left, TOP, SIDE, SIDE);
    fprintf(p->to,
            "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%d\" stroke=\"#bbbbbb\" "
            "stroke-dasharray=\"4 4\"/>\n",
            left, (double)(TOP + SIDE), left + SIDE, TOP);
    for (uint32_t i = p->land->count; i-- > 0;) draw_point(p, &s, i);
    text(p, left, TOP - 10, "start", 13, "#111111",
         "predicted by the model against measured, ms (logarithmic)");
    draw_ticks(p, &s);
}

// What was measured, in three lines.
static void draw_title(const plot *p) {
    const landscape *l = p->land;
    char words[512];
    text(p, 24, 34, "start", 18, "#111111", l->op);
    snprintf(words, sizeof words, "%.95s, %.31s, %.127s", l->shape, l->env, l->machine);
    text(p, 24, 56, "start", 13, "#444444", words);
    snprintf(words, sizeof words,
             "%u plans, %u paired rounds; the best takes %.3f ms, the default %.3f times that",
             l->count, l->rounds, 1e-6 * p->best_ns, p->over_best[0]);
    text(p, 24, 76, "start", 13, "#444444", words);
}

void plot_draw(const plot *p) {
    const double middle = fmax(LEFT + p->x.count * CELL_W + GAP, MIN_W), width = middle + SIDE + 40;
    const double height = TOP + fmax(SIDE + 60, p->y.count * CELL_H + 96 + 16 * LEADERS);
    fprintf(p->to,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 "
            "0 %.0f %.0f\" "
            "font-family=\"DejaVu Sans, Helvetica, Arial, sans-serif\">\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
            width, height, width, height);
    draw_title(p);
    draw_heat_map(p);
    draw_leaders(p);
    draw_scatter(p, middle);
    fputs("</svg>\n", p->to);
}
