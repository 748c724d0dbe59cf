// SPDX-License-Identifier: Apache-2.0
// Landscapes and the work of their plans.
#include "landscapes.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/check.h"
#include "op/product.h"
#include "tune/workload/shape_key.h"

// Every instruction set: the plans are made, not run.
static const uint32_t any = UINT32_MAX;

// The layer of a landscape, as ref would run it. Its weights stay with the workload.
static bool make_layer(const landscape *l, shape *s, workload *ret) {
    request r;
    if (!shape_of_key(l->op, l->shape, l->env, s, &r)) return false;
    r.isa = QUERNEL_ISA_REF;
    return workload_make(ret, s, &r);
}

// Whether this build has the kernels of all plans: asked before a layer is made for them.
static bool has_kernels(const landscape *l) {
    quernel_i_config config;
    for (uint32_t i = 0; i < l->count; i++)
        if (quernel_i_config_parse(l->configs[i], "landscape", &config, NULL)) return false;
    return true;
}

static bool count_work(measured *m) {
    shape s;
    workload u = {0};
    m->work = malloc(m->landscape.count * sizeof *m->work);
    const quernel_i_machine machine = quernel_i_machine_of(any);
    bool fine = m->work && make_layer(&m->landscape, &s, &u);
    const quernel_i_problem *problem = fine ? &quernel_i_product_of(u.op)->problem : NULL;
    for (uint32_t i = 0; fine && i < m->landscape.count; i++) {
        quernel_i_config config;
        quernel_i_plan plan;
        fine = !quernel_i_config_parse(m->landscape.configs[i], "landscape", &config, NULL) &&
               !quernel_i_plan_make(problem, &config, &machine, &plan, NULL);
        if (fine) quernel_i_model_count(problem, &plan, &machine, m->work[i]);
    }
    workload_free(&u);
    return fine;
}

static int is_shown(const struct dirent *entry) { return *entry->d_name != '.'; }

static void load_file(const char *path, const char *name, measured *m, int *count) {
    *m = (measured){0};
    snprintf(m->name, sizeof m->name, "%.150s", name);
    if (!landscape_read(path, &m->landscape)) return;
    if (has_kernels(&m->landscape) && count_work(m)) ++*count;
    else landscape_free(&m->landscape), free(m->work);
}

// What lies below a folder, by name: files, and folders of files.
static void load_folder(const char *folder, measured *ret, int *count) {
    struct dirent **entries;
    const int found = scandir(folder, &entries, is_shown, alphasort);
    for (int i = 0; i < found; i++) {
        char path[1024];
        const char *name = entries[i]->d_name;
        snprintf(path, sizeof path, "%s/%s", folder, name);
        if (!strstr(name, ".tsv")) load_folder(path, ret, count);
        else if (*count < LANDSCAPES_MAX) load_file(path, name, &ret[*count], count);
        free(entries[i]);
    }
    if (found >= 0) free(entries);
}

int landscapes_load(measured *ret) {
    int count = 0;
    load_folder(QUERNEL_LANDSCAPES, ret, &count);
    if (!count) test_skip("no landscape has kernels that this build has");
    return count;
}

void landscapes_free(measured *all, int count) {
    for (int i = 0; i < count; i++) landscape_free(&all[i].landscape), free(all[i].work);
}
