// SPDX-License-Identifier: Apache-2.0
// The log: lines for the program's callback, dropped where there is none.
#ifndef QUERNEL_BASE_LOG_H
#define QUERNEL_BASE_LOG_H

/// Passes a formatted line, without a newline, to the callback.
void quernel_i_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
