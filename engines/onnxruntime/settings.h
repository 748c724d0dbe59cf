// SPDX-License-Identifier: Apache-2.0
// What the user asked of a session: our options, and ONNX Runtime's own about context files.
#ifndef QUERNEL_EP_SETTINGS_H
#define QUERNEL_EP_SETTINGS_H

#include "compiler.h"
#include "host.h"

typedef struct quernel_ep_settings {
    quernel_ep_options compile;
    bool verbose;
    char *report; // path, or NULL
    // ep.context_*
    bool context, embed;
    char *context_path; // or NULL: beside the model
} quernel_ep_settings;

/// Reads them; an option of ours that is not known, or a bad value, is refused by name.
OrtStatus *quernel_ep_settings_read(const OrtApi *api, const OrtSessionOptions *options,
                                    quernel_ep_settings *ret_settings);
void quernel_ep_settings_free(quernel_ep_settings *settings);

#endif
