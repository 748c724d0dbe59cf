# SPDX-License-Identifier: Apache-2.0
"""Shows what each rule of source.py finds, and a small tree that is right by all of them."""

import source

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
    "include/quernel/some.h": SPDX
    + "QUERNEL_API int quernel_some_create(const quernel_some_desc *desc, quernel_some **ret);\n",
    "tests/api/attempts.c": SPDX + "int x = quernel_some_create(&d, &some);\n",
    "README.md": "#include <quernel/quernel.h>\nint main(void) {}",
    "docs/guide.md": "[up](../README.md), [in](../src/exec), `[no](link)`\n"
    "```c\nint main(void)\n{}\n```\n",
}


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
    source.sweeps_memory: GOOD | {"tests/api/attempts.c": SPDX},
    source.quotes_its_example: GOOD | {"README.md": "another program"},
}


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


def trials():
    return [*source_trials(), *room_trials()]
