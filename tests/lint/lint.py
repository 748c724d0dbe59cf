#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rules of the house. Without arguments the sources are looked at; each build folder that is
named is looked at too.

Every rule is a function that yields findings; selftest.py shows that each can find something."""

import argparse
import pathlib
import re
import subprocess
import sys

import binary
import constants
import figures
import floors
import krev
import measure
import names
import source

ROOT = pathlib.Path(__file__).resolve().parents[2]


def tracked():
    """Files of the repository that git knows or would take, else all but builds."""
    listing = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode == 0:
        return [ROOT / name for name in listing.stdout.splitlines() if (ROOT / name).is_file()]
    return [
        p
        for p in ROOT.rglob("*")
        if p.is_file() and not re.match(r"build|\.git|\.venv", str(p.relative_to(ROOT)))
    ]


# Rules of a file's text, in the order of the files that hold them.
SOURCE_RULES = [
    *source.RULES,
    *floors.RULES,
    *names.RULES,
    *constants.RULES,
    measure.keeps_its_size,
    *figures.RULES,
]


def is_text(path):
    try:
        path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return False
    return True


def is_input(path):
    """Of a fuzzer: bytes of any kind."""
    parts = path.relative_to(ROOT).parts
    return parts[:2] == ("tests", "fuzz") and len(parts) == 4


def read(files):
    """{path: text} of those that are text."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for path in filter(is_text, files)
    }


def look_at_sources(files):
    yield from (
        f"{path.relative_to(ROOT)}: is not text in UTF-8"
        for path in files
        if not is_text(path) and not is_input(path)
    )
    texts = read(files)
    for rule in SOURCE_RULES:
        yield from rule(texts)
    yield from krev.check(texts)


def look_at_build(build):
    for rule in binary.RULES:
        yield from rule(binary.Build(build))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("builds", nargs="*", type=pathlib.Path)
    parser.add_argument(
        "--refresh-krev",
        action="store_true",
        help="record the kernels' hashes where krev was raised",
    )
    options = parser.parse_args()
    files = tracked()
    if options.refresh_krev:
        texts = {
            p.relative_to(ROOT).as_posix(): p.read_text(encoding="utf-8")
            for p in files
            if p.suffix in (".c", ".h", ".def", ".txt")
        }
        failed = krev.refresh(texts, ROOT)
        figures.refresh()
        return failed
    findings = list(look_at_sources(files))
    for build in options.builds:
        findings += [f"{build.name}: {finding}" for finding in look_at_build(build)]
    for finding in findings:
        print(finding)
    print(
        f"lint: {len(findings)} findings in {len(files)} files and {len(options.builds)} builds",
        file=sys.stderr,
    )
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
