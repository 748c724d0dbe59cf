// SPDX-License-Identifier: Apache-2.0
// What ONNX Runtime asks of a session's provider: which nodes it takes, and code for them.
#include "ep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build.h"
#include "compiler.h"
#include "context.h"
#include "import.h"
#include "report.h"
#include "settings.h"

typedef struct provider {
    OrtEp base; // first: what ONNX Runtime holds
    const quernel_ep_host *host;
    const OrtLogger *logger;
    quernel_ep_settings settings;
    quernel_ep_report report; // where it is asked for
    bool took_some;           // islands
    quernel_ep_claim *claims; // what was taken and is not yet asked for
} provider;

static OrtStatus *fuse(const provider *p, const quernel_ep_import *import, const uint32_t *indices,
                       uint32_t count, OrtEpGraphSupportInfo *info) {
    const OrtNode **nodes = malloc(count * sizeof(void *));
    if (!nodes) return quernel_ep_refuse_memory(p->host->api);
    for (uint32_t i = 0; i < count; i++) nodes[i] = import->nodes[indices[i]];
    // The weights are packed: ONNX Runtime may free its own.
    const OrtNodeFusionOptions options = {ORT_VERSION, true};
    OrtStatus *status =
        p->host->ep->EpGraphSupportInfo_AddNodesToFuse(info, nodes, count, &options);
    free(nodes);
    return status;
}

static OrtStatus *note(provider *p, const quernel_ep_import *import,
                       const quernel_ep_partition *partition) {
    const OrtApi *api = p->host->api;
    if (p->settings.verbose) quernel_ep_report_log(api, p->logger, &import->graph, partition);
    if (!p->settings.report) return NULL;
    quernel_ep_report_add(&p->report, &import->graph, partition);
    return quernel_ep_report_write(api, &p->report, p->settings.report);
}

static OrtStatus *take_islands(provider *p, const quernel_ep_import *import,
                               OrtEpGraphSupportInfo *info) {
    quernel_ep_partition found = {0};
    quernel_error error = {0};
    const int code =
        quernel_ep_partition_find(&import->graph, &p->settings.compile, &found, &error);
    if (code) return quernel_ep_refuse_error(p->host->api, "islands", code, &error);
    OrtStatus *status = NULL;
    p->took_some |= found.n_islands > 0;
    for (uint32_t i = 0; i < found.n_islands && !status; i++)
        status = fuse(p, import, found.islands[i].nodes, found.islands[i].n_nodes, info);
    if (!status) status = note(p, import, &found);
    for (uint32_t i = 0; i < found.n_islands && !status; i++)
        if (!quernel_ep_claims_add(&p->claims, &import->graph, &found.islands[i]))
            status = quernel_ep_refuse_memory(p->host->api);
    quernel_ep_partition_free(&found);
    return status;
}

static OrtStatus *take_contexts(const provider *p, const quernel_ep_import *import,
                                OrtEpGraphSupportInfo *info) {
    for (uint32_t i = 0; i < import->graph.n_nodes; i++) {
        bool ours;
        if (!quernel_ep_import_is_context(&import->graph.nodes[i])) continue;
        OrtStatus *status = quernel_ep_context_is_ours(p->host->api, import->nodes[i], &ours);
        if (!status && ours) status = fuse(p, import, &i, 1, info);
        if (status) return status;
    }
    return NULL;
}

static OrtStatus *leave_all(provider *p, const quernel_ep_import *import, const char *why) {
    const uint32_t count = import->graph.n_nodes;
    quernel_ep_partition none = {.refusals = calloc(count + 1, sizeof *none.refusals),
                                 .n_refusals = count};
    if (!none.refusals) return quernel_ep_refuse_memory(p->host->api);
    for (uint32_t i = 0; i < count; i++) {
        none.refusals[i].node = i;
        snprintf(none.refusals[i].reason, sizeof none.refusals[i].reason, "%s", why);
    }
    OrtStatus *status = note(p, import, &none);
    free(none.refusals);
    return status;
}

