#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the C text of the built-in table from .qtn files: embed.py OUTPUT INPUT…

The same rows give the same bytes. A line that is no row (its checksum is looked at) ends the
build."""

import pathlib
import sys


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def rows_of(path):
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if not line or line.startswith(b"#"):
            continue
        body, _, crc = line.rpartition(b"\t")
        if not line.startswith(b"qtn1\t") or crc != b"%08x" % crc32c(body):
            sys.exit(f"{path}:{number}: is no row of a table")
        yield line


def quoted(line):
    text = line.decode("ascii").replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    return f'    "{text}\\n"\n'


def main(output, inputs):
    rows = [row for path in sorted(inputs) for row in rows_of(pathlib.Path(path))]
    text = "// Made by tune/embed.py from tune/tables; not to be edited.\n#include <stddef.h>\n"
    text += 'extern const char quernel_i_embedded[];\nconst char quernel_i_embedded[] =\n    ""\n'
    text += "".join(quoted(row) for row in rows) + '    "";\n'
    pathlib.Path(output).write_text(text, encoding="ascii")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
