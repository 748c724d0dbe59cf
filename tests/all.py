#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""All tests, in every build they are for: what `./dev test` runs once the tools are there.

Each stage builds what it needs into build-<name>/ and yields an Outcome. stdout gets a line for
each stage with its skips and failures, and as its last line the counts of everything; stderr the
progress."""

import argparse
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import time

import run
from run import Outcome, failure, skip

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINT = ROOT / "tests" / "lint"
LONG_CASES = "25000"  # random cases an operator with --long
EMULATED_CASES = "300"
SANITIZED_CASES = "600"


class Suite:
    """The tools of this run, and the builds it has made."""

    def __init__(self, options):
        self.options = options
        self.meson = options.meson
        self.ninja = options.ninja
        self.env = {"QUERNEL_TEST_CASES": LONG_CASES} if options.long else {}

    @staticmethod
    def cases(default):
        """Random cases of a slow build: what the caller's environment says goes before."""
        return os.environ.get("QUERNEL_TEST_CASES", default)

    def step(self, what, command, env=None, cwd=ROOT):
        """Runs a command that must succeed; one passed, or the failure with its output."""
        return run.run_program(what, list(map(str, command)), env, cwd)

    def build(self, name, arguments, compiler=None):
        """Configures build-<name> where it is not, and builds it. Returns its folder and what
        failed, or None."""
        folder = ROOT / f"build-{name}"
        setup = [self.meson, "setup", str(folder), str(ROOT), *arguments]
        mark = folder / "configured-by"
        wanted = json.dumps([setup, compiler])
        if (
            not (folder / "build.ninja").exists()
            or not mark.exists()
            or mark.read_text(encoding="utf-8") != wanted
        ):
            shutil.rmtree(folder, ignore_errors=True)
            outcome = self.step(
                f"configure build-{name}", setup, {"CC": compiler} if compiler else None
            )
            if outcome.failed:
                return folder, outcome
            mark.write_text(wanted, encoding="utf-8")
        outcome = self.step(f"build-{name}", [self.ninja, "-C", folder])
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


def gcc(suite):
    folder, failed = suite.build(
        "gcc",
        [
            "-Dwerror=true",
            "-Dtests=enabled",
            "-Dtools=enabled",
            "-Dexamples=enabled",
            "-Dprefix=" + str(ROOT / "build-gcc" / "installed"),
        ],
        suite.options.gcc,
    )
    if failed:
        return failed
    total = Outcome(passed=1).add(run.run_build(folder, ["plain"], env=suite.env))
    if run.tests_of(folder, {"criterion"}):
        return total.add(run.run_build(folder, ["criterion"]))
    return total.add(suite.missing("the Criterion fronts", "libcriterion-dev"))


def info(suite):
    """What `quernel info` says of this machine, or None where the program is not there."""
    program = ROOT / "build-gcc" / "tune" / "quernel"
    if not program.exists():
        return None
    return json.loads(
        subprocess.run([program, "info", "--json"], capture_output=True, check=True).stdout
    )


def ceilings(suite):
    """The same tests with every instruction set of this build as the highest one allowed."""
    facts = info(suite)
    if facts is None:
        return failure("no quernel program to ask", "", "./dev build")
    total = Outcome()
    for isa in facts["compiled"].split():
        if isa in facts["detected"].split():
            print(f" ceiling {isa}", file=sys.stderr)
            total.add(run.run_build(ROOT / "build-gcc", env={**suite.env, "QUERNEL_ISA": isa}))
        else:
            total.add(skip(f"ceiling {isa}: this CPU ({facts['model']}) cannot run it"))
    return total


def masked_to(isa, suite, program):
    """The tests as a CPU without what stands above `isa` would run them."""
    env = {
        "LD_PRELOAD": str(ROOT / "build-gcc" / "tests" / "cross" / "libcpumask.so"),
        "QUERNEL_CPUMASK": isa,
    }
    seen = subprocess.run(
        [program, "info", "--json"], env={**os.environ, **env}, capture_output=True, check=False
    )
    names = json.loads(seen.stdout)["detected"].split() if seen.returncode == 0 else []
    if names[-1:] != [isa]:
        return failure(
            f"CPUID masked to {isa}: exit {seen.returncode}, detected {names}",
            "",
            f"LD_PRELOAD={env['LD_PRELOAD']} QUERNEL_CPUMASK={isa} {program} info",
        )
    return Outcome(passed=1).add(run.run_build(ROOT / "build-gcc", env={**suite.env, **env}))


def masked(suite):
    """Detection itself: features hidden from CPUID, not only from us."""
    if platform.machine() != "x86_64":
        return skip("CPUID masked: x86-64 only")
    flags = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    if " cpuid_fault" not in flags:
        return skip(
            "CPUID masked: this CPU or kernel has no CPUID faulting (cpuid_fault in /proc/cpuinfo)"
        )
    facts = info(suite)
    if facts is None:
        return failure("no quernel program to ask", "", "./dev build")
    program = ROOT / "build-gcc" / "tune" / "quernel"
    total = Outcome()
    for isa in facts["detected"].split():
        if isa in ("ref", "avx2", "avxvnni", "avx512vnni"):
            total.add(masked_to(isa, suite, program))
    return total


