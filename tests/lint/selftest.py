#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that every rule of the lint can find something, and is content with what is right."""

import pathlib
import sys
import tempfile

import binary
import constants
import ctext
import floors
import krev
import lint
import measure
import names
import source
import style
import tidy

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
GOOD = {
    "kernels/kernels.def": SPDX
    + "KERNEL(GEMM, gemm_a_1x16x4, avx2, NONE, .a_type = U8, .krev = 1)\n",
    "kernels/meson.build": "'avx2/gemm_a_1x16x4.c'",
    "kernels/avx2/gemm_a_1x16x4.c": SPDX
    + '#include "epilogue.h"\nvoid quernel_uk_gemm_a_1x16x4_avx2(void) {}\n',
    "kernels/avx2/epilogue.h": SPDX + '#include "base/num.h"\n',
    "src/exec/exec.c": SPDX + '#include "pack/stage.h"\nlog("1 .. 2"); // 1 … 2\n',
    "src/base/desc.c": SPDX + "bool fits(d *a) { return a->size >= sizeof *a; }\n",
    "tune/search/race.c": SPDX + '#include "tune/common/random.h"\n#include "table/row.h"\n',
    "examples/conv2d.c": SPDX + "#include <quernel/quernel.h>\nint main(void) {}\n",
    "README.md": "#include <quernel/quernel.h>\nint main(void) {}",
    "docs/guide.md": "[up](../README.md), [in](../src/exec), `[no](link)`\n"
    "```c\nint main(void)\n{}\n```\n",
}
# A tree with every floor, drawn and listed, and a comment on one line of seven.
TALL = {
    f"src/{floor}/x.c": SPDX + "int x(void) {\n    a();\n    b();\n    c();\n    d();\n}\n"
    for floor in source.FLOORS
}
TALL["README.md"] = "\n".join(f"│ src/{floor}  what it does │" for floor in reversed(source.FLOORS))
TALL["CONTRIBUTING.md"] = (
    f"A file includes its own floor and those below it: {', '.join(source.FLOORS)}. More."
)
HEADER = (
    "/// Opens.\nint quernel_i_row_open(void);\n"
    "typedef struct quernel_i_verdict {\n    int x;\n} quernel_i_verdict;\n"
)
LONG_FUNCTION = "void f(void) {\n" + "    g();\n" * 40 + "}\n"


def changed(**paths):
    return GOOD | {
        path.replace("__", "/").replace("_dot_", "."): text for path, text in paths.items()
    }


BAD_SOURCES = {
    source.has_licence: changed(src__op__x_dot_c="int x;\n"),
    source.is_short: changed(src__op__x_dot_c=SPDX + "\n" * 601),
    source.is_narrow: changed(src__op__x_dot_c=SPDX + "//" + "x" * 99 + "\n"),
    source.names_no_machine: GOOD | {"README.md": "see /ro" + "ot/x"},
    source.leaves_no_marks: changed(src__op__x_dot_c=SPDX + "// TO" + "DO\n"),
    source.keeps_floors: changed(src__exec__drive_dot_c=SPDX + '#include "op/operator.h"\n'),
    source.lists_kernels_once: GOOD | {"kernels/meson.build": ""},
    source.links_resolve: GOOD | {"docs/guide.md": "[gone](../docs/gone.md)"},
    source.quotes_examples: GOOD | {"docs/guide.md": "```c\nint other;\n```\n"},
    source.checks_sizes_in_one_file: changed(
        src__op__x_dot_c=SPDX + "int f(d *a) { return a->size != sizeof *a; }\n"
    ),
    source.says_it_in_ascii: changed(src__op__x_dot_c=SPDX + 'log("1 … 2"); // fine: …\n'),
    source.quotes_its_example: GOOD | {"README.md": "another program"},
}
LOOP = (
    "0000000000000000 <f>:\n   0:\tvpmaddwd %ymm1,%ymm2,%ymm3\n{}   9:\tjne    0 <f>\n   b:\tret\n"
)
SPILL = "   4:\tvmovdqa %ymm3,0x20(%rsp)\n"


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


