// SPDX-License-Identifier: Apache-2.0
// The plan as text: "kernel=NAME path=staged strip_h=8 …", written by explain and read back as
// demands.
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "cpu/cpu.h"
#include "plan/plan.h"
#include "registry/registry.h"

enum { WORD = 96 }; // bytes: "kernel=" and the longest name of a kernel take some 50

#define KNOB(key, words, tries, meaning) \
    {#key, words, tries, meaning, offsetof(quernel_i_config, key)},
#define COUNT(key, member, tries, meaning) KNOB(key, NULL, tries, meaning)
#define CHOICE(key, member, words, meaning) KNOB(key, words, NULL, meaning)
#define SET(key, member, meaning) KNOB(key, NULL, NULL, meaning)
const quernel_i_knob quernel_i_knobs[] = {
#include "plan/knobs.def"
    {0}};

static int refuse(quernel_error *error, const char *where, const char *word) {
    return quernel_i_error_set(error, QUERNEL_E_VALUE, "config", -1,
                               "%s: config: %s: unknown key or value, or a second one", where,
                               word);
}

static bool parse_count(const char *value, uint32_t *ret) {
    char *end;
    const unsigned long count = strtoul(value, &end, 10);
    if (*value < '0' || *value > '9' || *end || count == 0 || count > INT32_MAX) return false;
    *ret = (uint32_t)count;
    return true;
}

// The index of `value` among space-separated words, counted from 1.
static bool parse_choice(const char *words, const char *value, uint32_t *ret) {
    const size_t wanted = strlen(value);
    for (uint32_t index = 1; *words; index++) {
        const size_t length = strcspn(words, " ");
        if (length == wanted && !memcmp(words, value, length)) {
            *ret = index;
            return true;
        }
        words += length + (words[length] == ' ');
    }
    return false;
}

static bool parse_set(const char *value, uint32_t *ret) {
    quernel_isa isa;
    if (quernel_isa_parse(value, &isa)) return false;
    *ret = (uint32_t)isa + 1;
    return true;
}

static bool parse_value(const quernel_i_knob *k, const char *value, uint32_t *ret) {
    if (k->words) return parse_choice(k->words, value, ret);
    return k->tries ? parse_count(value, ret) : parse_set(value, ret);
}

static bool parse_word(char *word, quernel_i_config *config) {
    char *value = strchr(word, '=');
    if (!value) return false;
    *value++ = 0;
    if (!strcmp(word, "kernel"))
        return !config->kernel && (config->kernel = quernel_i_registry_named(value)) != NULL;
    for (const quernel_i_knob *k = quernel_i_knobs; k->key; k++)
        if (!strcmp(word, k->key))
            return !quernel_i_knob_get(k, config) &&
                   parse_value(k, value, quernel_i_knob_demand(k, config));
    return false;
}

int quernel_i_config_parse(const char *text, const char *where, quernel_i_config *ret_config,
                           quernel_error *error) {
    quernel_i_config config = {0};
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

static size_t add_value(char *text, size_t capacity, size_t used, const quernel_i_knob *k,
                        uint32_t value) {
    if (!k->words && k->tries) return quernel_i_text_add(text, capacity, used, "%u", value);
    const char *word = k->words ? k->words : quernel_i_isas[value - 1].name;
    while (k->words && --value) word += strcspn(word, " ") + 1;
    return quernel_i_text_add(text, capacity, used, "%.*s", (int)strcspn(word, " "), word);
}

size_t quernel_i_config_print(const quernel_i_config *config, char *text, size_t capacity) {
    if (capacity) *text = 0;
    size_t used = config->kernel
                      ? quernel_i_text_add(text, capacity, 0, "kernel=%s", config->kernel->name)
                      : 0;
    for (const quernel_i_knob *k = quernel_i_knobs; k->key; k++) {
        const uint32_t value = quernel_i_knob_get(k, config);
        if (!value) continue;
        used = quernel_i_text_add(text, capacity, used, "%s%s=", used ? " " : "", k->key);
        used = add_value(text, capacity, used, k, value);
    }
    return used;
}

quernel_i_config quernel_i_config_of(const quernel_i_plan *plan) {
    quernel_i_config config;
    // also what lies between members: configs are compared as bytes
    memset(&config, 0, sizeof config);
    config.kernel = plan->kernels.main;
#define COUNT(key, member, tries, meaning) config.key = plan->member;
#define CHOICE(key, member, words, meaning) config.key = (uint32_t)plan->member + 1;
#define SET(key, member, meaning) config.key = plan->member ? plan->member->isa + 1u : 0;
#include "plan/knobs.def"
    return config;
}

size_t quernel_i_plan_explain(const quernel_i_plan *plan, char *text, size_t capacity) {
    const quernel_i_config config = quernel_i_config_of(plan);
    return quernel_i_config_print(&config, text, capacity);
}
