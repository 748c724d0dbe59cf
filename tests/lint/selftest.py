#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that every rule of the lint can find something, and is content with what is right."""
import sys

import binary
import krev
import source

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
GOOD = {
    "kernels/kernels.def": SPDX + "KERNEL(GEMM, gemm_a_1x16x4, avx2, NONE, .a_type = U8, .krev = 1)\n",
    "kernels/meson.build": "'avx2/gemm_a_1x16x4.c'",
    "kernels/avx2/gemm_a_1x16x4.c": SPDX + '#include "finish.h"\nvoid quernel_uk_gemm_a_1x16x4_avx2(void) {}\n',
    "kernels/avx2/finish.h": SPDX + '#include "base/num.h"\n',
    "src/gemm/drive.c": SPDX + '#include "pack/stage.h"\n',
    "examples/conv2d.c": SPDX + "#include <quernel/quernel.h>\nint main(void) {}\n",
    "README.md": "#include <quernel/quernel.h>\nint main(void) {}",
}


def changed(**paths):
    return GOOD | {path.replace("__", "/").replace("_dot_", "."): text for path, text in paths.items()}


BAD_SOURCES = {
    source.has_licence: changed(src__op__x_dot_c="int x;\n"),
    source.is_short: changed(src__op__x_dot_c=SPDX + "\n" * 601),
    source.names_no_machine: GOOD | {"README.md": "see /ro" + "ot/x"},
    source.leaves_no_marks: changed(src__op__x_dot_c=SPDX + "// TO" + "DO\n"),
    source.keeps_floors: changed(src__gemm__drive_dot_c=SPDX + '#include "op/operator.h"\n'),
    source.lists_kernels_once: GOOD | {"kernels/meson.build": ""},
    source.quotes_its_example: GOOD | {"README.md": "another program"},
}
LOOP = "0000000000000000 <f>:\n   0:\tvpmaddwd %ymm1,%ymm2,%ymm3\n{}   9:\tjne    0 <f>\n   b:\tret\n"
SPILL = "   4:\tvmovdqa %ymm3,0x20(%rsp)\n"


def krev_trials():
    kept = GOOD | {krev.RECORD: "\n".join(f"{k} {r} {h}" for k, (r, h) in krev.hashes(GOOD).items())}
    moved = kept | {"kernels/avx2/finish.h": SPDX + "int more;\n"}
    comment = kept | {"kernels/avx2/finish.h": SPDX + '#include "base/num.h" // words\n'}
    yield "krev: a record that fits", not list(krev.check(kept))
    yield "krev: a comment changes nothing", not list(krev.check(comment))
    yield "krev: code that changed under the same revision", list(krev.check(moved))
    yield "krev: a kernel without a record", list(krev.check(GOOD))


KERNEL = "kernels/avx2/gemm_a_1x16x4.c"
BODY = """#include "finish.h"
#if !defined(LANES)
#error "LANES"
#endif
static int twice(int x) { return _mm_add(x, 2 * x) - memcpy(x); }
#define STEP_1(r) twice(r)
#define STEP_2(r) r
void quernel_uk_gemm_a_1x16x4_avx2(void) { STEP_1(3); STEP_2(4); }
"""
SAME_CODE = {
    "a rename": ("twice", "add_double"), "a comment": ("{ return", "{ /* why */ return"), "spacing": ("(int x)", "( int  x )"),
    "a check of a precondition": ("LANES", "WIDTH"), "a macro's name": ("STEP_", "ROW_"),
}
OTHER_CODE = {
    "a constant": ("2 * x", "3 * x"), "an operator": (") - ", ") + "), "an intrinsic": ("_mm_add", "_mm_sub"),
    "a function of libc": ("memcpy", "memset"), "the order of calls": ("STEP_1(3); STEP_2(4)", "STEP_2(4); STEP_1(3)"),
    "another argument": ("2 * x", "2 * y"), "a type": ("int x", "long x"),
}