def binary_trials():
    loops = binary.functions(LOOP.format(SPILL))["f"]
    yield (
        "exports: an internal name",
        binary.bad_exports(["quernel_run", "quernel_i_x"]) == ["quernel_i_x"],
    )
    yield (
        "linkage: a name without prefix",
        binary.bad_linkage(["helper", "quernel_i_x"]) == ["helper"],
    )
    yield "calls: malloc in a kernel", binary.bad_calls("avx2", ["memcpy", "malloc"]) == ["malloc"]
    yield (
        "calls: fmaf is for ref alone",
        binary.bad_calls("avx2", ["fmaf"]) and not binary.bad_calls("ref", ["fmaf"]),
    )
    yield (
        "streams: printf",
        binary.FORBIDDEN.match("fprintf") and not binary.FORBIDDEN.match("vsnprintf"),
    )
    yield "streams: an assert in a release", binary.FORBIDDEN.match("__assert_fail")
    yield (
        "files: write in a plan",
        binary.bad_writers([("src_plan_plan.c.o", ["write"])])
        and not binary.bad_writers([("src_table_misses.c.o", ["write"])]),
    )
    yield "leaks: AVX in the baseline", binary.leaks("", "   0:\tvaddps %xmm0,%xmm1,%xmm2")
    yield "leaks: zmm in AVX2", binary.leaks("avx2", "   0:\tvpaddd %zmm0,%zmm1,%zmm2")
    yield "leaks: vpdpwssd in AVX2", binary.leaks("avx2", "   0:\tvpdpwssd %ymm0,%ymm1,%ymm2")
    yield (
        "leaks: EVEX vpdpbusd in AVX-VNNI",
        binary.leaks("avxvnni", "   0:\tvpdpbusd %ymm0,%ymm1,%ymm2"),
    )
    yield (
        "leaks: VEX vpdpbusd in AVX-VNNI is fine",
        not binary.leaks("avxvnni", "   0:\t{vex} vpdpbusd %ymm0,%ymm1,%ymm2"),
    )
    yield "leaks: tiles in AVX-512", binary.leaks("avx512vnni", "   0:\ttdpbusd %tmm7,%tmm6,%tmm0")
    yield (
        "leaks: SSE in the baseline is fine",
        not binary.leaks("", "   0:\taddps %xmm0,%xmm1\n   4:\tverw %ax"),
    )
    yield (
        "spills: a vector store to the stack",
        [binary.spills(b) for b in binary.inner_loops(loops)] == [["vmovdqa %ymm3,0x20(%rsp)"]],
    )
    yield (
        "spills: a clean loop",
        binary.inner_loops(binary.functions(LOOP.format(""))["f"])
        and not binary.spills(["vmovdqa (%rsp),%ymm3"]),
    )
    yield "spills: AArch64", binary.spills(["str\tq3, [sp, #16]"])


def floors_trials():
    up, down = TALL | {"src/cpu/x.c": '#include "pack/x.h"\n'}, '#include "cpu/x.h"\n'
    yield "floors: drawn, listed and there", not list(floors.draws_the_floors(TALL))
    yield (
        "floors: a folder that is not drawn",
        list(floors.draws_the_floors(TALL | {"src/attic/x.c": SPDX})),
    )
    yield "floors: no drawing", list(floors.draws_the_floors(TALL | {"README.md": ""}))
    yield (
        "floors: another order in the list",
        list(floors.draws_the_floors(TALL | {"CONTRIBUTING.md": "those below it: cpu, base."})),
    )
    yield (
        "floors: two in one row of the drawing",
        floors.drawn("│ src/cpu  src/base  words │") == ["base", "cpu"],
    )
    yield "floors: an include upward makes no circle alone", not list(floors.has_no_circle(up))
    yield "floors: a circle", list(floors.has_no_circle(up | {"src/pack/x.c": down}))


def names_trials():
    def of(name, **more):
        return list(
            names.says_where(
                {"src/table/row.h": f"{SPDX}{HEADER}int quernel_i_{name}(int x);\n", **more}
            )
        )

    yield "names: the header's", not of("row_close")
    yield "names: the floor's", not of("table_close")
    yield "names: a type's", not of("verdict_name")
    yield "names: another's", of("effort_name")
    yield (
        "names: the file's beside it",
        not of("effort_name", **{"src/table/efforts.c": "int quernel_i_effort_name(int x) {\n}\n"}),
    )
    yield (
        "names: a comment declares nothing",
        not of("row_close); // int quernel_i_effort_name(void"),
    )


def constants_trials():
    def of(text):
        return list(constants.says_why({"src/op/x.c": SPDX + "\n" + text + "\n"}))

    for text in (
        "#define MOST 100",
        "#define MOST ((size_t)1 << 20)",
        "enum { A = 2, MOST = 0x38e38e39 };",
        "enum {\n    A = 2,\n    MOST = 4096,\n};",
        "static const uint64_t most = 9000;",
        "const float magic = 12582912.0f;",
    ):
        yield f"constants: bare: {text}", of(text)
        yield (
            f"constants: explained: {text}",
            not of("// as many as fit\n" + text.replace("\n    MOST", " MOST").replace("\n", " ")),
        )
        yield (
            f"constants: explained on its line: {text}",
            not of(text.replace("\n", " ") + " // as many as fit"),
        )
    for text in (
        "#define NAME other",
        "enum { NR = 16, LINE = 64 };",
        "enum { WIDE = 24 * TILE_NR };",
        "const size_t KiB = 1024;",
        '#define TEXT "100"',
        "const int first = f(100);",
        "#define F(x) 100",
    ):
        yield f"constants: none: {text}", not of(text)


