# SPDX-License-Identifier: Apache-2.0
"""Constants whose value the reader cannot see the reason of: each says it on its line, or on the
line above.

Looked at are object-like macros, enumerators with a value, and static or local const numbers of
the library, whose value is, or is made of, a number of FROM or more. A value made of other names
(2 * TILE_NR) is its own derivation; so are the widths of a vector, a sub-panel and a cache line
(WIDTHS), and the names of units (UNITS)."""

import re

import ctext

FROM = 16
WIDTHS = {16, 32, 64}
UNITS = {"KiB", "MiB", "GiB"}
NUMBER = r"0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
DEFINITION = re.compile(
    r"^[ \t]*#[ \t]*define[ \t]+(?P<macro>\w+)[ \t]+(?P<of_macro>[^\n]*)"
    r"|(?:\benum\b[^{;]*\{|,|\{)\s*(?P<member>[A-Z]\w*)\s*=\s*(?P<of_member>[^,}]*)"
    r"|\bconst\s+(?:\w+\s+)?(?P<name>\w+)\s*=\s*(?P<of_name>[^;,]*)",
    re.MULTILINE,
)


def size(word):
    word = word.rstrip("uUlLfF") if not word.lower().startswith("0x") else word
    return int(word, 16) if word.lower().startswith("0x") else float(word)


def is_bare(value):
    """Numbers and arithmetic alone, and one of them is large."""
    value = re.sub(r"\((?:size_t|u?int\d+_t|double|float|unsigned|int)\)", " ", value)
    plain = re.sub(rf"(?:{NUMBER})(?:[uUlL]+|[fF])?", " ", value)
    if re.search(r"\w|[\"'\[{]", plain) or plain.strip(" ()+-*/<>|&~\t\\"):
        return False
    # A shift is looked at whole: 1 << 20 is large.
    shifted = [
        int(size(a)) << int(size(b))
        for a, b in re.findall(rf"({NUMBER})[uUlL]*\s*\)?\s*<<\s*({NUMBER})", value)
    ]
    return any(n >= FROM for n in shifted) or any(
        size(word) >= FROM and size(word) not in WIDTHS for word in re.findall(NUMBER, value)
    )


def says_why(texts):
    for path, text in texts.items():
        if not path.startswith(("src/", "kernels/")) or not path.endswith((".c", ".h")):
            continue
        explained, plain = ctext.comments(text), ctext.without_comments(text)
        for match in DEFINITION.finditer(plain):
            kind = str(match.lastgroup).removeprefix("of_")
            line = plain.count("\n", 0, match.start(kind)) + 1
            if match.group(kind) in UNITS or {line, line - 1} & explained:
                continue
            value = match.group(f"of_{kind}").strip()
            if is_bare(value):
                yield f"{path}:{line}: {match.group(kind)} = {value}: nothing says why"


RULES = [says_why]
