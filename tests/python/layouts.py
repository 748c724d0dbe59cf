#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The ctypes structures of quernel._native against the C ones: sizes, and the offset and size of
every member."""

import ctypes as c
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import front
from quernel import _native as native

INCLUDE = pathlib.Path(__file__).resolve().parents[2] / "include"


def structures():
    """(class, name in C) of every structure."""
    for name, kind in vars(native).items():
        if isinstance(kind, type) and native.Structure in kind.__bases__:
            yield kind, "quernel_" + re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def layout(kind):
    """What C is to say of a structure: {"": size, member: (offset, size)}."""
    members = {name.rstrip("_"): getattr(kind, name) for name, *_ in kind._fields_}
    return {
        "": (0, c.sizeof(kind)),
        **{name: (member.offset, member.size) for name, member in members.items()},
    }


def statements(kind, name):
    """C that prints a structure's layout: its name, a member's, offset and size."""
    yield f'    printf("{name}  0 %zu\\n", sizeof({name}));'
    for member in list(layout(kind))[1:]:
        values = f"offsetof({name}, {member}), sizeof((({name} *)0)->{member})"
        yield f'    printf("{name} {member} %zu %zu\\n", {values});'


def program():
    lines = [line for pair in structures() for line in statements(*pair)]
    includes = ["#include <stdio.h>", "#include <quernel/quernel.h>"]
    return "\n".join([*includes, "int main(void) {", *lines, "}", ""])


def measured(compiler):
    with tempfile.TemporaryDirectory(prefix="quernel-layouts-") as folder:
        source, binary = pathlib.Path(folder, "layouts.c"), pathlib.Path(folder, "layouts")
        source.write_text(program(), encoding="utf-8")
        subprocess.run([compiler, "-I", INCLUDE, source, "-o", binary], check=True)
        done = subprocess.run([binary], check=True, capture_output=True, text=True)
        found = {}
        for line in done.stdout.splitlines():
            name, member, offset, size = line.split(" ")
            found.setdefault(name, {})[member] = (int(offset), int(size))
        return found


class Layouts(unittest.TestCase):
    def test_structures_are_those_of_c(self):
        compiler = os.environ.get("CC") or shutil.which("gcc") or shutil.which("cc")
        if not compiler:
            self.skipTest("no C compiler to ask")
        found = measured(compiler)
        self.assertGreater(len(found), 20)
        for kind, name in structures():
            with self.subTest(name):
                self.assertEqual(layout(kind), found[name])


if __name__ == "__main__":
    sys.exit(front.main(__name__))
