// SPDX-License-Identifier: Apache-2.0
// The versions of Quernel: the project's, read by the build (soname, package files), and the
// interface's.
#ifndef QUERNEL_VERSION_H
#define QUERNEL_VERSION_H

#define QUERNEL_VERSION_MAJOR 0
#define QUERNEL_VERSION_MINOR 1
#define QUERNEL_VERSION_PATCH 0

/// The interface's version: raised by one whenever a header gains something, so that a program can
/// check for it.
///
///  1  what 0.1.0 publishes
#define QUERNEL_API_VERSION 1

#endif
