// SPDX-License-Identifier: Apache-2.0
// quernel plot: a landscape as one self-contained SVG: a heat map of the search space over two
// knobs, and the model's prediction against what was measured.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/plan.h"
#include "tune/program/options.h"
#include "tune/program/output.h"
#include "tune/program/program.h"
#include "tune/program/shape_options.h"
#include "tune/search/landscape.h"

static const char usage[] = "usage: quernel plot LANDSCAPE [--x KEY] [--y KEY] [--out F.svg]\n"
                            "\n"
                            "Draws what quernel record measured. A cell is the best plan with "
                            "those two values, as its time over\n"
                            "the best plan's; without --x and --y the two knobs with the most "
                            "values. The default is framed.\n"
                            "--out: without it stdout.\n";

enum {
    VALUES_MAX = 24,
    WORD = 40,
    CELL_W = 62,
    CELL_H = 34,
    LEFT = 130,
    TOP = 118,
    GAP = 130,
    SIDE = 360,
    LEADERS = 6,
    MIN_W = 680
};

typedef struct axis {
    const char *key;
    char value[VALUES_MAX][WORD];
    int count;
} axis;

typedef struct plot {
    const landscape *land;
    double *over_best, *predicted; // of each plan; predicted NaN where it cannot be made
    double best_ns;
    axis x, y;
    FILE *to;
} plot;

static int value_index(const axis *a, const char *value) {
    for (int i = 0; i < a->count; i++)
        if (!strcmp(a->value[i], value)) return i;
    return -1;
}

static bool has_value(const axis *a, int index, const char *config) {
    char value[WORD];
    return config_word(config, a->key, value, WORD) && !strcmp(value, a->value[index]);
}

static int by_number(const void *a, const void *b) {
    const double x = strtod(a, NULL), y = strtod(b, NULL);
    return x != y ? (x > y) - (x < y) : strcmp(a, b);
}

static axis make_axis(const landscape *l, const char *key) {
    axis a = {.key = key};
    for (uint32_t p = 0; p < l->count; p++) {
        char value[WORD];
        if (config_word(l->configs[p], key, value, WORD) && value_index(&a, value) < 0 &&
            a.count < VALUES_MAX)
            strcpy(a.value[a.count++], value);
    }
    qsort(a.value, (size_t)a.count, sizeof *a.value, by_number);
    return a;
}

static void choose_axes(plot *p, const char *x, const char *y) {
    for (const quernel_i_knob *k = quernel_i_knobs; k->key; k++) {
        const axis a = make_axis(p->land, k->key);
        if (!x && a.count > p->x.count) {
            if (!y) p->y = p->x;
            p->x = a;
        } else if (!y && a.count > p->y.count) p->y = a;
    }
    if (x) p->x = make_axis(p->land, x);
    if (y) p->y = make_axis(p->land, y);
}

// What the model says of each plan, by making it.
static void predict(plot *p) {
    shape s;
    request r;
    workload u;
    const landscape *l = p->land;
    for (uint32_t i = 0; i < l->count; i++) p->predicted[i] = NAN;
    if (!shape_of_key(l->op, l->shape, l->env, &s, &r)) return;
    if (workload_make(&u, &s, &r))
        for (uint32_t i = 0; i < l->count; i++) {
            quernel_operator *op = NULL;
            quernel_plan_choice choice = QUERNEL_PLAN_CHOICE_INIT;
            if (workload_operator(&u, l->configs[i], &op, NULL)) continue;
            if (!quernel_operator_choice(op, &choice)) p->predicted[i] = choice.predicted_ns;
            quernel_operator_destroy(op);
        }
    workload_free(&u);
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

static void draw_cell(const plot *p, int ix, int iy) {
    double best = INFINITY;
    int is_default = 0;
    for (uint32_t i = 0; i < p->land->count; i++) {
        if (!has_value(&p->x, ix, p->land->configs[i]) ||
            !has_value(&p->y, iy, p->land->configs[i]))
            continue;
        best = fmin(best, p->over_best[i]);
        is_default |= i == 0;
    }
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
         best < 1.6 ? "#ffffff" : "#222222", words);
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

static void draw(const plot *p) {
    const landscape *l = p->land;
    const double middle = fmax(LEFT + p->x.count * CELL_W + GAP, MIN_W), width = middle + SIDE + 40;
    const double height = TOP + fmax(SIDE + 60, p->y.count * CELL_H + 96 + 16 * LEADERS);
    char words[512];
    fprintf(p->to,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 "
            "0 %.0f %.0f\" "
            "font-family=\"DejaVu Sans, Helvetica, Arial, sans-serif\">\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
            width, height, width, height);
    text(p, 24, 34, "start", 18, "#111111", l->op);
    snprintf(words, sizeof words, "%.95s, %.31s, %.127s", l->shape, l->env, l->machine);
    text(p, 24, 56, "start", 13, "#444444", words);
    snprintf(words, sizeof words,
             "%u plans, %u paired rounds; the best takes %.3f ms, the default %.3f times that",
             l->count, l->rounds, 1e-6 * p->best_ns, p->over_best[0]);
    text(p, 24, 76, "start", 13, "#444444", words);
    draw_heat_map(p);
    draw_leaders(p);
    draw_scatter(p, middle);
    fputs("</svg>\n", p->to);
}

static int make_plot(const landscape *l, const char *x, const char *y, FILE *to) {
    plot p = {.land = l, .to = to};
    const uint32_t best = landscape_best(l);
    p.over_best = malloc(l->count * sizeof *p.over_best),
    p.predicted = malloc(l->count * sizeof *p.predicted);
    const int fine = p.over_best && p.predicted;
    if (fine) {
        for (uint32_t i = 0; i < l->count; i++) p.over_best[i] = landscape_ratio(l, i, best);
        p.best_ns = landscape_median(l, best);
        choose_axes(&p, x, y);
        predict(&p);
    }
    if (fine && p.x.count && p.y.count) draw(&p);
    free(p.over_best), free(p.predicted);
    return fine && p.x.count && p.y.count;
}

static void help(void) { fputs(usage, stdout); }

typedef struct plot_options {
    const char *path, *x, *y, *out;
} plot_options;

static bool take(void *user, option o) {
    plot_options *p = user;
    if (option_is(o, "?") && !p->path) return (p->path = o.value) != NULL;
    if (option_is(o, "x")) return (p->x = o.value) != NULL;
    if (option_is(o, "y")) return (p->y = o.value) != NULL;
    return option_is(o, "out") && (p->out = o.value);
}

static int plot_into(const plot_options *o, const landscape *l) {
    FILE *to = o->out ? fopen(o->out, "w") : stdout;
    int code = EXIT_DONE;
    if (!to) return usage_error("plot", "--out", o->out);
    if (!make_plot(l, o->x, o->y, to))
        code = usage_error("plot", "--x, --y", "no plan has such a key");
    if (o->out && fclose(to)) code = usage_error("plot", "--out", o->out);
    return code;
}

int command_plot(int argc, char **argv) {
    static const command_line line = {"plot", "", help, take};
    plot_options o = {0};
    int code = options_read(&line, argc, argv, &o);
    if (code == GO_ON && !o.path) code = usage_error("plot", "LANDSCAPE", NULL);
    landscape l;
    if (code == GO_ON && !landscape_read(o.path, &l)) code = EXIT_USAGE;
    if (code != GO_ON) return code;
    code = plot_into(&o, &l);
    landscape_free(&l);
    return code;
}
