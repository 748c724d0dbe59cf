// SPDX-License-Identifier: Apache-2.0
// How a case ends: kernel and oracle, each into its own output, and what they left behind.
#include <math.h>
#include <string.h>

#include "kcheck.h"

const char *kcheck_conduct(call_report report) {
    if (report.touched) return "memory that is not its own was touched";
    if (report.registers) return "a callee-saved register was changed";
    return report.control ? "the control word was changed" : NULL;
}

const char *kcheck_unchanged(const guard *g) {
    return guard_unchanged(g) ? NULL : "a source or memory around a buffer was changed";
}

// Equal but for NaN, of which only is promised that it is one.
static const char *compare(uint8_t *y, uint8_t *expected, size_t bytes, bool floats) {
    for (size_t i = 0; floats && i + 4 <= bytes; i += 4) {
        float a, b;
        memcpy(&a, y + i, sizeof a), memcpy(&b, expected + i, sizeof b);
        if (isnan(a) && isnan(b)) memcpy(y + i, expected + i, sizeof a);
    }
    return memcmp(y, expected, bytes) ? "a result differs from ref, or a gap was written" : NULL;
}

// `to`: the member of *call that says where.
static const char *call_into(void *y, const quernel_i_kernel *k, void *call, void *to) {
    memcpy(to, &y, sizeof y); // a pointer to floats, bytes or anything
    return kcheck_conduct(guard_call(k->run.any, call, 0, 0, 0, NULL));
}

const char *kcheck_agree(const quernel_i_kernel *k, const quernel_i_kernel *oracle, guard *g,
                         void *call, void *to, kcheck_elements of) {
    uint8_t *y = guard_take(g, of.bytes, of.size, 0xa5),
            *expected = guard_take(g, of.bytes, of.size, 0xa5);
    guard_seal(g);
    guard_open(g, y), guard_open(g, expected);
    if (of.scratch) guard_open(g, of.scratch);
    const char *wrong = call_into(y, k, call, to);
    if (!wrong) wrong = call_into(expected, oracle, call, to);
    if (!wrong) wrong = compare(y, expected, of.bytes, of.floats);
    return wrong ? wrong : kcheck_unchanged(g);
}