def sanitized(suite):
    """The debug build: sanitizers, and the asserts that a release leaves out (b_ndebug)."""
    folder, failed = suite.build(
        "asan",
        [
            "-Db_sanitize=address,undefined",
            "-Db_lundef=false",
            "-Dbuildtype=debugoptimized",
            "-Dcriterion=disabled",
            "-Dbench=disabled",
        ],
        suite.options.gcc,
    )
    if failed:
        return failed
    env = {
        "QUERNEL_TEST_CASES": suite.cases(LONG_CASES if suite.options.long else SANITIZED_CASES),
        "ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=1",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    }
    return Outcome(passed=1).add(run.run_build(folder, env=env, slower=4))


def clang_build(suite):
    return suite.build("clang", ["-Dwerror=true", "-Dcriterion=disabled"], suite.options.clang)


def clang(suite):
    """The other compiler: no warning, and the same bits."""
    if not suite.options.clang:
        return suite.missing("clang", "clang")
    folder, failed = clang_build(suite)
    if failed:
        return failed
    return Outcome(passed=1).add(run.run_build(folder, env=suite.env))


def tidy(suite):
    """clang-tidy with the few checks of .clang-tidy, on what clang has compiled."""
    if not suite.options.clang or not shutil.which("clang-tidy"):
        return suite.missing("clang-tidy", "clang-tidy")
    folder, failed = clang_build(suite)
    return failed or suite.step("clang-tidy", [sys.executable, LINT / "tidy.py", folder])


def fuzz(suite):
    """libFuzzer on the loaders of blobs and tables, with sanitizers; --long only."""
    if not suite.options.clang:
        return suite.missing("libFuzzer", "clang")
    folder, failed = suite.build(
        "fuzz",
        [
            "-Dfuzz=enabled",
            "-Db_sanitize=address,undefined",
            "-Db_lundef=false",
            "-Dtools=disabled",
            "-Dexamples=disabled",
            "-Dbench=disabled",
            "-Dcriterion=disabled",
        ],
        suite.options.clang,
    )
    if failed:
        return failed
    corpus = (
        folder / "corpus-table"
    )  # libFuzzer adds what it finds there; the tree's own inputs are only read
    corpus.mkdir(exist_ok=True)
    table = [
        folder / "tests" / "fuzz_table",
        "-max_total_time=60",
        corpus,
        ROOT / "tests" / "fuzz" / "tables",
    ]
    total = suite.step(
        "libFuzzer on blobs, 60 s",
        [folder / "tests" / "fuzz_blob", "-max_total_time=60"],
        cwd=folder,
    )
    return total.add(suite.step("libFuzzer on tables, 60 s", table, cwd=folder))


def aarch64(suite):
    """The Arm build under an emulator: a core with base NEON only, and one with everything."""
    emulator = shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static")
    if not shutil.which("aarch64-linux-gnu-gcc"):
        return suite.missing("aarch64", "gcc-aarch64-linux-gnu libc6-dev-arm64-cross")
    if not emulator:
        return suite.missing("aarch64", "qemu-user")
    folder, failed = suite.build(
        "aarch64",
        [
            "--cross-file",
            str(ROOT / "tests" / "cross" / "aarch64-linux-gnu.txt"),
            "-Dwerror=true",
            "-Dtests=enabled",
            "-Dcriterion=disabled",
            "-Dbench=disabled",
        ],
    )
    if failed:
        return failed
    total = Outcome(passed=1)
    for core in ("cortex-a53", "max"):
        print(f" -cpu {core}", file=sys.stderr)
        total.add(
            run.run_build(
                folder,
                env={"QUERNEL_TEST_CASES": suite.cases(EMULATED_CASES)},
                wrapper=[emulator, "-cpu", core, "-L", "/usr/aarch64-linux-gnu"],
                slower=10,
            )
        )
    return total


def faults(suite):
    """Kills, full disks, foreign rows and crowds around the tuner."""
    program = ROOT / "build-gcc" / "tune" / "quernel"
    if not program.exists():
        return failure("no quernel program to trouble", "", "./dev test --stage gcc")
    return suite.step("faults", [sys.executable, ROOT / "tests" / "tune" / "faults.py", program])


