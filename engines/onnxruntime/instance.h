// SPDX-License-Identifier: Apache-2.0
// Making an instance, with the step that a refusal is about.
#ifndef QUERNEL_EP_INSTANCE_H
#define QUERNEL_EP_INSTANCE_H

#include "lower.h"

/// As quernel_ep_instance_create; on failure `ret_step` is the step that was refused, or −1.
int quernel_ep_instance_make(const quernel_ep_program *program, const quernel_ep_shape *inputs,
                             quernel_ep_instance **ret_instance, int32_t *ret_step,
                             quernel_error *error);

#endif
