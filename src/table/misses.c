// SPDX-License-Identifier: Apache-2.0
// The misses file: layers that no table had a row for, for the tuner to read. The only thing the
// library ever writes.
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/log.h"
#include "table/choose.h"

// Layers that a process writes down: more than a network has, in 4 KiB.
enum { REMEMBERED = 1024 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t written[REMEMBERED], count;

// Whether the process has not written the layer down yet. A second layer of the same checksum is
// lost: the price of not keeping their names.
static int is_new(const char *line, size_t bytes) {
    const uint32_t mark = quernel_i_crc32c(0, line, bytes);
    pthread_mutex_lock(&lock);
    int known = count == REMEMBERED;
    for (uint32_t i = 0; i < count && !known; i++) known = written[i] == mark;
    if (!known) written[count++] = mark;
    pthread_mutex_unlock(&lock);
    return !known;
}

void quernel_i_misses_record(const char *op, const char *shape, const char *env) {
    const char *path = getauxval(AT_SECURE) ? NULL : getenv("QUERNEL_RECORD_MISSES");
    char line[320]; // op, shape and env of quernel_i_key, tabs and a newline
    if (!path || !*path) return;
    const int length = snprintf(line, sizeof line, "%s\t%s\t%s\n", op, shape, env);
    if (length <= 0 || (size_t)length >= sizeof line || !is_new(line, (size_t)length)) return;
    const int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0 || write(file, line, (size_t)length) != length)
        quernel_i_log("misses: %s: cannot be written", path);
    if (file >= 0) close(file);
}
