// SPDX-License-Identifier: Apache-2.0
// The multiply of vnni.h with all operands in registers: acc += unsigned bytes of x · signed ones
// of w.
#ifndef QUERNEL_X86_VNNI_DOT_H
#define QUERNEL_X86_VNNI_DOT_H

#define MULTIPLY(x, w, acc) \
    __asm__(VNNI_DOT " %2, %1, %0" : "+" VNNI_REGISTER(acc) : VNNI_REGISTER(x), VNNI_REGISTER(w))

#endif
