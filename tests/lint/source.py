# SPDX-License-Identifier: Apache-2.0
"""Rules about source text. Each takes {path: text} and yields findings."""

import posixpath
import re

import ctext

C = (".c", ".h")
CODE = (".c", ".h", ".cc", ".py", ".def")
LINES_MOST = 600
COLUMNS_MOST = 100
# A file includes its own floor and those before it here.
FLOORS = [
    "base",
    "cpu",
    "threads",
    "registry",
    "pack",
    "plan",
    "exec",
    "quant",
    "table",
    "op",
    "network",
    "ptq",
]
# A file of tune/ includes its own room, these, and the library.
TUNE_ROOMS = {
    "common": [],
    "probe": ["common"],
    "workload": ["common"],
    "search": ["common", "probe", "workload"],
    "program": ["common", "probe", "workload", "search"],
}
MACHINE_PATH = re.compile(r"/(?:root|home/[a-z]+|work|tmp/[a-z])/")
# A member `size` beside sizeof, in either order.
SIZE_CHECK = re.compile(
    r"(?:->|\.)size\s*(?:[!=]=|[<>]=?)\s*sizeof\b|\bsizeof\b[^;\n]*?[!=<>]=?\s*\w+(?:->|\.)size\b"
)
MARKS = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")


def code(texts):
    return {
        path: text
        for path, text in texts.items()
        if path.endswith(CODE) or path in ("dev", ".ci/run")
    }


def has_licence(texts):
    for path, text in code(texts).items():
        if "SPDX-License-Identifier: Apache-2.0" not in "\n".join(text.splitlines()[:2]):
            yield f"{path}: has no SPDX line at its top"


def is_short(texts):
    for path, text in code(texts).items():
        if text.count("\n") > LINES_MOST:
            yield f"{path}: {text.count(chr(10))} lines, {LINES_MOST} at most"


def is_narrow(texts):
    for path, text in code(texts).items():
        for number, line in enumerate(text.splitlines(), 1):
            if len(line) > COLUMNS_MOST:
                yield f"{path}:{number}: {len(line)} columns, {COLUMNS_MOST} at most"


def names_no_machine(texts):
    for path, text in texts.items():
        for number, line in enumerate(text.splitlines(), 1):
            if MACHINE_PATH.search(line) and not path.startswith("tests/lint/"):
                yield f"{path}:{number}: names a path of one machine"


def leaves_no_marks(texts):
    for path, text in code(texts).items():
        for number, line in enumerate(text.splitlines(), 1):
            if MARKS.search(line):
                yield f"{path}:{number}: a left-over mark"


def includes(text):
    return re.findall(r'^\s*#\s*include\s+"([^"]+)"', text, re.MULTILINE)


def allowed_in_tune(path, wanted):
    """Whether a file of the tuner may include this header; `quernel verify` is the kernel
    checker."""
    room, parts = path.split("/")[1], wanted.split("/")
    if parts[0] == "tune":
        return parts[1] in [room, *TUNE_ROOMS.get(room, [])]
    return parts[0] in ["quernel", "kernels", *FLOORS] or (
        room == "program" and wanted == "tests/kcheck/kcheck.h"
    )


def allowed_from(path, wanted):
    """Whether a file of the library or the tuner may include this header."""
    parts = path.split("/")
    if parts[0] == "tune":
        return allowed_in_tune(path, wanted)
    if parts[0] == "kernels":
        return (
            "/" not in wanted
            or wanted.startswith("kernels/")
            or wanted in ("quernel/common.h", "base/num.h")
        )
    if parts[0] != "src":
        return True
    if wanted.startswith(("quernel/", "kernels/")):
        return True
    floor = wanted.split("/")[0]
    return floor in FLOORS and FLOORS.index(floor) <= FLOORS.index(parts[1])


def keeps_floors(texts):
    for path, text in texts.items():
        if not path.endswith((".c", ".h")):
            continue
        for wanted in includes(text):
            if not allowed_from(path, wanted):
                yield f"{path}: includes {wanted}, which is on a higher floor"


def kernel_lines(definitions):
    """(op, name, isa, krev) of every line of kernels.def."""
    text = re.sub(r"//[^\n]*", "", definitions)
    pattern = r"^KERNEL\(\s*(\w+),\s*(\w+),\s*(\w+),(?:(?!^KERNEL\().)*?\.krev = (\d+)"
    return re.findall(pattern, text, re.DOTALL | re.MULTILINE)