// Of hosts that take islands of one graph alone, the bodies go without: they are shown first, and
// the model's own graph has more to lose.
static OrtStatus *take(provider *p, const quernel_ep_import *import, OrtEpGraphSupportInfo *info) {
    OrtStatus *status = take_contexts(p, import, info);
    if (status) return status;
    if (p->host->names_all || !(import->reads_outside || p->took_some))
        return take_islands(p, import, info);
    return leave_all(p, import, "ONNX Runtime 1.23 takes islands of one graph, not of bodies");
}

static OrtStatus *get_capability(OrtEp *base, const OrtGraph *graph, OrtEpGraphSupportInfo *info) {
    provider *p = (provider *)base;
    quernel_ep_import import;
    // A graph is shown and compiled before the next one is: what is left was not taken, and bodies
    // of one If may use the same names.
    quernel_ep_claims_free(&p->claims);
    OrtStatus *status = quernel_ep_import_read(p->host->api, graph, &import);
    if (status) return status;
    status = take(p, &import, info);
    quernel_ep_import_free(&import);
    return status;
}

static void release_infos(OrtEp *base, OrtNodeComputeInfo **infos, size_t count) {
    (void)base;
    for (size_t i = 0; i < count; i++) quernel_ep_fused_destroy((quernel_ep_fused *)infos[i]);
}

static OrtStatus *compile(OrtEp *base, const OrtGraph **graphs, const OrtNode **fused, size_t count,
                          OrtNodeComputeInfo **ret_infos, OrtNode **ret_contexts) {
    provider *p = (provider *)base;
    OrtStatus *status = NULL;
    size_t done = 0;
    for (; done < count && !status; done++) {
        quernel_ep_fused *made = NULL;
        status = quernel_ep_build(p->host, &p->settings, &p->claims, graphs[done], fused[done],
                                  &made, &ret_contexts[done]);
        ret_infos[done] = (OrtNodeComputeInfo *)made; // NULL, or half made
    }
    if (!status) return NULL;
    release_infos(base, ret_infos, done);
    memset(ret_infos, 0, count * sizeof(void *));
    return status;
}

static const char *get_name(const OrtEp *ep) {
    (void)ep;
    return QUERNEL_EP_NAME;
}

// What a compiled model says of itself; it is checked when it is loaded, whoever asks or not.
static const char *compatibility(OrtEp *ep, const OrtGraph *graph) {
    (void)ep;
    (void)graph;
    return quernel_version();
}

static OrtStatus *open_report(provider *p) {
    if (!p->settings.report) return NULL;
    OrtStatus *status = quernel_ep_report_open(p->host->api, &p->report);
    if (status) return status;
    // At once: a path that cannot be written is refused before anything else is done.
    return quernel_ep_report_write(p->host->api, &p->report, p->settings.report);
}

OrtStatus *quernel_ep_create(const quernel_ep_host *host, const OrtSessionOptions *options,
                             const OrtLogger *logger, OrtEp **ret_ep) {
    provider *p = calloc(1, sizeof *p);
    if (!p) return quernel_ep_refuse_memory(host->api);
    p->base = (OrtEp){.ort_version_supported = ORT_VERSION,
                      .GetName = get_name,
                      .GetCapability = get_capability,
                      .Compile = compile,
                      .ReleaseNodeComputeInfos = release_infos,
                      .GetCompiledModelCompatibilityInfo = compatibility};
    p->host = host;
    p->logger = logger;
    OrtStatus *status = quernel_ep_settings_read(host->api, options, &p->settings);
    if (!status) status = open_report(p);
    if (status) quernel_ep_destroy(&p->base);
    else *ret_ep = &p->base;
    return status;
}

void quernel_ep_destroy(OrtEp *ep) {
    provider *p = (provider *)ep;
    quernel_ep_claims_free(&p->claims);
    quernel_ep_report_close(&p->report);
    quernel_ep_settings_free(&p->settings);
    free(p);
}
