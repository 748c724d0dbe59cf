// SPDX-License-Identifier: Apache-2.0
// Whether rows of a CSV are a network: who reads what, and that sizes fit.
#include <stdio.h>
#include <string.h>

#include "tune/workload/network_parts.h"

uint32_t network_rows(const shape *rows, uint32_t first, uint32_t count) {
    uint32_t end = first;
    while (end < count && !strcmp(rows[end].model, rows[first].model)) end++;
    return end - first;
}

// "MODEL: LAYER: column: value: why".
static bool refuse_text(network_workload *n, uint32_t row, const char *column, const char *value,
                        const char *why) {
    const shape *p = &n->rows[row];
    snprintf(n->reason, sizeof n->reason, "%s: %s: %s: %s: %s", p->model, p->layer, column, value,
             why);
    return false;
}

static bool refuse(network_workload *n, uint32_t row, const char *column, uint32_t value,
                   const char *why) {
    char text[16];
    snprintf(text, sizeof text, "%u", value);
    return refuse_text(n, row, column, text, why);
}

// Rows that read the network's input read all of it.
static bool reads_same_input(const network_workload *n, uint32_t row) {
    for (uint32_t i = 0; i < row; i++) {
        const shape *a = &n->rows[i], *b = &n->rows[row];
        if (!a->input)
            return a->batch == b->batch && a->c_in == b->c_in && a->h == b->h && a->w == b->w;
    }
    return true;
}

static bool fits_input(const network_workload *n, uint32_t row) {
    const shape *p = &n->rows[row];
    if (!p->input) return reads_same_input(n, row);
    const shape *from = &n->rows[p->input - 1];
    return from->batch == p->batch && from->c_out == p->c_in && from->h_out == p->h &&
           from->w_out == p->w;
}

static bool fits_residual(const network_workload *n, uint32_t row) {
    const shape *p = &n->rows[row], *from = &n->rows[p->residual - 1];
    return from->batch == p->batch && from->c_out == p->c_out && from->h_out == p->h_out &&
           from->w_out == p->w_out;
}

static bool is_read(const network_workload *n, uint32_t row) {
    for (uint32_t i = row + 1; i < n->count; i++)
        if (n->rows[i].input == row + 1 || n->rows[i].residual == row + 1) return true;
    return false;
}

static bool check_row(network_workload *n, uint32_t row) {
    static const char before[] = "must be a row of the model before this one",
                      sizes[] = "has other sizes than this row says";
    const shape *p = &n->rows[row];
    quernel_epilogue known = QUERNEL_EPILOGUE_INIT;
    if (p->input > row) return refuse(n, row, "input", p->input, before);
    if (p->residual > row) return refuse(n, row, "residual", p->residual, before);
    if (!fits_input(n, row)) return refuse(n, row, "input", p->input, sizes);
    if (p->residual && !fits_residual(n, row))
        return refuse(n, row, "residual", p->residual, sizes);
    if (!workload_set_activation(p->activation, &known))
        return refuse_text(n, row, "activation", p->activation, "is not known");
    return true;
}

static bool check_use(network_workload *n, uint32_t row) {
    return network_is_output(&n->rows[row]) || is_read(n, row) ||
           refuse(n, row, "row", row + 1, "no row reads it, and it has no slice of the output");
}

bool network_check_rows(network_workload *n) {
    for (uint32_t row = 0; row < n->count; row++)
        if (!check_row(n, row)) return false;
    for (uint32_t row = 0; row < n->count; row++)
        if (!check_use(n, row)) return false;
    return true;
}