def python(suite):
    """The Python package against NumPy and PyTorch, and the demo."""
    if not suite.options.python:
        return suite.missing("the Python package", "numpy (pip)")
    library = ROOT / "build-gcc" / "libquernel.so"
    if not library.exists():
        return failure("no library to load", "", "./dev test --stage gcc")
    env = {"QUERNEL_LIBRARY": str(library), "PYTHONPATH": f"{ROOT}:{ROOT / 'python'}"}
    total = Outcome()
    for name in (
        "suite",
        "layouts",
        "layers",
        "readers",
        "layer_search",
        "modules",
        "onednn",
        "experiment",
        "peers",
    ):
        total.add(
            suite.step(
                f"python/{name}",
                [suite.options.python, ROOT / "tests" / "python" / f"{name}.py"],
                env,
            )
        )
    if suite.options.long:
        total.add(
            suite.step(
                "real networks",
                [suite.options.python, "-m", "seed.networks", "--out", ROOT / "build-gcc" / "seed"],
                env,
            )
        )
        total.add(suite.step("pages, read", [suite.options.python, "-m", "seed.reading"], env))
    return total


def installed(suite):
    """The installed tree as pkg-config, CMake and Meson users see it."""
    sys.path.insert(0, str(ROOT / "tests" / "install"))
    import install

    with tempfile.TemporaryDirectory(prefix="quernel-install-") as scratch:
        return install.check(suite, ROOT, ROOT / "build-gcc", pathlib.Path(scratch))


def docs(suite):
    """Doxygen's pages of headers and documents, without a warning."""
    if not shutil.which("doxygen"):
        return suite.missing("docs", "doxygen")
    with tempfile.TemporaryDirectory(prefix="quernel-docs-") as scratch:
        doxyfile = pathlib.Path(scratch) / "Doxyfile"
        settings = (ROOT / "docs" / "Doxyfile").read_text(encoding="utf-8")
        doxyfile.write_text(f"{settings}OUTPUT_DIRECTORY = {scratch}\n", encoding="utf-8")
        return suite.step("docs", ["doxygen", doxyfile])


def abi(suite):
    """The interface against the recorded one, and a program of it with today's library."""
    library = ROOT / "build-gcc" / "libquernel.so"
    if not shutil.which("abidiff"):
        return suite.missing("the ABI", "abigail-tools")
    if platform.machine() != "x86_64":
        return skip("the ABI: recorded on x86-64")
    if not library.exists():
        return failure("no library to look at", "", "./dev test --stage gcc")
    return suite.step(
        "abi",
        [sys.executable, ROOT / "tests" / "abi" / "abi.py", "--gcc", suite.options.gcc, library],
    )


def lint(suite):
    habits = [LINT / "python_habits.py", "--python", suite.options.python or sys.executable]
    total = suite.step("python habits", [sys.executable, *habits])
    total.add(suite.step("lint self-test", [sys.executable, LINT / "selftest.py"]))
    total.add(suite.step("format", [sys.executable, LINT / "style.py"]))
    builds = [
        str(ROOT / f"build-{name}")
        for name in ("gcc", "aarch64")
        if (ROOT / f"build-{name}" / "build.ninja").exists()
    ]
    total.add(suite.step("call paths", [sys.executable, LINT / "createpath.py"]))
    return total.add(suite.step("lint", [sys.executable, LINT / "lint.py", *builds]))


STAGES = [
    ("gcc", gcc),
    ("ceilings", ceilings),
    ("CPUID masked", masked),
    ("sanitizers", sanitized),
    ("clang", clang),
    ("aarch64", aarch64),
    ("faults", faults),
    ("python", python),
    ("install", installed),
    ("abi", abi),
    ("docs", docs),
    ("clang-tidy", tidy),
    ("lint", lint),
]


def parse():
    parser = argparse.ArgumentParser(description="All tests; ./dev test installs what they need.")
    parser.add_argument("--long", action="store_true", help="more random cases, and libFuzzer")
    parser.add_argument(
        "--stage", action="append", help="only this one: " + ", ".join(name for name, _ in STAGES)
    )
    parser.add_argument(
        "--may-install", action="store_true", help="a missing tool is a failure, not a skip"
    )
    parser.add_argument("--meson", default="meson")
    parser.add_argument("--ninja", default="ninja")
    parser.add_argument("--gcc", default="gcc")
    parser.add_argument("--clang", default="", help="empty: there is none")
    parser.add_argument("--python", default="", help="one that has NumPy; empty: there is none")
    options = parser.parse_args()
    stages = STAGES + ([("libFuzzer", fuzz)] if options.long else [])
    unknown = set(options.stage or ()) - {name for name, _ in stages}
    if unknown:
        parser.error(f"--stage: {', '.join(sorted(unknown))}: no such stage")
    return options, [
        (name, stage) for name, stage in stages if not options.stage or name in options.stage
    ]


def timed(name, stage, suite):
    """Runs a stage and prints its line, its skips and its failures."""
    print(f"== {name}", file=sys.stderr, flush=True)
    start = time.monotonic()
    outcome = stage(suite)
    print(
        f"{name}: {outcome} ({time.monotonic() - start:.0f} s)",
        *outcome.lines,
        sep="\n  ",
        flush=True,
    )
    return outcome


def main():
    options, stages = parse()
    suite, total = Suite(options), Outcome()
    for name, stage in stages:
        total.add(timed(name, stage, suite))
    print(total)
    return 1 if total.failed or total.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
