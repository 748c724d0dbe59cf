# SPDX-License-Identifier: Apache-2.0
"""Stages that run the test programs on this machine: built by either compiler, under each ceiling,
with hidden CPU features, with sanitizers."""

import json
import os
import pathlib
import platform
import subprocess
import sys

import run
from builds import ROOT
from run import Outcome, failure, skip

REPEATED_CASES = "600"  # by other compilers' code, or with sanitizers
GOLDEN_CASES = "400"  # all golden results (op/golden.h)
SANITIZERS = ["-Db_sanitize=address,undefined", "-Db_lundef=false"]
SELF_TEST = "kcheck_self_test"  # broken kernels are caught: by one build, they are by all
# What is the same whichever instruction sets are allowed: kernels by themselves, readers of bytes.
ALIKE = ("kcheck_prove", SELF_TEST, "fuzz", "fuzz_lists", "fuzz_tables")
PLAIN = ["-Dcriterion=disabled", "-Dbench=disabled"]  # the plain fronts alone
# For gcc's time, which a kernel's unrolled loops multiply: reports need lines and no variables, and
# where a function has more accesses than this, their checks are calls.
WATCHED = [
    "-Dbuildtype=debugoptimized",
    "-Doptimization=1",
    "-Dc_args=-g1 --param=asan-instrumentation-with-call-threshold=200",
]


def gcc(suite):
    parts = ["-Dtests=enabled", "-Dtools=enabled", "-Dexamples=enabled"]
    prefix = f"-Dprefix={ROOT / 'build-gcc' / 'installed'}"
    folder, failed = suite.build("gcc", ["-Dwerror=true", *parts, prefix], suite.options.gcc)
    if failed:
        return failed
    total = Outcome(passed=1).add(run.run_build(folder, ["plain"], env=suite.env))
    if suite.options.long:
        proof = [folder / "tests" / "kcheck" / "kcheck", "--prove", "--long"]
        total.add(suite.step("kcheck --prove --long", proof))
    if run.tests_of(folder, {"criterion"}):
        # The bodies of the plain fronts, each in a process of its own.
        env = {"QUERNEL_TEST_CASES": suite.cases(GOLDEN_CASES)}
        return total.add(run.run_build(folder, ["criterion"], env=env))
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
    """The same tests with every instruction set below this CPU's as the highest one allowed; its
    own is what stage gcc ran with."""
    facts = info(suite)
    if facts is None:
        return failure("no quernel program to ask", "", "./dev build")
    total, detected = Outcome(), facts["detected"].split()
    for isa in facts["compiled"].split():
        if isa in detected[:-1]:
            print(f" ceiling {isa}", file=sys.stderr)
            env = {**suite.env, "QUERNEL_ISA": isa}
            total.add(run.run_build(ROOT / "build-gcc", env=env, without=("kcheck", *ALIKE)))
        elif isa not in detected:
            total.add(skip(f"ceiling {isa}: this CPU ({facts['model']}) cannot run it"))
    return total


def masked_to(isa, suite, program):
    """The tests as a CPU without what is above `isa` would run them."""
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
    env |= suite.fewer(GOLDEN_CASES)
    without = ("kcheck", *ALIKE)
    return Outcome(passed=1).add(run.run_build(ROOT / "build-gcc", env=env, without=without))


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
    for isa in facts["detected"].split()[:-1]:
        if isa in ("ref", "avx2", "avxvnni", "avx512vnni"):
            total.add(masked_to(isa, suite, program))
    return total


def sanitized(suite):
    """The debug build: sanitizers, and the asserts that a release leaves out (b_ndebug)."""
    arguments = [*SANITIZERS, *WATCHED, *PLAIN]
    folder, failed = suite.build("asan", arguments, suite.options.gcc)
    if failed:
        return failed
    env = {
        **suite.fewer(REPEATED_CASES),
        "ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=1",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    }
    # A proof is of sums modulo 2^32, of which no sanitizer says anything.
    without = ("kcheck_prove", SELF_TEST)
    return Outcome(passed=1).add(run.run_build(folder, env=env, slower=4, without=without))


