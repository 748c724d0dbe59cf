// SPDX-License-Identifier: Apache-2.0
// The plan as text: "kernel=NAME path=staged strip_h=8 …", written by explain and read back as demands.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "plan/plan.h"
#include "registry/registry.h"

static const char *const paths[] = {"inplace", "staged", "packed"};

enum { WORD = 96 };

static int refuse(quernel_error *error, const char *where, const char *word) {
    return quernel_i_error_set(error, QUERNEL_E_VALUE, "config", -1, "%s: config: %s: unknown key or value", where, word);
}

static bool parse_count(const char *value, uint32_t *ret) {
    char *end;
    const unsigned long number = strtoul(value, &end, 10);
    if (*value < '0' || *value > '9' || *end || number == 0 || number > INT32_MAX) return false;
    *ret = (uint32_t)number;
    return true;
}

static bool parse_path(const char *value, int32_t *ret) {
    for (int i = 0; i < 3; i++)
        if (!strcmp(value, paths[i])) {
            *ret = i;
            return true;
        }
    return false;
}

static bool parse_word(char *word, quernel_i_config *config) {
    char *value = strchr(word, '=');
    if (!value) return false;
    const size_t key = (size_t)(value++ - word);
    const struct {
        const char *name;
        uint32_t *into;
    } counts[] = {{"strip_h", &config->strip_h}, {"strip_w", &config->strip_w}, {"chunk", &config->chunk},
                  {"block", &config->block},     {"parts", &config->parts}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (strlen(counts[i].name) == key && !strncmp(word, counts[i].name, key)) return parse_count(value, counts[i].into);
    if (key == 4 && !strncmp(word, "path", key)) return parse_path(value, &config->path);
    if (key != 6 || strncmp(word, "kernel", key)) return false;
    config->kernel = quernel_i_registry_named(value);
    return config->kernel != NULL;
}

int quernel_i_config_parse(const char *text, const char *where, quernel_i_config *ret_config, quernel_error *error) {
    quernel_i_config config = {.path = -1};
    while (text && *text) {
        text += strspn(text, " ");
        const size_t length = strcspn(text, " ");
        char word[WORD], copy[WORD];
        if (!length) break;
        if (length >= WORD) return refuse(error, where, "a word that is too long");
        memcpy(word, text, length);
        word[length] = 0;
        memcpy(copy, word, length + 1);
        if (!parse_word(word, &config)) return refuse(error, where, copy);
        text += length;
    }
    *ret_config = config;
    return QUERNEL_OK;
}

size_t quernel_i_plan_explain(const quernel_i_layer *l, char *text, size_t capacity) {
    const char *kernel = (quernel_i_layer_depthwise(l) ? l->depthwise : l->gemm)->name;
    const int length = snprintf(text, capacity, "kernel=%s path=%s strip_h=%u strip_w=%u chunk=%u block=%u parts=%u",
                                kernel, paths[l->path], l->strip_h, l->strip_w, l->chunk, l->columns_block, l->parts);
    return length > 0 ? (size_t)length : 0;
}
