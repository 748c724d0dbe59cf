// SPDX-License-Identifier: Apache-2.0
// The version of Quernel, read by the build (soname, package files) and by programs.
#ifndef QUERNEL_VERSION_H
#define QUERNEL_VERSION_H

#define QUERNEL_VERSION_MAJOR 0
#define QUERNEL_VERSION_MINOR 1
#define QUERNEL_VERSION_PATCH 0

#endif
