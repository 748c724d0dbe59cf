# SPDX-License-Identifier: Apache-2.0
"""Shows what the rules find that look at C as text: names, constants, floors, sizes."""

import constants
import ctext
import floors
import measure
import names
import source
from trials_source import SPDX

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
# Values that hide their reason, and values that have one or need none.
BARE = (
    "#define MOST 100",
    "#define MOST ((size_t)1 << 20)",
    "enum { A = 2, MOST = 0x38e38e39 };",
    "enum {\n    A = 2,\n    MOST = 4096,\n};",
    "static const uint64_t most = 9000;",
    "const float magic = 12582912.0f;",
)
DERIVED = (
    "#define NAME other",
    "enum { NR = 16, LINE = 64 };",
    "enum { WIDE = 24 * TILE_NR };",
    "const size_t KiB = 1024;",
    '#define TEXT "100"',
    "const int first = f(100);",
    "#define F(x) 100",
)


def unexplained(text):
    return list(constants.says_why({"src/op/x.c": SPDX + "\n" + text + "\n"}))


def constants_trials():
    for text in BARE:
        yield f"constants: bare: {text}", unexplained(text)
        yield (
            f"constants: explained: {text}",
            not unexplained(
                "// as many as fit\n" + text.replace("\n    MOST", " MOST").replace("\n", " ")
            ),
        )
        yield (
            f"constants: explained on its line: {text}",
            not unexplained(text.replace("\n", " ") + " // as many as fit"),
        )
    for text in DERIVED:
        yield f"constants: none: {text}", not unexplained(text)


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


def trials():
    return [
        *floors_trials(),
        *names_trials(),
        *constants_trials(),
        *ctext_trials(),
        *measure_trials(),
    ]
