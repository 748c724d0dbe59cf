// SPDX-License-Identifier: Apache-2.0
// What every core of an AArch64 CPU can do, as the operating system says. All of them answer for
// the cores together, where these are of two kinds. Only Linux was tried.
#if defined(__aarch64__) || defined(_M_ARM64)

#include "cpu/arm_features.h"

#if defined(__APPLE__)
#include <sys/sysctl.h>

static bool has(const char *name) {
    int is = 0;
    size_t size = sizeof is;
    return !sysctlbyname(name, &is, &size, NULL, 0) && is;
}

quernel_i_arm_features quernel_i_arm_features_get(void) {
    return (quernel_i_arm_features){true, has("hw.optional.arm.FEAT_DotProd"),
                                    has("hw.optional.arm.FEAT_I8MM")};
}

#elif defined(_WIN32)
#include <windows.h>

// Numbers of winnt.h, which older ones lack.
enum { FEATURE_DOTPROD = 43, FEATURE_I8MM = 66 };

quernel_i_arm_features quernel_i_arm_features_get(void) {
    return (quernel_i_arm_features){true, IsProcessorFeaturePresent(FEATURE_DOTPROD),
                                    IsProcessorFeaturePresent(FEATURE_I8MM)};
}

#else
#include <sys/auxv.h>

// Bits of AT_HWCAP and AT_HWCAP2, from asm/hwcap.h.
enum { HAS_ASIMD = 1 << 1, HAS_DOTPROD = 1 << 20, HAS2_I8MM = 1 << 13 };

quernel_i_arm_features quernel_i_arm_features_get(void) {
    const unsigned long capabilities = getauxval(AT_HWCAP), more = getauxval(AT_HWCAP2);
    return (quernel_i_arm_features){capabilities & HAS_ASIMD, capabilities & HAS_DOTPROD,
                                    more & HAS2_I8MM};
}

#endif

#endif