def krev_hash(texts):
    return krev.hashes(texts)["quernel_uk_gemm_a_1x16x4_avx2"][1]


def krev_hash_trials():
    code = GOOD | {KERNEL: SPDX + BODY}
    for what, (old, new) in SAME_CODE.items():
        yield f"krev: {what} leaves the hash", krev_hash(code) == krev_hash(code | {KERNEL: SPDX + BODY.replace(old, new)})
    for what, (old, new) in OTHER_CODE.items():
        yield f"krev: {what} changes the hash", krev_hash(code) != krev_hash(code | {KERNEL: SPDX + BODY.replace(old, new)})
    moved = code | {KERNEL: SPDX + BODY.replace("finish.h", "kernels/template/finish.h")}
    moved["kernels/template/finish.h"] = moved.pop("kernels/avx2/finish.h")
    yield "krev: a move leaves the hash", krev_hash(code) == krev_hash(moved)


def binary_trials():
    loops = binary.functions(LOOP.format(SPILL))["f"]
    yield "exports: an internal name", binary.bad_exports(["quernel_run", "quernel_i_x"]) == ["quernel_i_x"]
    yield "linkage: a name without prefix", binary.bad_linkage(["helper", "quernel_i_x"]) == ["helper"]
    yield "calls: malloc in a kernel", binary.bad_calls("avx2", ["memcpy", "malloc"]) == ["malloc"]
    yield "calls: fmaf is for ref alone", binary.bad_calls("avx2", ["fmaf"]) and not binary.bad_calls("ref", ["fmaf"])
    yield "streams: printf", binary.FORBIDDEN.match("fprintf") and not binary.FORBIDDEN.match("vsnprintf")
    yield "files: write in a plan", binary.bad_writers([("src_plan_plan.c.o", ["write"])]) and not binary.bad_writers(
        [("src_table_misses.c.o", ["write"])])
    yield "leaks: AVX in the baseline", binary.leaks("", "   0:\tvaddps %xmm0,%xmm1,%xmm2")
    yield "leaks: zmm in AVX2", binary.leaks("avx2", "   0:\tvpaddd %zmm0,%zmm1,%zmm2")
    yield "leaks: vpdpwssd in AVX2", binary.leaks("avx2", "   0:\tvpdpwssd %ymm0,%ymm1,%ymm2")
    yield "leaks: EVEX vpdpbusd in AVX-VNNI", binary.leaks("avxvnni", "   0:\tvpdpbusd %ymm0,%ymm1,%ymm2")
    yield "leaks: VEX vpdpbusd in AVX-VNNI is fine", not binary.leaks("avxvnni", "   0:\t{vex} vpdpbusd %ymm0,%ymm1,%ymm2")
    yield "leaks: tiles in AVX-512", binary.leaks("avx512vnni", "   0:\ttdpbusd %tmm7,%tmm6,%tmm0")
    yield "leaks: SSE in the baseline is fine", not binary.leaks("", "   0:\taddps %xmm0,%xmm1\n   4:\tverw %ax")
    yield "spills: a vector store to the stack", [binary.spills(b) for b in binary.inner_loops(loops)] == [["vmovdqa %ymm3,0x20(%rsp)"]]
    yield "spills: a clean loop", binary.inner_loops(binary.functions(LOOP.format(""))["f"]) and not binary.spills(["vmovdqa (%rsp),%ymm3"])
    yield "spills: AArch64", binary.spills(["str\tq3, [sp, #16]"])


def source_trials():
    for rule in source.RULES:
        yield f"{rule.__name__}: right input", not list(rule(GOOD))
        yield f"{rule.__name__}: wrong input", list(rule(BAD_SOURCES[rule]))


def main():
    trials = [*source_trials(), *krev_trials(), *krev_hash_trials(), *binary_trials()]
    failed = [name for name, result in trials if not result]
    for name in failed:
        print(f"self-test: {name}: the lint judges it wrongly")
    print(f"{len(trials) - len(failed)} passed, {len(failed)} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
