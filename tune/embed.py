#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the C text of the built-in table from the .qtn files of a folder: embed.py OUTPUT DEPFILE
FOLDER

The same rows give the same bytes. A line that is no row (its checksum is looked at) ends the
build. The depfile names the folder, too: a file that comes or goes makes the text again."""

import pathlib
import sys


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def rows_of(text, name):
    """The lines of a file that are rows."""
    for number, line in enumerate(text.split("\n"), 1):
        if not line or line.startswith("#"):
            continue
        body, _, crc = line.rpartition("\t")
        if not line.startswith("qtn1\t") or crc != f"{crc32c(body.encode()):08x}":
            raise ValueError(f"{name}:{number}: is no row of a table")
        yield line


def quoted(line):
    text = line.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    return f'    "{text}\\n"\n'


def main(output, depfile, folder):
    paths = sorted(pathlib.Path(folder).glob("*.qtn"))
    rows = [row for path in paths for row in rows_of(path.read_text(encoding="ascii"), path)]
    text = "// Made by tune/embed.py from tune/tables; not to be edited.\n#include <stddef.h>\n"
    text += 'extern const char quernel_i_embedded[];\nconst char quernel_i_embedded[] =\n    ""\n'
    text += "".join(quoted(row) for row in rows) + '    "";\n'
    pathlib.Path(output).write_text(text, encoding="ascii")
    needed = " ".join(str(path).replace(" ", "\\ ") for path in (folder, *paths))
    pathlib.Path(depfile).write_text(f"{output}: {needed}\n", encoding="utf-8")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (UnicodeError, ValueError) as problem:
        sys.exit(str(problem))
