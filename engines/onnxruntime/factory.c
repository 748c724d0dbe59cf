// SPDX-License-Identifier: Apache-2.0
// What the library exports: a factory of providers, for the CPU.
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "ep.h"

#define EXPORT __attribute__((visibility("default")))

typedef struct factory {
    OrtEpFactory base; // first: what ONNX Runtime holds
    quernel_ep_host host;
    atomic_uint users; // ONNX Runtime, and every provider: it may unload us before its sessions
} factory;

static void let_go(factory *f) {
    if (atomic_fetch_sub(&f->users, 1) > 1) return;
    f->host.api->ReleaseMemoryInfo(f->host.cpu);
    free(f);
}

static const char *get_name(const OrtEpFactory *base) {
    (void)base;
    return QUERNEL_EP_NAME;
}

static const char *get_vendor(const OrtEpFactory *base) {
    (void)base;
    return "Quernel";
}

static uint32_t get_vendor_id(const OrtEpFactory *base) {
    (void)base;
    return 0; // no PCI vendor
}

static const char *get_version(const OrtEpFactory *base) {
    (void)base;
    return quernel_version();
}

static OrtStatus *get_devices(OrtEpFactory *base, const OrtHardwareDevice *const *devices,
                              size_t n_devices, OrtEpDevice **ret_devices, size_t capacity,
                              size_t *ret_count) {
    const quernel_ep_host *host = &((factory *)base)->host;
    OrtStatus *status = NULL;
    *ret_count = 0;
    for (size_t i = 0; i < n_devices && *ret_count < capacity && !status; i++) {
        if (host->api->HardwareDevice_Type(devices[i]) != OrtHardwareDeviceType_CPU) continue;
        status = host->ep->CreateEpDevice(base, devices[i], NULL, NULL, &ret_devices[*ret_count]);
        *ret_count += !status;
    }
    return status;
}

static OrtStatus *create_ep(OrtEpFactory *base, const OrtHardwareDevice *const *devices,
                            const OrtKeyValuePairs *const *metadata, size_t n_devices,
                            const OrtSessionOptions *options, const OrtLogger *logger,
                            OrtEp **ret_ep) {
    (void)devices;
    (void)metadata;
    (void)n_devices;
    factory *f = (factory *)base;
    OrtStatus *status = quernel_ep_create(&f->host, options, logger, ret_ep);
    if (!status) atomic_fetch_add(&f->users, 1);
    return status;
}

static void release_ep(OrtEpFactory *base, OrtEp *ep) {
    quernel_ep_destroy(ep);
    let_go((factory *)base);
}

// Whether a compiled model, of which ep.c's text is known, can be loaded.
static OrtStatus *validate(OrtEpFactory *base, const OrtHardwareDevice *const *devices,
                           size_t n_devices, const char *text,
                           OrtCompiledModelCompatibility *ret_compatibility) {
    (void)base;
    (void)devices;
    (void)n_devices;
    *ret_compatibility = strcmp(text, quernel_version())
                             ? OrtCompiledModelCompatibility_EP_UNSUPPORTED
                             : OrtCompiledModelCompatibility_EP_SUPPORTED_OPTIMAL;
    return NULL;
}

// Tensors are the CPU's: nothing of these is ours to make, and ONNX Runtime calls them unasked.

static OrtStatus *create_transfer(OrtEpFactory *base, OrtDataTransferImpl **ret_transfer) {
    (void)base;
    *ret_transfer = NULL;
    return NULL;
}

static OrtStatus *create_allocator(OrtEpFactory *base, const OrtMemoryInfo *info,
                                   const OrtKeyValuePairs *options, OrtAllocator **ret_allocator) {
    (void)base;
    (void)info;
    (void)options;
    *ret_allocator = NULL;
    return NULL;
}

static void release_allocator(OrtEpFactory *base, OrtAllocator *allocator) {
    (void)base;
    (void)allocator;
}

static bool is_stream_aware(const OrtEpFactory *base) {
    (void)base;
    return false;
}

static const OrtEpFactory functions = {.ort_version_supported = ORT_VERSION,
                                       .GetName = get_name,
                                       .GetVendor = get_vendor,
                                       .GetSupportedDevices = get_devices,
                                       .CreateEp = create_ep,
                                       .ReleaseEp = release_ep,
                                       .GetVendorId = get_vendor_id,
                                       .GetVersion = get_version,
                                       .ValidateCompiledModelCompatibilityInfo = validate,
                                       .CreateAllocator = create_allocator,
                                       .ReleaseAllocator = release_allocator,
                                       .CreateDataTransfer = create_transfer,
                                       .IsStreamAware = is_stream_aware};

// 1.23.0 has all that is asked of it, but fails on sessions of which it runs a part itself.
static OrtStatus *check_host(const OrtApiBase *base) {
    const char *version = base->GetVersionString();
    const bool old = !base->GetApi(ORT_VERSION);
    if (!old && strcmp(version, "1.23.0")) return NULL;
    return quernel_ep_refuse(base->GetApi(1), ORT_NOT_IMPLEMENTED,
                             "ONNX Runtime %s: must be 1.23.1 or newer", version);
}

static OrtStatus *create_factory(const OrtApiBase *base, OrtEpFactory **ret_factory) {
    const OrtApi *api = base->GetApi(ORT_VERSION);
    factory *f = calloc(1, sizeof *f);
    if (!f) return quernel_ep_refuse_memory(api);
    f->base = functions;
    f->users = 1;
    f->host = (quernel_ep_host){.api = api,
                                .ep = api->GetEpApi(),
                                .editor = api->GetModelEditorApi(),
                                .names_all = strncmp(base->GetVersionString(), "1.23.", 5)};
    OrtStatus *status =
        api->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &f->host.cpu);
    if (status) free(f);
    else *ret_factory = &f->base;
    return status;
}

EXPORT OrtStatus *CreateEpFactories(const char *name, const OrtApiBase *base,
                                    const OrtLogger *logger, OrtEpFactory **ret_factories,
                                    size_t capacity, size_t *ret_count);
EXPORT OrtStatus *ReleaseEpFactory(OrtEpFactory *base);

OrtStatus *CreateEpFactories(const char *name, const OrtApiBase *base, const OrtLogger *logger,
                             OrtEpFactory **ret_factories, size_t capacity, size_t *ret_count) {
    (void)name; // the user's, for the library; the provider's is the factory's
    (void)logger;
    *ret_count = 0;
    OrtStatus *status = check_host(base);
    if (status) return status;
    if (!capacity)
        return quernel_ep_refuse(base->GetApi(ORT_VERSION), ORT_INVALID_ARGUMENT,
                                 "no room for a factory");
    status = create_factory(base, ret_factories);
    *ret_count = !status;
    return status;
}

OrtStatus *ReleaseEpFactory(OrtEpFactory *base) {
    let_go((factory *)base);
    return NULL;
}
