// SPDX-License-Identifier: Apache-2.0
// Options of a session, as ONNX Runtime hands them on: "ep.<our name in small letters>.<key>".
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "ep.quernelexecutionprovider."

enum {
    THREADS_MOST = 4096,       // the library's limit
    TABLE_BYTES_MOST = 1 << 26 // tables of a whole fleet have under 1 MB
};

// Each reads one value and returns NULL, or why it is refused.

static const char *copy_to(char **ret_text, const char *value) {
    free(*ret_text);
    *ret_text = strdup(value);
    return *ret_text ? NULL : "out of memory";
}

static const char *read_flag(bool *ret_flag, const char *value) {
    if (strcmp(value, "0") && strcmp(value, "1")) return "must be 0 or 1";
    *ret_flag = value[0] == '1';
    return NULL;
}

static const char *read_threads(quernel_ep_settings *s, const char *value) {
    char *end;
    const long threads = strtol(value, &end, 10);
    if (end == value || *end || threads < 1 || threads > THREADS_MOST)
        return "must be a number of 1 ... 4096";
    s->compile.threads = (uint32_t)threads;
    return NULL;
}

static const char *read_isa(quernel_ep_settings *s, const char *value) {
    quernel_isa isa;
    quernel_cpu cpu = QUERNEL_CPU_INIT;
    if (quernel_isa_parse(value, &isa)) return "is no instruction set";
    if (quernel_cpu_get(&cpu) || !(cpu.usable >> isa & 1)) return "cannot run here";
    s->compile.isa = isa;
    return NULL;
}

static const char *read_islands(quernel_ep_settings *s, const char *value) {
    const bool units = !strcmp(value, "units"), all = !strcmp(value, "all");
    if (!units && !all && strcmp(value, "best")) return "must be best, units or all";
    s->compile.units = units;
    s->compile.all = units || all;
    return NULL;
}

static const char *read_verbose(quernel_ep_settings *s, const char *value) {
    return read_flag(&s->verbose, value);
}

static const char *read_report(quernel_ep_settings *s, const char *value) {
    return *value ? copy_to(&s->report, value) : "must be a path";
}

static const char *set_table(FILE *file) {
    char *text = malloc(TABLE_BYTES_MOST);
    const size_t bytes = text ? fread(text, 1, TABLE_BYTES_MOST, file) : 0;
    const char *why = NULL;
    if (!text || ferror(file)) why = "cannot be read";
    else if (bytes == TABLE_BYTES_MOST) why = "is larger than a table";
    else if (quernel_table_set(text, bytes, NULL)) why = "out of memory";
    free(text);
    return why;
}

// The table is the process's, as the library has it: sessions that exist keep their plans. "none"
// takes away what an earlier session gave.
static const char *read_table(quernel_ep_settings *s, const char *value) {
    (void)s;
    if (!strcmp(value, "none")) return quernel_table_set(NULL, 0, NULL) ? "out of memory" : NULL;
    FILE *file = fopen(value, "rb");
    if (!file) return "cannot be opened";
    const char *why = set_table(file);
    fclose(file);
    return why;
}

static const char *read_context(quernel_ep_settings *s, const char *value) {
    return read_flag(&s->context, value);
}

static const char *read_embed(quernel_ep_settings *s, const char *value) {
    return read_flag(&s->embed, value);
}

static const char *read_context_path(quernel_ep_settings *s, const char *value) {
    return *value ? copy_to(&s->context_path, value) : NULL;
}

static const struct {
    const char *key;
    const char *(*read)(quernel_ep_settings *settings, const char *value);
} readers[] = {
    {PREFIX "threads", read_threads},
    {PREFIX "isa", read_isa},
    {PREFIX "islands", read_islands},
    {PREFIX "verbose", read_verbose},
    {PREFIX "report", read_report},
    {PREFIX "table", read_table},
    {"ep.context_enable", read_context},
    {"ep.context_embed_mode", read_embed},
    {"ep.context_file_path", read_context_path},
};

static OrtStatus *read_entry(const OrtApi *api, quernel_ep_settings *s, const char *key,
                             const char *value) {
    const size_t skip = strncmp(key, PREFIX, sizeof PREFIX - 1) ? 0 : sizeof PREFIX - 1;
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        if (strcmp(key, readers[i].key)) continue;
        const char *why = readers[i].read(s, value);
        if (!why) return NULL;
        return quernel_ep_refuse(api, ORT_INVALID_ARGUMENT, "option %s: '%s': %s", key + skip,
                                 value, why);
    }
    if (!skip) return NULL; // the host's, or another provider's
    return quernel_ep_refuse(api, ORT_INVALID_ARGUMENT,
                             "option %s: unknown; there are threads, isa, islands, verbose, "
                             "report and table",
                             key + skip);
}

OrtStatus *quernel_ep_settings_read(const OrtApi *api, const OrtSessionOptions *options,
                                    quernel_ep_settings *ret_settings) {
    *ret_settings = (quernel_ep_settings){.compile = {.threads = 1, .isa = -1}};
    OrtKeyValuePairs *pairs;
    OrtStatus *status = api->GetSessionOptionsConfigEntries(options, &pairs);
    if (status) return status;
    const char *const *keys, *const *values;
    size_t count;
    api->GetKeyValuePairs(pairs, &keys, &values, &count);
    for (size_t i = 0; i < count && !status; i++)
        status = read_entry(api, ret_settings, keys[i], values[i]);
    api->ReleaseKeyValuePairs(pairs);
    if (status) quernel_ep_settings_free(ret_settings);
    return status;
}

void quernel_ep_settings_free(quernel_ep_settings *settings) {
    free(settings->report);
    free(settings->context_path);
    *settings = (quernel_ep_settings){0};
}
