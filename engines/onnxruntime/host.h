// SPDX-License-Identifier: Apache-2.0
// The ONNX Runtime that has loaded us, and refusals in its terms.
#ifndef QUERNEL_EP_HOST_H
#define QUERNEL_EP_HOST_H

#include <quernel/quernel.h>

#include "ort.h"

#define QUERNEL_EP_NAME "QuernelExecutionProvider"

typedef struct quernel_ep_host {
    const OrtApi *api;
    const OrtEpApi *ep;
    const OrtModelEditorApi *editor;
    OrtMemoryInfo *cpu; // where a run takes its workspace from
    // false: 1.23, which gives the islands of two graphs (a body of an If is one) the same names,
    // and then refuses the session
    bool names_all;
} quernel_ep_host;

/// A refusal: one line, behind "Quernel: ".
OrtStatus *quernel_ep_refuse(const OrtApi *api, OrtErrorCode code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/// Of what the library refused; `where`: a node or a file. NULL where `status` is QUERNEL_OK.
OrtStatus *quernel_ep_refuse_error(const OrtApi *api, const char *where, int status,
                                   const quernel_error *error);
OrtStatus *quernel_ep_refuse_memory(const OrtApi *api);

#endif
