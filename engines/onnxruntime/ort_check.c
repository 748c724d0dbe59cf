// SPDX-License-Identifier: Apache-2.0
// Compiled against ONNX Runtime's own headers (-Dort_include=DIR): whether every line of ort.def is
// at its slot there and has that type, and the enumerators their values. There is nothing to run.
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

#include <onnxruntime_c_api.h>

#define SAME(type, slot, result, name, arguments)                                             \
    static_assert(offsetof(type, name) == (slot) * sizeof(void *), #type "." #name ": slot"); \
    static_assert(                                                                            \
        __builtin_types_compatible_p(__typeof__(((type *)NULL)->name), result(*) arguments),  \
        #type "." #name ": type");

#define API(...) SAME(OrtApi, __VA_ARGS__)
#define EP_API(...) SAME(OrtEpApi, __VA_ARGS__)
#define EDITOR(...) SAME(OrtModelEditorApi, __VA_ARGS__)
#define ALLOCATOR(...) SAME(OrtAllocator, __VA_ARGS__)
#define FACTORY(...) SAME(OrtEpFactory, __VA_ARGS__)
#define EP(...) SAME(OrtEp, __VA_ARGS__)
#define COMPUTE(...) SAME(OrtNodeComputeInfo, __VA_ARGS__)
#include "ort.def"

// The version is what every struct of ours begins with.
static_assert(offsetof(OrtEpFactory, ort_version_supported) == 0, "OrtEpFactory");
static_assert(offsetof(OrtEp, ort_version_supported) == 0, "OrtEp");
static_assert(offsetof(OrtNodeComputeInfo, ort_version_supported) == 0, "OrtNodeComputeInfo");
static_assert(offsetof(OrtNodeFusionOptions, ort_version_supported) == 0, "OrtNodeFusionOptions");
static_assert(offsetof(OrtNodeFusionOptions, drop_constant_initializers) == sizeof(uint32_t),
              "OrtNodeFusionOptions");
static_assert(offsetof(OrtApiBase, GetApi) == 0, "OrtApiBase");
static_assert(offsetof(OrtApiBase, GetVersionString) == sizeof(void *), "OrtApiBase");

// As ort.h and graph.h number them.
static_assert(ORT_FAIL == 1 && ORT_INVALID_ARGUMENT == 2 && ORT_NOT_IMPLEMENTED == 9 &&
                  ORT_INVALID_GRAPH == 10,
              "OrtErrorCode");
static_assert(ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED == 0 &&
                  ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT == 1 &&
                  ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8 == 2 &&
                  ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8 == 3 &&
                  ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32 == 6 &&
                  ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64 == 7 &&
                  ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING == 8,
              "ONNXTensorElementDataType");
static_assert(ORT_OP_ATTR_UNDEFINED == 0 && ORT_OP_ATTR_INT == 1 && ORT_OP_ATTR_INTS == 2 &&
                  ORT_OP_ATTR_FLOAT == 3 && ORT_OP_ATTR_FLOATS == 4 && ORT_OP_ATTR_STRING == 5,
              "OrtOpAttrType");
static_assert(ORT_LOGGING_LEVEL_INFO == 1 && ORT_LOGGING_LEVEL_WARNING == 2, "OrtLoggingLevel");
static_assert(OrtInvalidAllocator == -1 && OrtDeviceAllocator == 0, "OrtAllocatorType");
static_assert(OrtMemTypeCPUInput == -2 && OrtMemTypeDefault == 0, "OrtMemType");
static_assert(OrtHardwareDeviceType_CPU == 0, "OrtHardwareDeviceType");
static_assert(OrtCompiledModelCompatibility_EP_SUPPORTED_OPTIMAL == 1 &&
                  OrtCompiledModelCompatibility_EP_UNSUPPORTED == 3,
              "OrtCompiledModelCompatibility");
