// SPDX-License-Identifier: Apache-2.0
// The class of this machine: what a row must share to apply here.
#ifndef QUERNEL_TABLE_CLASS_H
#define QUERNEL_TABLE_CLASS_H

#include <stddef.h>
#include <stdint.h>

// Bytes of its text: the names of all sets of an architecture, two sizes and a core take less.
enum { QUERNEL_I_CLASS_MAX = 128 };

/// "ref+avx2 l1d=32K l2=512K core=amd-25-1": the instruction sets of the mask, which may be used,
/// the caches as the plan takes them, and the core's design where it is known.
void quernel_i_class_print(uint32_t usable, char *text, size_t capacity);

#endif
