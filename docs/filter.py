#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What Doxygen reads in place of a file, so that its pages get titles and links.

A header's first comment becomes the description of the file, with indented lines kept as they are;
each labelled part of a comment ("Returns …", "Threads: …") becomes a paragraph, and a macro one
line. A document loses its licence line, so that its heading is the page's title. Names of calls
get parentheses: those Doxygen links."""

import pathlib
import re
import sys

HEADERS = pathlib.Path(__file__).resolve().parent.parent / "include" / "quernel"
LABEL = re.compile(
    r"^/// ((?:Shapes|Numbers|Limits|Time|Threads|Owner|Source|Example|Since):|Returns\b)",
    re.MULTILINE,
)


def calls():
    """The names of all public functions."""
    for path in HEADERS.glob("*.h"):
        code = path.read_text(encoding="utf-8")
        yield from re.findall(r"QUERNEL_API[^;(]*?(quernel_\w+)\(", code)


def header(text):
    lines = text.split("\n")
    lines[0] = "/// @file"
    for i in range(1, len(lines)):
        if not lines[i].startswith("//"):
            break
        indented = re.sub(r"^//   ", "//       ", lines[i])  # a drawing or a list: verbatim
        lines[i] = "/" + indented
    name = re.compile(rf"\b({'|'.join(sorted(calls()))})\b(?!\()")
    for i, line in enumerate(lines):
        if line.lstrip().startswith("///"):
            lines[i] = name.sub(r"\1()", line)
    text = LABEL.sub(r"///\n/// **\1**", "\n".join(lines))
    return re.sub(r"[ \t]*\\\n[ \t]*", " ", text)  # a macro's value on one line


def document(text):
    names = set(calls())
    text = re.sub(r"\A<!--.*?-->\n", "", text)
    return re.sub(r"`(quernel_\w+)`", lambda m: f"`{m[1]}()`" if m[1] in names else m[0], text)


def main():
    path = pathlib.Path(sys.argv[1])
    text = path.read_text(encoding="utf-8")
    sys.stdout.reconfigure(encoding="utf-8")
    print({".h": header, ".md": document}[path.suffix](text), end="")


if __name__ == "__main__":
    main()
