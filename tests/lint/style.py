#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether every C and C++ file is as clang-format writes it; `--write` writes it. Exit 77 where
the formatter of requirements.txt is not here: another version breaks lines elsewhere."""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SUFFIXES = (".c", ".h", ".cc")
ROUNDS = 4  # a macro of several lines may need more than one until nothing moves


def wanted_version():
    return re.search(
        r"^clang-format==(\S+)$",
        (HERE / "requirements.txt").read_text(encoding="utf-8"),
        re.MULTILINE,
    )[1]


def version_of(tool):
    said = subprocess.run([tool, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"version (\d+\.\d+\.\d+)", said)
    return found[1] if found else ""


def find_tool():
    """The formatter of that version, or None."""
    names = [
        str(ROOT / ".venv" / "bin" / "clang-format"),
        "clang-format",
        "clang-format-" + wanted_version().split(".")[0],
    ]
    return next(
        (t for t in map(shutil.which, names) if t and version_of(t) == wanted_version()), None
    )


def badly_formatted(tool, paths):
    """Those files that the formatter would change."""
    done = subprocess.run(
        [tool, "--style=file", "--dry-run", "-Werror", *map(str, paths)],
        capture_output=True,
        check=False,
        text=True,
    )
    return sorted(
        {
            line.split(":")[0]
            for line in done.stderr.splitlines()
            if "[-Wclang-format-violations]" in line
        }
    )


def write(tool, paths):
    for _ in range(ROUNDS):
        subprocess.run([tool, "--style=file", "-i", *map(str, paths)], check=True)
        paths = badly_formatted(tool, paths)
        if not paths:
            return []
    return paths


def main():
    import lint

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="format the files instead")
    parser.add_argument(
        "--has-tool", action="store_true", help="only say by the exit whether the formatter is here"
    )
    options = parser.parse_args()
    tool = find_tool()
    if options.has_tool:
        return 0 if tool else 77
    if not tool:
        print(
            f"no clang-format {wanted_version()} here: pip install -r tests/lint/requirements.txt"
        )
        return 77
    paths = [path for path in lint.tracked() if path.suffix in SUFFIXES]
    found = write(tool, paths) if options.write else badly_formatted(tool, paths)
    for path in found:
        print(f"{pathlib.Path(path).relative_to(ROOT)}: ./dev format would change it")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
