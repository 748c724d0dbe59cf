// SPDX-License-Identifier: Apache-2.0
// The clock that everything here is timed by.
#ifndef QUERNEL_TUNE_CLOCK_H
#define QUERNEL_TUNE_CLOCK_H

/// Seconds of a monotonic clock.
double clock_now(void);

#endif