def lists_kernels_once(texts):
    """Every kernel's function is in a source of its ISA's folder, and every source is built."""
    lines = kernel_lines(texts.get("kernels/kernels.def", ""))
    if not lines:
        yield "kernels/kernels.def: no kernel was found in it"
    built = texts.get("kernels/meson.build", "")
    for _, name, isa, _ in lines:
        function = f"quernel_uk_{name}_{isa}"
        homes = [
            p
            for p, t in texts.items()
            if p.startswith("kernels/") and f"/{isa}/" in p and p.endswith(".c") and function in t
        ]
        if not homes:
            yield f"kernels/kernels.def: {function} is in no file of {isa}"
    for path in texts:
        if (
            path.startswith("kernels/")
            and path.endswith(".c")
            and path.removeprefix("kernels/") not in built
        ):
            yield f"{path}: is not in kernels/meson.build"
    names = [f"{name}_{isa}" for _, name, isa, _ in lines]
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield f"kernels/kernels.def: {name} is there twice"


def quotes_its_example(texts):
    """README's program is the one that is compiled and run."""
    example = texts.get("examples/conv2d.c", "")
    body = example[example.find("#include") :].strip()
    if not body or body not in texts.get("README.md", ""):
        yield "README.md: its program is not examples/conv2d.c"


def links_resolve(texts):
    """A relative link of a document leads to a file or folder of the repository."""
    folders = {posixpath.dirname(path) for path in texts}
    folders.update(parent for folder in list(folders) for parent in parents_of(folder))
    for path, text in texts.items():
        if not path.endswith(".md"):
            continue
        for target in re.findall(r"\]\(([^)\s]+)\)", without_code(text)):
            if re.match(r"[a-z]+:|#", target):
                continue
            wanted = posixpath.join(posixpath.dirname(path), target.split("#")[0])
            wanted = posixpath.normpath(wanted)
            if wanted not in texts and wanted not in folders:
                yield f"{path}: links to {target}, which is not there"


def parents_of(folder):
    while folder:
        folder = posixpath.dirname(folder)
        yield folder


def without_code(text):
    return re.sub(
        r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    )


def quotes_examples(texts):
    """Code in the guide is part of a program of examples/; line breaks may differ."""
    examples = [
        "".join(text.split()) for path, text in texts.items() if path.startswith("examples/")
    ]
    guide = texts.get("docs/guide.md", "")
    for block in re.findall(r"^```c\n(.*?)^```", guide, re.MULTILINE | re.DOTALL):
        if not any("".join(block.split()) in example for example in examples):
            yield f"docs/guide.md: is in no example: {block.splitlines()[0]}"


def checks_sizes_in_one_file(texts):
    """A caller's struct may be older or newer than the library: base/desc.c alone judges its
    size, by one rule."""
    for path, text in texts.items():
        if not path.startswith("src/") or path == "src/base/desc.c" or not path.endswith(C):
            continue
        for match in SIZE_CHECK.finditer(ctext.code(text)):
            line = text.count("\n", 0, match.start()) + 1
            yield f"{path}:{line}: {match[0]}: sizes of structs are for base/desc.c to check"


def says_it_in_ascii(texts):
    """Messages go to terminals and logs of any encoding."""
    for path, text in texts.items():
        if not path.startswith(("src/", "include/")) or not path.endswith((*C, ".def")):
            continue
        for line, literal in ctext.literals(text):
            if not literal.isascii():
                yield f"{path}:{line}: {literal}: not ASCII"


# What shows that memory which fails is a status and leaks nothing.
SWEEPS = ("tests/api/attempts.c", "tests/api/fixture.c", "tests/ptq/search.c")
# A declaration that takes memory by an allocator: its own argument, or a member of its descriptor.
TAKES_MEMORY = re.compile(
    r"^QUERNEL_API int (quernel_\w+)\("
    r"([^;]*(?:_desc \*desc\b|quernel_allocator \*|quernel_float_layer \*)[^;]*)\);",
    re.MULTILINE,
)


def sweeps_memory(texts):
    """Everything public that takes memory is tried with each of its requests failing."""
    swept = "".join(texts.get(path, "") for path in SWEEPS)
    for path, text in texts.items():
        if not path.startswith("include/"):
            continue
        for name, _ in TAKES_MEMORY.findall(text):
            if not re.search(rf"\b{name}\b", swept):
                yield f"{path}: {name} takes memory, which is let fail in none of {SWEEPS}"


RULES = [
    has_licence,
    is_short,
    is_narrow,
    names_no_machine,
    leaves_no_marks,
    keeps_floors,
    lists_kernels_once,
    quotes_its_example,
    links_resolve,
    quotes_examples,
    checks_sizes_in_one_file,
    says_it_in_ascii,
    sweeps_memory,
]