def threads(suite):
    """ThreadSanitizer over what threads share: the pool, weights, operators, networks."""
    library_only = ["-Dtools=disabled", "-Dexamples=disabled", "-Donnxruntime=disabled", *PLAIN]
    arguments = ["-Db_sanitize=thread", "-Db_lundef=false", *WATCHED]
    names = ["unit", "api", "network"]
    targets = [f"tests/test_{name}" for name in names]
    folder, failed = suite.build("tsan", [*arguments, *library_only], suite.options.gcc, targets)
    if failed:
        return failed
    env = {**suite.env, "TSAN_OPTIONS": "halt_on_error=1"}
    return Outcome(passed=1).add(run.run_build(folder, names=names, env=env, slower=10))


def clang_build(suite):
    return suite.build("clang", ["-Dwerror=true", *PLAIN], suite.options.clang)


def clang(suite):
    """The other compiler: no warning, and the same bits."""
    if not suite.options.clang:
        return suite.missing("clang", "clang")
    folder, failed = clang_build(suite)
    if failed:
        return failed
    env = suite.fewer(REPEATED_CASES)
    return Outcome(passed=1).add(run.run_build(folder, env=env, without=[SELF_TEST]))


FUZZERS = ["blobs", "images", "lists", "network", "products", "tables"]
READERS = ("lists", "tables")  # of text, which bytes at random are not
# Coverage of the library itself: libFuzzer keeps an input for what it reaches there. It ends where
# UBSan finds something.
UNCOVERED = f"-fsanitize-coverage-ignorelist={ROOT / 'tests' / 'fuzz' / 'uncovered.txt'}"
COVERAGE = f"-Dc_args=-fsanitize=fuzzer-no-link {UNCOVERED} -fno-sanitize-recover=undefined"


def inputs_of(name):
    return ROOT / "tests" / "fuzz" / name


def fuzzed(suite, folder, name):
    """One fuzzer, from the tree's inputs and those that its replay draws."""
    own, programs = inputs_of(name), folder / "tests"
    # libFuzzer adds inputs to the first folder; the tree's own are only read.
    corpus = folder / f"corpus-{name}"
    corpus.mkdir(exist_ok=True)
    folders = [corpus, own] if own.exists() else [corpus]
    total = Outcome()
    if own.exists():
        draws = "0" if name in READERS else "1000"
        replay = [programs / f"replay_{name}", draws, own, corpus]
        total.add(suite.step(f"inputs for the fuzzer of {name}", replay, cwd=folder))
    limits = ["-max_total_time=60", "-close_fd_mask=2", f"-artifact_prefix={name}-"]
    command = [programs / f"fuzz_{name}", *limits, *folders]
    return total.add(suite.step(f"libFuzzer on {name}, 60 s", command, cwd=folder))


def fuzz(suite):
    """libFuzzer on what reads files and descriptors, with sanitizers; --long only."""
    if not suite.options.clang:
        return suite.missing("libFuzzer", "clang")
    library_only = ["-Dtools=disabled", "-Dexamples=disabled", *PLAIN]
    # Optimized for the compiler's time: the library's part of an input's is small.
    arguments = ["-Dfuzz=enabled", COVERAGE, "-Doptimization=1", *SANITIZERS, *library_only]
    programs = [f"tests/fuzz_{name}" for name in FUZZERS]
    programs += [f"tests/replay_{name}" for name in FUZZERS if inputs_of(name).exists()]
    folder, failed = suite.build("fuzz", arguments, suite.options.clang, programs)
    if failed:
        return failed
    total = Outcome()
    for name in FUZZERS:
        total.add(fuzzed(suite, folder, name))
    return total
