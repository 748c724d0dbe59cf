// SPDX-License-Identifier: Apache-2.0
// The log: lines for the program's callback, dropped where there is none.
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "quernel/common.h"

static quernel_log_fn *callback;
static void *callback_user;

void quernel_set_log(quernel_log_fn *log, void *user) {
    callback = log;
    callback_user = user;
}

void quernel_i_log(const char *format, ...) {
    if (!callback) return;
    char line[512]; // the longest line names a path and a reason; what is longer is cut
    va_list list;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    callback(callback_user, line);
}
