#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ruff (rules and layout) and mypy over all Python of the repository, by the settings of
pyproject.toml. Prints the findings; before, it shows that each of the three can find something.

    python_habits.py [--python PYTHON]    PYTHON: one that has tests/lint/habits.txt installed"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SETTINGS = str(ROOT / "pyproject.toml")
CHECKS = {
    "rules": ["ruff", "check", "--no-cache", "--quiet", "--output-format=concise"],
    "layout": ["ruff", "format", "--no-cache", "--quiet", "--diff"],
    "types": ["mypy", "--no-error-summary", f"--cache-dir={ROOT / 'build' / 'mypy'}"],
}
CONFIG = {"ruff": f"--config={SETTINGS}", "mypy": f"--config-file={SETTINGS}"}

# A file with an unused import, a type error in code without annotations, and a layout of its own;
# and what is said of each.
WRONG = "import os\n\n\ndef length():\n    return len( 3 )\n"
SAID = {"rules": "F401", "layout": "len(3)", "types": "[arg-type]"}
RIGHT = 'def length():\n    return len("three")\n'


def findings(python, check, *paths):
    """What a check prints, by default of the whole repository; empty where all is well."""
    tool, *arguments = CHECKS[check]
    command = [python, "-m", tool, *arguments, CONFIG[tool], *map(str, paths)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    said = (done.stdout + done.stderr).strip()
    return said or (f"{tool}: exit {done.returncode}" if done.returncode else "")


def self_test(python):
    """Checks that overlook what is wrong, or mind what is right."""
    with tempfile.TemporaryDirectory(prefix="quernel-habits-") as folder:
        wrong, right = pathlib.Path(folder) / "wrong.py", pathlib.Path(folder) / "right.py"
        wrong.write_text(WRONG, encoding="utf-8")
        right.write_text(RIGHT, encoding="utf-8")
        for check, expected in SAID.items():
            if expected not in findings(python, check, wrong):
                yield f"self-test: {check}: does not find {expected}"
            minded = findings(python, check, right)
            if minded:
                yield f"self-test: {check}: minds what is right: {minded}"


def lacking(python):
    """The tools that this Python lacks."""
    code = "import importlib.util as u; print(*(t for t in ('ruff', 'mypy') if not u.find_spec(t)))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.split() if done.returncode == 0 else [python]


def main():
    parser = argparse.ArgumentParser(description="Ruff and mypy over all Python.")
    parser.add_argument("--python", default=sys.executable, help="one that has Ruff and mypy")
    python = parser.parse_args().python
    absent = lacking(python)
    if absent:
        print(f"skipped: python habits: needs {' '.join(absent)} (tests/lint/habits.txt)")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    failed = list(self_test(python))
    passed = 2 * len(SAID) - len(failed)
    for check in CHECKS:
        said = findings(python, check)
        passed, failed = (passed, [*failed, f"{check}:\n{said}"]) if said else (passed + 1, failed)
    print(*failed, sep="\n", end="\n" if failed else "")
    print(f"{passed} passed, {len(failed)} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