def ctext_trials():
    text = (
        '#include <a.h>\n#define F(x) \\\n    { x }\nextern "C" {\n'
        "struct a {\n    int x;\n};\nint t[] = {1, 2};\n"
        "static int\nf(int a, char b) { // {\n    if (a) {\n        g('{');\n    }\n}\n"
        "/* { */ void h(void) {}\n}\n"
    )
    yield "functions: found where they are", ctext.functions(text) == [("f", 9, 14), ("h", 15, 15)]
    yield (
        "functions: their attributes are no names",
        ctext.functions("int f(void) __attribute__((cold(1)));\nint g(void) {\n}\n")
        == [("g", 2, 3)],
    )
    yield (
        "comments: not in strings",
        ctext.comments('x = "// no";\n/* a\n b */ y; // c\n') == {2, 3},
    )


def measure_trials():
    def of(text):
        return list(measure.keeps_its_size({f"src/op/{i}.c": text for i in range(9)}))

    right = TALL["src/op/x.c"]
    yield "measure: right input", not of(right)
    yield "measure: long functions", of(right + "// words\n" * 6 + LONG_FUNCTION)
    yield "measure: long files", of(right * 60)
    yield "measure: too few comments", of("int x;\n" * 9)
    yield "measure: too many comments", of("// words\n" * 9)
    facts = measure.python_facts('"""Two\nlines."""\ndef f():\n    # why\n    return "#"\n')
    yield "measure: Python", facts == ([("f", 3, 5)], {1, 2, 4})
    yield (
        "measure: quantiles",
        (measure.quantile([3, 1, 2], 0.5), measure.quantile([], 0.5)) == (2, 0),
    )


def tool_trials():
    said = f"{tidy.ROOT}/src/a.c:3:7: warning: words [bugprone-x]\n  code\n"
    yield "tidy: a warning", tidy.findings(said) == ["src/a.c:3: words [bugprone-x]"]
    yield (
        "tidy: from the build folder",
        tidy.findings("../src/a.c:3:7: warning: x [y]\nbuild/../src/b.c:3:7: error: x [y]\n")
        == ["src/a.c:3: x [y]", "src/b.c:3: x [y]"],
    )
    yield (
        "tidy: the system's headers are none",
        not tidy.findings("/usr/include/a.h:3:7: warning: x [y]\n"),
    )
    yield "tidy: notes are none", not tidy.findings("src/a.c:3:7: note: words\n")
    command = {"directory": str(tidy.ROOT / "build"), "file": "../src/a.c"}
    yield "tidy: each source once", tidy.sources([command, command]) == [tidy.ROOT / "src" / "a.c"]
    yield (
        "tidy: none of elsewhere",
        not tidy.sources([command | {"file": "/usr/a.c"}, command | {"file": "../bench/a.c"}]),
    )
    tool = style.find_tool()
    if tool:
        with tempfile.TemporaryDirectory() as scratch:
            path = pathlib.Path(scratch) / "a.c"
            (path.parent / ".clang-format").write_text(
                (lint.ROOT / ".clang-format").read_text(encoding="utf-8"), encoding="utf-8"
            )
            path.write_text("int  x;\n", encoding="utf-8")
            yield (
                "style: a file in another form",
                style.badly_formatted(tool, [path]) == [str(path)],
            )
            yield (
                "style: written",
                style.write(tool, [path]) == [] and path.read_text(encoding="utf-8") == "int x;\n",
            )


def source_trials():
    for rule in source.RULES:
        yield f"{rule.__name__}: right input", not list(rule(GOOD))
        yield f"{rule.__name__}: wrong input", list(rule(BAD_SOURCES[rule]))


def room_trials():
    for path, wanted in (
        ("search/race.c", "program/options.h"),
        ("probe/host.c", "search/publish.h"),
        ("workload/shapes.c", "probe/probe.h"),
        ("common/json.c", "workload/shapes.h"),
    ):
        yield (
            f"rooms: tune/{path} includes {wanted}",
            not source.allowed_from(f"tune/{path}", f"tune/{wanted}"),
        )
    yield (
        "rooms: the program includes the search",
        source.allowed_from("tune/program/tune.c", "tune/search/session.h"),
    )
    yield (
        "rooms: the search has no checker",
        not source.allowed_from("tune/search/race.c", "tests/kcheck/kcheck.h"),
    )


def main():
    trials = [
        *source_trials(),
        *room_trials(),
        *floors_trials(),
        *names_trials(),
        *constants_trials(),
        *ctext_trials(),
        *measure_trials(),
        *tool_trials(),
        *krev_trials(),
        *krev_hash_trials(),
        *binary_trials(),
    ]
    failed = [name for name, result in trials if not result]
    for name in failed:
        print(f"self-test: {name}: the lint judges it wrongly")
    print(f"{len(trials) - len(failed)} passed, {len(failed)} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
