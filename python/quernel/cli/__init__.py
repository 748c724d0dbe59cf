# SPDX-License-Identifier: Apache-2.0
"""The commands of `python -m quernel`. stdout is the result; progress and errors go to stderr, an
error in one line."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

from .errors import INTERRUPTED, WRONG, Failed, failure

PROGRAM = "python -m quernel"
COMMANDS = ("quantize", "run", "compare", "shapes")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """In one line; the usage is what --help is for."""
        name = self.prog.removeprefix(PROGRAM).strip()
        text = message.removeprefix("argument ")
        print(f"quernel: {name + ': ' if name else ''}{text}", file=sys.stderr)
        sys.exit(2)


def parser() -> argparse.ArgumentParser:
    made = _Parser(
        prog=PROGRAM,
        description="Whole networks in int8: ONNX Runtime runs them, Quernel does the work.",
        epilog="Exit: 0 done, 1 a result is wrong or could not be written, 2 wrong usage or an "
        "unreadable input, 3 a package is missing, 130 interrupted.",
    )
    made.add_argument("--version", action="store_true", help="print the library's version")
    commands = made.add_subparsers(dest="command", metavar="COMMAND")
    for name in COMMANDS:
        module = importlib.import_module(f".{name}", __package__)
        head, _, rest = str(module.__doc__).partition("\n\n")
        one = commands.add_parser(
            name,
            help=" ".join(head.split()),
            description=head,
            epilog=rest,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(one)
        one.set_defaults(run=module.run)
    return made


def main(arguments: Sequence[str]) -> int:
    """Runs a command; the exit code."""
    name = None
    try:
        options = parser().parse_args(arguments)  # imports the commands, and what they need
        name = options.command
        if options.version:
            from .. import version

            print(version())
        elif name is None:
            raise Failed(2, f"command: is missing: must be among {', '.join(COMMANDS)}")
        else:
            options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print(f"quernel: {name + ': ' if name else ''}interrupted", file=sys.stderr)
        return INTERRUPTED
    except Exception as problem:
        known = failure(problem)
        if known is None:
            raise
        print(f"quernel: {name + ': ' if name else ''}{known}", file=sys.stderr)
        return known.code
    return 0


__all__ = ["COMMANDS", "WRONG", "main", "parser"]
