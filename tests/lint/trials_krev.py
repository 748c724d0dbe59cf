# SPDX-License-Identifier: Apache-2.0
"""Shows which changes of a kernel its revision must follow."""

import krev
from trials_source import GOOD, SPDX

KERNEL = "kernels/avx2/gemm_a_1x16x4.c"
BODY = """#include "epilogue.h"
#if !defined(LANES)
#error "LANES"
#endif
static int twice(int x) { return _mm_add(x, 2 * x) - memcpy(x); }
#define STEP_1(r) twice(r)
#define STEP_2(r) r
void quernel_uk_gemm_a_1x16x4_avx2(void) { STEP_1(3); STEP_2(4); }
"""
SAME_CODE = {
    "a rename": ("twice", "add_double"),
    "a comment": ("{ return", "{ /* why */ return"),
    "spacing": ("(int x)", "( int  x )"),
    "a check of a precondition": ("LANES", "WIDTH"),
    "a macro's name": ("STEP_", "ROW_"),
}
OTHER_CODE = {
    "a constant": ("2 * x", "3 * x"),
    "an operator": (") - ", ") + "),
    "an intrinsic": ("_mm_add", "_mm_sub"),
    "a function of libc": ("memcpy", "memset"),
    "the order of calls": ("STEP_1(3); STEP_2(4)", "STEP_2(4); STEP_1(3)"),
    "another argument": ("2 * x", "2 * y"),
    "a type": ("int x", "long x"),
}


def krev_trials():
    kept = GOOD | {
        krev.RECORD: "\n".join(f"{k} {r} {h}" for k, (r, h) in krev.hashes(GOOD).items())
    }
    moved = kept | {"kernels/avx2/epilogue.h": SPDX + "int more;\n"}
    comment = kept | {"kernels/avx2/epilogue.h": SPDX + '#include "base/num.h" // words\n'}
    yield "krev: a record that fits", not list(krev.check(kept))
    yield "krev: a comment changes nothing", not list(krev.check(comment))
    yield "krev: code that changed under the same revision", list(krev.check(moved))
    yield "krev: a kernel without a record", list(krev.check(GOOD))


def krev_hash(texts):
    return krev.hashes(texts)["quernel_uk_gemm_a_1x16x4_avx2"][1]


def krev_hash_trials():
    code = GOOD | {KERNEL: SPDX + BODY}
    for what, (old, new) in SAME_CODE.items():
        yield (
            f"krev: {what} leaves the hash",
            krev_hash(code) == krev_hash(code | {KERNEL: SPDX + BODY.replace(old, new)}),
        )
    for what, (old, new) in OTHER_CODE.items():
        yield (
            f"krev: {what} changes the hash",
            krev_hash(code) != krev_hash(code | {KERNEL: SPDX + BODY.replace(old, new)}),
        )
    moved = code | {KERNEL: SPDX + BODY.replace("epilogue.h", "kernels/template/epilogue.h")}
    moved["kernels/template/epilogue.h"] = moved.pop("kernels/avx2/epilogue.h")
    yield "krev: a move leaves the hash", krev_hash(code) == krev_hash(moved)


def trials():
    return [*krev_trials(), *krev_hash_trials()]
