// SPDX-License-Identifier: Apache-2.0
// The report grows with every graph that ONNX Runtime shows (a model has one, and one for each body
// of an If or Loop) and is written anew each time.
#include "report.h"

#include <inttypes.h>
#include <stdlib.h>

#include "payload.h"

OrtStatus *quernel_ep_report_open(const OrtApi *api, quernel_ep_report *ret_report) {
    quernel_ep_report *r = ret_report;
    *r = (quernel_ep_report){0};
    r->islands = open_memstream(&r->islands_text, &r->islands_bytes);
    r->refused = open_memstream(&r->refused_text, &r->refused_bytes);
    if (r->islands && r->refused) return NULL;
    quernel_ep_report_close(r);
    return quernel_ep_refuse_memory(api);
}

void quernel_ep_report_close(quernel_ep_report *report) {
    if (report->islands) fclose(report->islands);
    if (report->refused) fclose(report->refused);
    free(report->islands_text);
    free(report->refused_text);
    *report = (quernel_ep_report){0};
}

static void put_text(FILE *file, const char *text) {
    fputc('"', file);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (*c == '"' || *c == '\\') fprintf(file, "\\%c", *c);
        else if (*c < ' ') fprintf(file, "\\u%04x", *c);
        else fputc(*c, file);
    fputc('"', file);
}

static void put_names(FILE *file, const quernel_ep_graph *graph, const quernel_ep_island *island,
                      const char *(*name)(const quernel_ep_graph *graph, uint32_t node)) {
    for (uint32_t i = 0; i < island->n_nodes; i++) {
        if (i) fputc(',', file);
        put_text(file, name(graph, island->nodes[i]));
    }
}

static void put_island(FILE *file, const quernel_ep_graph *graph, const quernel_ep_island *island) {
    fputs(ftell(file) ? ",\n{\"nodes\":[" : "{\"nodes\":[", file);
    put_names(file, graph, island, quernel_ep_import_name);
    fputs("],\"outputs\":[", file);
    put_names(file, graph, island, quernel_ep_import_output);
    fprintf(file, "],\"macs\":%" PRIu64 "}", island->macs);
}

static void put_refusal(FILE *file, const quernel_ep_graph *graph,
                        const quernel_ep_refusal *refusal) {
    fputs(ftell(file) ? ",\n{\"node\":" : "{\"node\":", file);
    put_text(file, quernel_ep_import_name(graph, refusal->node));
    fputs(",\"op\":", file);
    put_text(file, graph->nodes[refusal->node].op);
    fputs(",\"reason\":", file);
    put_text(file, refusal->reason);
    fputc('}', file);
}

void quernel_ep_report_add(quernel_ep_report *report, const quernel_ep_graph *graph,
                           const quernel_ep_partition *partition) {
    for (uint32_t i = 0; i < partition->n_islands; i++)
        put_island(report->islands, graph, &partition->islands[i]);
    for (uint32_t i = 0; i < partition->n_refusals; i++)
        put_refusal(report->refused, graph, &partition->refusals[i]);
}

OrtStatus *quernel_ep_report_write(const OrtApi *api, quernel_ep_report *report, const char *path) {
    char *text = NULL;
    size_t bytes = 0;
    FILE *file = open_memstream(&text, &bytes);
    if (!file || fflush(report->islands) || fflush(report->refused)) {
        if (file) fclose(file);
        free(text);
        return quernel_ep_refuse_memory(api);
    }
    fprintf(file, "{\"islands\":[%s],\n\"refused\":[%s]}\n", report->islands_text,
            report->refused_text);
    OrtStatus *status = fclose(file) ? quernel_ep_refuse_memory(api)
                                     : quernel_ep_payload_write(api, path, text, bytes);
    free(text);
    return status;
}

// At the level that is shown unless the user asked for less: who sets `verbose` wants to read it.
static void say(const OrtApi *api, const OrtLogger *logger, const char *text) {
    OrtStatus *status = api->Logger_LogMessage(logger, ORT_LOGGING_LEVEL_WARNING, text, __FILE__,
                                               __LINE__, "GetCapability");
    if (status) api->ReleaseStatus(status);
}

void quernel_ep_report_log(const OrtApi *api, const OrtLogger *logger,
                           const quernel_ep_graph *graph, const quernel_ep_partition *partition) {
    char text[512]; // names that are longer are cut
    for (uint32_t i = 0; i < partition->n_islands; i++) {
        const quernel_ep_island *island = &partition->islands[i];
        snprintf(text, sizeof text,
                 "Quernel: island of %" PRIu32 " nodes, %" PRIu64
                 " multiply-adds: %.160s ... %.160s",
                 island->n_nodes, island->macs, quernel_ep_import_name(graph, island->nodes[0]),
                 quernel_ep_import_name(graph, island->nodes[island->n_nodes - 1]));
        say(api, logger, text);
    }
    for (uint32_t i = 0; i < partition->n_refusals; i++) {
        const quernel_ep_refusal *refusal = &partition->refusals[i];
        snprintf(text, sizeof text, "Quernel: left to others: %.160s (%.40s): %s",
                 quernel_ep_import_name(graph, refusal->node), graph->nodes[refusal->node].op,
                 refusal->reason);
        say(api, logger, text);
    }
}
