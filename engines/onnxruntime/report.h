// SPDX-License-Identifier: Apache-2.0
// What was taken and what was not, and why: for the log and as JSON.
#ifndef QUERNEL_EP_REPORT_H
#define QUERNEL_EP_REPORT_H

#include <stdio.h>

#include "import.h"
#include "settings.h"

/// The graph's parts, one after another, of all graphs of a session.
typedef struct quernel_ep_report {
    FILE *islands, *refused; // into the texts
    char *islands_text, *refused_text;
    size_t islands_bytes, refused_bytes;
} quernel_ep_report;

OrtStatus *quernel_ep_report_open(const OrtApi *api, quernel_ep_report *ret_report);
void quernel_ep_report_close(quernel_ep_report *report);

void quernel_ep_report_add(quernel_ep_report *report, const quernel_ep_graph *graph,
                           const quernel_ep_partition *partition);
/// {"islands":[{"nodes":[names],"macs":n}],"refused":[{"node":…,"op":…,"reason":…}]}
OrtStatus *quernel_ep_report_write(const OrtApi *api, quernel_ep_report *report, const char *path);

/// A line of the log for each island and for each node that is refused.
void quernel_ep_report_log(const OrtApi *api, const OrtLogger *logger,
                           const quernel_ep_graph *graph, const quernel_ep_partition *partition);

#endif
