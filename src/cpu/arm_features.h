// SPDX-License-Identifier: Apache-2.0
// What every core of an AArch64 CPU can do.
#ifndef QUERNEL_CPU_ARM_FEATURES_H
#define QUERNEL_CPU_ARM_FEATURES_H

#include <stdbool.h>

typedef struct quernel_i_arm_features {
    bool neon, dotprod, i8mm;
} quernel_i_arm_features;

/// As the operating system says; a feature counts if no core lacks it.
quernel_i_arm_features quernel_i_arm_features_get(void);

#endif
