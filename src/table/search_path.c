// SPDX-License-Identifier: Apache-2.0
// Where tables are looked for, and the one that the program gives.
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "cpu/cpu.h"
#include "table/class.h"
#include "table/table.h"

enum { TABLES_MAX = 64 };
enum { MAX_PATH_BYTES = 512 }; // longer ones are not looked at; messages cut them sooner
#ifndef QUERNEL_SYSCONFDIR
#define QUERNEL_SYSCONFDIR "/etc"
#endif

extern const char quernel_i_embedded[]; // made of tune/tables by the build

static const quernel_i_table *tables[TABLES_MAX + 1];
static uint32_t count;
static char rates[128];

static void add(quernel_i_table *table) {
    if (!table || count == TABLES_MAX) {
        quernel_i_table_free(table);
        return;
    }
    if (table->wrong || table->bad)
        quernel_i_log("table %s: %s%s%u lines cannot be read", table->path,
                      table->wrong ? table->wrong : "", table->wrong ? ", " : "", table->bad);
    tables[count++] = table;
}

// An absolute path from the environment, or `otherwise` below $HOME.
static bool base_directory(const char *variable, const char *otherwise, char *path,
                           size_t capacity) {
    const char *given = getenv(variable), *home = getenv("HOME");
    if (given && *given == '/') return (size_t)snprintf(path, capacity, "%s", given) < capacity;
    return home && *home == '/' &&
           (size_t)snprintf(path, capacity, "%s/%s", home, otherwise) < capacity;
}

int quernel_i_tables_cache(const char *file, char *path, size_t capacity) {
    char base[MAX_PATH_BYTES];
    return base_directory("XDG_CACHE_HOME", ".cache", base, sizeof base) &&
           (size_t)snprintf(path, capacity, "%s/quernel/%s", base, file) < capacity;
}

static int is_table(const struct dirent *entry) {
    const char *dot = strrchr(entry->d_name, '.');
    return dot && dot != entry->d_name && !strcmp(dot, ".qtn");
}

// Every *.qtn of a folder, by name.
static void add_folder(const char *folder) {
    struct dirent **entries;
    const int entry_count = scandir(folder, &entries, is_table, alphasort);
    for (int i = 0; i < entry_count; i++) {
        char path[2 * MAX_PATH_BYTES];
        const int length = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (length > 0 && (size_t)length < sizeof path) add(quernel_i_table_read(path, NULL, NULL));
        free(entries[i]);
    }
    if (entry_count >= 0) free(entries);
}

// The tuner's probe of this machine: "class TAB rates", good as long as the class is the same.
static void read_rates(void) {
    char path[MAX_PATH_BYTES], line[512], own[QUERNEL_I_CLASS_MAX];
    if (!quernel_i_tables_cache("probe", path, sizeof path)) return;
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const ssize_t length = file < 0 ? -1 : read(file, line, sizeof line - 1);
    if (file >= 0) close(file);
    if (length <= 0) return;
    line[length] = 0;
    quernel_i_class_print(quernel_i_cpu()->usable, own, sizeof own);
    const char *tab = strchr(line, '\t');
    if (tab && (size_t)(tab - line) == strlen(own) && !memcmp(line, own, strlen(own)))
        snprintf(rates, sizeof rates, "%.*s", (int)strcspn(tab + 1, "\t\n"), tab + 1);
}

static void add_users(void) {
    char path[MAX_PATH_BYTES];
    const char *named = getenv("QUERNEL_TABLE");
    if (named && *named) add(quernel_i_table_read(named, NULL, NULL));
    char base[MAX_PATH_BYTES];
    if (base_directory("XDG_CONFIG_HOME", ".config", base, sizeof base) &&
        (size_t)snprintf(path, sizeof path, "%s/quernel/tables.d", base) < sizeof path)
        add_folder(path);
    if (quernel_i_tables_cache("tuned.qtn", path, sizeof path)) {
        quernel_i_table *own = quernel_i_table_read(path, NULL, NULL);
        if (own && own->wrong && !strcmp(own->wrong, "no such file"))
            quernel_i_table_free(own); // nothing was tuned yet
        else add(own);
    }
    read_rates();
}

static void read_tables(void) {
    const bool trusted = !getauxval(AT_SECURE);
    const char *named = trusted ? getenv("QUERNEL_TABLE") : NULL;
    if (named && !strcmp(named, "none")) return;
    if (trusted) add_users();
    add_folder(QUERNEL_SYSCONFDIR "/quernel/tables.d");
    add(quernel_i_table_parse("embedded", quernel_i_embedded, strlen(quernel_i_embedded), NULL,
                              NULL));
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

const quernel_i_table *const *quernel_i_tables(void) {
    pthread_once(&once, read_tables);
    return tables;
}

const char *quernel_i_tables_rates(void) {
    pthread_once(&once, read_tables);
    return rates;
}

static pthread_rwlock_t given_lock = PTHREAD_RWLOCK_INITIALIZER;
static quernel_i_table *given;

const quernel_i_table *quernel_i_table_given(void) {
    pthread_rwlock_rdlock(&given_lock);
    return given;
}
void quernel_i_table_given_release(void) { pthread_rwlock_unlock(&given_lock); }

int quernel_table_set(const char *text, size_t bytes, quernel_error *error) {
    quernel_i_table *made = NULL;
    if (text) {
        made = quernel_i_table_parse("quernel_table_set", text, bytes, NULL, NULL);
        if (!made)
            return quernel_i_error_set(error, QUERNEL_E_MEMORY, "text", -1,
                                       "table_set: no memory for %zu bytes", bytes);
    }
    pthread_rwlock_wrlock(&given_lock);
    quernel_i_table *old = given;
    given = made;
    pthread_rwlock_unlock(&given_lock);
    quernel_i_table_free(old);
    return QUERNEL_OK;
}

static void fill_info(const quernel_i_table *t, quernel_table_info *info) {
    *info = (quernel_table_info){.good = t->good, .bad = t->bad};
    snprintf(info->path, sizeof info->path, "%s", t->path);
    snprintf(info->wrong, sizeof info->wrong, "%s", t->wrong ? t->wrong : "");
}

size_t quernel_tables_get(quernel_table_info *ret_tables, size_t capacity) {
    size_t total = 0;
    const quernel_i_table *first = quernel_i_table_given();
    if (first && total++ < capacity) fill_info(first, ret_tables);
    quernel_i_table_given_release();
    for (const quernel_i_table *const *t = quernel_i_tables(); *t; t++)
        if (total++ < capacity) fill_info(*t, &ret_tables[total - 1]);
    return total;
}
