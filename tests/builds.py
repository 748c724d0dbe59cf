# SPDX-License-Identifier: Apache-2.0
"""What every stage of the tests works with: the tools of this run, and the builds it has made."""

import concurrent.futures
import functools
import json
import os
import pathlib
import shutil

import run
from run import Outcome, failure, skip

ROOT = pathlib.Path(__file__).resolve().parent.parent
LONG_CASES = "25000"  # random cases an operator with --long
# Of a kernel, where another build runs them all: sizes and their extremes repeat by then.
FEWER_KERNEL_CASES = "300"


class Suite:
    """The tools of this run, and the builds it has made."""

    def __init__(self, options):
        self.options = options
        self.meson = options.meson
        self.ninja = options.ninja
        self.env = {"QUERNEL_TEST_CASES": LONG_CASES} if options.long else {}
        self.checked = set()  # kernels and ceilings that have been, whatever this CPU can run

    @staticmethod
    def cases(default):
        """Random cases of a slow build: what the caller's environment says goes before."""
        return os.environ.get("QUERNEL_TEST_CASES", default)

    def fewer(self, cases):
        """The environment of tests that another build runs in full, and this one in part."""
        env = {"QUERNEL_TEST_CASES": self.cases(self.env.get("QUERNEL_TEST_CASES", cases))}
        return env if self.options.long else env | {"QUERNEL_TEST_KERNEL_CASES": FEWER_KERNEL_CASES}

    def step(self, what, command, env=None, cwd=ROOT):
        """Runs a command that must succeed; one passed, or the failure with its output."""
        return run.run_program(what, list(map(str, command)), env, cwd)

    def together(self, steps):
        """Runs such steps, (what, command, env) each, several at a time: each has one core's
        work."""
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            ran = pool.map(lambda one: self.step(*one), steps)
            return functools.reduce(Outcome.add, ran, Outcome())

    def configure(self, folder, arguments, compiler):
        """Configures a folder anew where it is not, or was by other arguments. Returns what
        failed, or None."""
        setup = [self.meson, "setup", str(folder), str(ROOT), *arguments]
        mark, wanted = folder / "configured-by", json.dumps([setup, compiler])
        built = (folder / "build.ninja").exists() and mark.exists()
        if built and mark.read_text(encoding="utf-8") == wanted:
            return None
        shutil.rmtree(folder, ignore_errors=True)
        env = {"CC": compiler} if compiler else None
        outcome = self.step(f"configure {folder.name}", setup, env)
        if outcome.failed:
            return outcome
        mark.write_text(wanted, encoding="utf-8")
        return None

    def build(self, name, arguments, compiler=None, targets=()):
        """Configures build-<name> where it is not, and builds it, or the targets alone. Returns
        its folder and what failed, or None."""
        folder = ROOT / f"build-{name}"
        failed = self.configure(folder, arguments, compiler)
        if failed:
            return folder, failed
        outcome = self.step(folder.name, [self.ninja, "-C", folder, *targets])
        return folder, outcome if outcome.failed else None

    def missing(self, what, packages):
        """A tool is not there: a failure where it could have been installed, else a skip."""
        if self.options.may_install:
            return failure(
                f"{what}: not installed, though apt may be used here",
                "",
                f"apt-get install {packages}",
            )
        return skip(f"{what}: needs {packages}, which this user may not install")

    def cross_compiled(self):
        """The Arm build under an emulator: the command that begins `-cpu X program`, Meson's
        arguments, and what is missing, or None."""
        emulator = shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static")
        missing = None
        if not shutil.which("aarch64-linux-gnu-gcc"):
            missing = self.missing("aarch64", "gcc-aarch64-linux-gnu libc6-dev-arm64-cross")
        elif not emulator:
            missing = self.missing("aarch64", "qemu-user")
        cross = ["--cross-file", str(ROOT / "tests" / "cross" / "aarch64-linux-gnu.txt")]
        return [emulator, "-L", "/usr/aarch64-linux-gnu"], cross, missing
