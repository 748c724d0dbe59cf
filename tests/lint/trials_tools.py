# SPDX-License-Identifier: Apache-2.0
"""Shows that what clang-tidy and clang-format say is understood."""

import pathlib
import tempfile

import lint
import style
import tidy


def tidy_trials():
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


def style_trials():
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


def trials():
    return [*tidy_trials(), *style_trials()]
