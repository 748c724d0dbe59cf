// SPDX-License-Identifier: Apache-2.0
// ONNX Runtime's C interface, as much of it as is used here: declarations of our own, in its names,
// so that nothing of it is needed to build. ort_check.c holds them against its headers.
#ifndef QUERNEL_EP_ORT_H
#define QUERNEL_EP_ORT_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /// asked of the host, and said in every struct that we fill: 1.23, the first one with all of
    /// ort.def
    ORT_VERSION = 23
};

typedef enum OrtErrorCode {
    ORT_FAIL = 1,
    ORT_INVALID_ARGUMENT = 2,
    ORT_NOT_IMPLEMENTED = 9,
    ORT_INVALID_GRAPH = 10
} OrtErrorCode;

typedef enum ONNXTensorElementDataType {
    ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED = 0,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING = 8
} ONNXTensorElementDataType;

typedef enum OrtOpAttrType {
    ORT_OP_ATTR_UNDEFINED = 0,
    ORT_OP_ATTR_INT = 1,
    ORT_OP_ATTR_INTS = 2,
    ORT_OP_ATTR_FLOAT = 3,
    ORT_OP_ATTR_FLOATS = 4,
    ORT_OP_ATTR_STRING = 5
} OrtOpAttrType;

typedef enum OrtLoggingLevel {
    ORT_LOGGING_LEVEL_INFO = 1,
    ORT_LOGGING_LEVEL_WARNING = 2
} OrtLoggingLevel;

typedef enum OrtAllocatorType {
    OrtInvalidAllocator = -1, // keeps the type signed
    OrtDeviceAllocator = 0
} OrtAllocatorType;

typedef enum OrtMemType {
    OrtMemTypeCPUInput = -2, // keeps the type signed
    OrtMemTypeDefault = 0
} OrtMemType;

typedef enum OrtHardwareDeviceType { OrtHardwareDeviceType_CPU = 0 } OrtHardwareDeviceType;
typedef enum OrtEpDataLayout { OrtEpDataLayout_NCHW = 0 } OrtEpDataLayout;
typedef enum OrtCompiledModelCompatibility {
    OrtCompiledModelCompatibility_EP_SUPPORTED_OPTIMAL = 1,
    OrtCompiledModelCompatibility_EP_UNSUPPORTED = 3
} OrtCompiledModelCompatibility;

// The host's, known by their pointers.
typedef struct OrtDataTransferImpl OrtDataTransferImpl;
typedef struct OrtEpDevice OrtEpDevice;
typedef struct OrtEpGraphSupportInfo OrtEpGraphSupportInfo;
typedef struct OrtGraph OrtGraph;
typedef struct OrtHardwareDevice OrtHardwareDevice;
typedef struct OrtKernelContext OrtKernelContext;
typedef struct OrtKeyValuePairs OrtKeyValuePairs;
typedef struct OrtLogger OrtLogger;
typedef struct OrtMemoryDevice OrtMemoryDevice;
typedef struct OrtMemoryInfo OrtMemoryInfo;
typedef struct OrtNode OrtNode;
typedef struct OrtNodeComputeContext OrtNodeComputeContext;
typedef struct OrtOpAttr OrtOpAttr;
typedef struct OrtRunOptions OrtRunOptions;
typedef struct OrtSessionOptions OrtSessionOptions;
typedef struct OrtStatus OrtStatus;
typedef struct OrtSyncStreamImpl OrtSyncStreamImpl;
typedef struct OrtTensorTypeAndShapeInfo OrtTensorTypeAndShapeInfo;
typedef struct OrtTypeInfo OrtTypeInfo;
typedef struct OrtValue OrtValue;
typedef struct OrtValueInfo OrtValueInfo;

// Tables of pointers: every name is at its slot.
typedef union OrtAllocator OrtAllocator;
typedef union OrtApi OrtApi;
typedef union OrtEpApi OrtEpApi;
typedef union OrtModelEditorApi OrtModelEditorApi;

// What we fill.
typedef struct OrtEp OrtEp;
typedef struct OrtEpFactory OrtEpFactory;
typedef struct OrtNodeComputeInfo OrtNodeComputeInfo;

typedef struct OrtNodeFusionOptions {
    uint32_t ort_version_supported;
    bool drop_constant_initializers;
} OrtNodeFusionOptions;

typedef struct OrtApiBase {
    const OrtApi *(*GetApi)(uint32_t version); // NULL: the host is older
    const char *(*GetVersionString)(void);
} OrtApiBase;

// A pointer behind `slot` others, to be one member of a union.
#define ORT_AT(slot, result, name, arguments) \
    struct {                                  \
        void *before_##name[slot];            \
        result(*name) arguments;              \
    };
#define ORT_MEMBER(slot, result, name, arguments) result(*name) arguments;

union OrtApi {
#define API ORT_AT
#include "ort.def"
};
union OrtEpApi {
#define EP_API ORT_AT
#include "ort.def"
};
union OrtModelEditorApi {
#define EDITOR ORT_AT
#include "ort.def"
};
union OrtAllocator {
#define ALLOCATOR ORT_AT
#include "ort.def"
};
struct OrtEpFactory {
    uint32_t ort_version_supported;
#define FACTORY ORT_MEMBER
#include "ort.def"
};
struct OrtEp {
    uint32_t ort_version_supported;
#define EP ORT_MEMBER
#include "ort.def"
};
struct OrtNodeComputeInfo {
    uint32_t ort_version_supported;
#define COMPUTE ORT_MEMBER
#include "ort.def"
};

#define ORT_LIES_AT(type, slot, name) \
    static_assert(offsetof(type, name) == (slot) * sizeof(void *), #type "." #name);
#define FACTORY(slot, result, name, arguments) ORT_LIES_AT(OrtEpFactory, slot, name)
#define EP(slot, result, name, arguments) ORT_LIES_AT(OrtEp, slot, name)
#define COMPUTE(slot, result, name, arguments) ORT_LIES_AT(OrtNodeComputeInfo, slot, name)
#include "ort.def"

#endif
