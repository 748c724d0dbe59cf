// SPDX-License-Identifier: Apache-2.0
// Refusals as ONNX Runtime wants them.
#include "host.h"

#include <stdarg.h>
#include <stdio.h>

OrtStatus *quernel_ep_refuse(const OrtApi *api, OrtErrorCode code, const char *format, ...) {
    char text[768] = "Quernel: "; // a path, a value and the library's line of 160
    const size_t used = sizeof "Quernel: " - 1;
    va_list list;
    va_start(list, format);
    vsnprintf(text + used, sizeof text - used, format, list);
    va_end(list);
    return api->CreateStatus(code, text);
}

OrtStatus *quernel_ep_refuse_error(const OrtApi *api, const char *where, int status,
                                   const quernel_error *error) {
    if (!status) return NULL;
    const char *text = error && error->text[0] ? error->text : quernel_status_string(status);
    return quernel_ep_refuse(api, ORT_FAIL, "%s: %s", where, text);
}

OrtStatus *quernel_ep_refuse_memory(const OrtApi *api) {
    return quernel_ep_refuse(api, ORT_FAIL, "out of memory");
}
