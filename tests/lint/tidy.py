#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clang-tidy with the checks of .clang-tidy over what a build folder compiles. Exit 77 where
there is none."""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("src", "kernels", "engines", "tune", "tests")
HEADERS = rf"{re.escape(str(ROOT))}/(?:include|{'|'.join(FOLDERS)})/.*"


def find_tool():
    return shutil.which("clang-tidy")


def sources(commands):
    """The files to look at, each once: {file}. The library is compiled twice."""
    found = {}
    for command in commands:
        path = pathlib.Path(os.path.normpath(os.path.join(command["directory"], command["file"])))
        if (
            path.is_relative_to(ROOT)
            and path.relative_to(ROOT).parts[0] in FOLDERS
            and path.suffix == ".c"
        ):
            found[path] = None
    return list(found)


def relative(path):
    """A path as clang-tidy prints it (sources from the build folder), from the root."""
    return (
        os.path.relpath(os.path.normpath(path), ROOT)
        if path.startswith("/")
        else re.sub(r"^.*\.\./", "", path)
    )


def findings(output):
    """Its warnings, in the form of the lint."""
    lines = re.findall(r"^(\S+?):(\d+):\d+: (?:warning|error): (.*)$", output, re.MULTILINE)
    return [
        f"{relative(path)}:{line}: {what}"
        for path, line, what in lines
        if not path.startswith("/usr/")
    ]


def look(tool, build, path):
    done = subprocess.run(
        [tool, "-p", str(build), "--quiet", f"--header-filter={HEADERS}", str(path)],
        capture_output=True,
        check=False,
        text=True,
    )
    found = findings(done.stdout)
    return found or (
        [f"{path}: clang-tidy: exit {done.returncode}: {done.stderr.strip()[-200:]}"]
        if done.returncode
        else []
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "build", type=pathlib.Path, help="a folder with compile_commands.json, configured for clang"
    )
    options = parser.parse_args()
    tool = find_tool()
    if not tool:
        print("no clang-tidy here: apt-get install clang-tidy")
        return 77
    commands = json.loads((options.build / "compile_commands.json").read_text(encoding="utf-8"))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        looked = list(
            pool.map(lambda path: look(tool, options.build.resolve(), path), sources(commands))
        )
    found = sorted({finding for one in looked for finding in one})
    print(*found, sep="\n")
    print(f"clang-tidy: {len(found)} findings in {len(looked)} sources", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
