#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long the house's files and functions are, and how much of them is comment: a table, and the
targets as a rule."""

import ast
import dataclasses
import io
import sys
import tokenize

import ctext

C = (".c", ".h", ".cc")
WIDTH = 100
# A reader sees most functions whole, and most files on one screen. Median and 90th percentile of
# lines; least and most per cent. Tests and Python, which come in longer files, may take two.
FILES = {"C": (70, 250), "all": (80, 250)}
FUNCTIONS, COMMENTS = (8, 20), (12, 20)
ROOMS = ("src", "kernels", "include", "engines", "tune")  # their C is measured by itself as well


@dataclasses.dataclass
class Measure:
    files: list = dataclasses.field(default_factory=list)  # lines of each
    functions: list = dataclasses.field(default_factory=list)  # (lines, where)
    wide: int = 0
    comments: int = 0
    lines: int = 0  # that are not blank

    def add(self, path, text):
        rows = text.splitlines()
        self.files.append(len(rows))
        self.wide += sum(len(row) > WIDTH for row in rows)
        self.lines += sum(bool(row.strip()) for row in rows)
        spans, comments = (c_facts if path.endswith(C) else python_facts)(text)
        self.functions += [
            (last - first + 1, f"{path}:{first}: {name}") for name, first, last in spans
        ]
        self.comments += len(comments)

    def share(self):
        return 100 * self.comments / max(self.lines, 1)


def c_facts(text):
    return ctext.functions(text), ctext.comments(text)


def docstrings(tree):
    """Lines of the docstrings."""
    owners = [
        n
        for n in ast.walk(tree)
        if isinstance(n, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    first = [n.body[0] for n in owners if n.body and ast.get_docstring(n) is not None]
    return {line for n in first for line in range(n.lineno, (n.end_lineno or n.lineno) + 1)}


def python_facts(text):
    tree = ast.parse(text)
    spans = [
        (n.name, n.lineno, n.end_lineno)
        for n in ast.walk(tree)
        if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return spans, docstrings(tree) | {t.start[0] for t in tokens if t.type == tokenize.COMMENT}


def quantile(values, share):
    """The least value that `share` of all do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0


def measured(texts):
    """{top folder: Measure}, with the C of ROOMS under "C", the whole under "all"."""
    found = {"C": Measure(), "all": Measure()}
    for path, text in texts.items():
        if path.endswith((*C, ".py")):
            folder = path.split("/")[0] if "/" in path else "."
            keys = [folder, "all"] + ["C"] * (folder in ROOMS and path.endswith(C))
            for key in keys:
                found.setdefault(key, Measure()).add(path, text)
    return found


def keeps_its_size(texts):
    """The targets, over the whole and over the C of the library and its program."""
    found = measured(texts)
    for scope in FILES:
        yield from meets_targets(scope, found[scope])


def meets_targets(scope, whole):
    spans = [lines for lines, _ in whole.functions]
    for what, values, (median, p90) in (
        (f"{scope}: files", whole.files, FILES[scope]),
        (f"{scope}: functions", spans, FUNCTIONS),
    ):
        if quantile(values, 0.5) > median or quantile(values, 0.9) > p90:
            yield (
                f"{what}: median {quantile(values, 0.5)}, p90 {quantile(values, 0.9)} lines; "
                f"at most {median} and {p90}: "
                "tests/lint/measure.py"
            )
    if whole.lines and not COMMENTS[0] <= whole.share() <= COMMENTS[1]:
        least, most = COMMENTS
        share = f"{whole.share():.1f} % of the lines"
        yield f"{scope}: comments: on {share}; {least} … {most} are wanted"


def row(name, m):
    spans = [lines for lines, _ in m.functions]
    longest, where = max(m.functions, default=(0, ""))
    return (
        f"{name:10} {len(m.files):5} {quantile(m.files, 0.5):6} {quantile(m.files, 0.9):5} "
        f"{len(spans):9} {quantile(spans, 0.5):6} {quantile(spans, 0.9):5} {longest:7} "
        f"{m.wide:5} {m.share():8.1f}  {where}"
    )


def main():
    import lint

    texts = lint.read(lint.tracked())
    print("folder     files median   p90 functions median   p90 longest >100c comments  longest")
    for name, m in sorted(measured(texts).items(), key=lambda item: (item[0] in FILES, item[0])):
        print(row(name, m))
    findings = list(keeps_its_size(texts))
    print(*findings, sep="\n", end="\n" if findings else "")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
