# SPDX-License-Identifier: Apache-2.0
"""Names of the library's own functions: quernel_i_<noun>_<verb>, where the noun says in which
file to look.

The noun is the stem of the header that declares the function, or of the file beside it that
defines it (singular or plural), their floor, or a type that the header declares. base/ is left
out: its words are those of the language."""

import posixpath
import re

import ctext

PROTOTYPE = re.compile(
    r"^(?!typedef|return|static const)[A-Za-z][\w \t*]*?\bquernel_i_(\w+)\(", re.MULTILINE
)
TYPE = re.compile(r"\}\s*quernel_i_(\w+)\s*;|\b(?:struct|enum)\s+quernel_(?:i_)?(\w+)")
FREE = "src/base/"


def stems(path):
    return {posixpath.splitext(posixpath.basename(path))[0]}


def nouns(path, texts, name):
    """Every noun that may begin the name of a function which this header declares."""
    found = stems(path) | {path.split("/")[1]}
    found |= {word for pair in TYPE.findall(texts[path]) for word in pair if word}
    folder = posixpath.dirname(path) + "/"
    for other, text in texts.items():
        if (
            other.startswith(folder)
            and other.endswith(".c")
            and re.search(rf"^\w[\w \t*]*\bquernel_i_{name}\(", text, re.MULTILINE)
        ):
            found |= stems(other)
    return found | {noun.removesuffix("s") for noun in found} | {noun + "s" for noun in found}


def says_where(texts):
    for path, text in texts.items():
        if not path.startswith("src/") or not path.endswith(".h") or path.startswith(FREE):
            continue
        for name in PROTOTYPE.findall(ctext.code(text)):
            if not any(
                name == noun or name.startswith(noun + "_") for noun in nouns(path, texts, name)
            ):
                yield f"{path}: quernel_i_{name}: not after its file, floor or a type"


RULES = [says_where]
