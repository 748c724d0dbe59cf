# SPDX-License-Identifier: Apache-2.0
"""The stage that runs every x86 kernel on any machine: a build in which their assembly is C, their
intrinsics are SIMDe's and AMX's tiles lie in memory (tests/simulated). What it has checked is no
skip elsewhere."""

import concurrent.futures
import os
import pathlib
import platform
import subprocess
import sys

import run
from run import Outcome, failure
from stages_native import PLAIN

SIMDE = pathlib.Path("/usr/include/simde/x86/avx512.h")
PARTS = ["-Dsimulated=true", "-Dtests=enabled", "-Donnxruntime=disabled", *PLAIN]
PROGRAMS = ["op", "network", "conformance", "api"]
SETS = ["avx2", "avxvnni", "avx512vnni", "amxint8"]
# Random cases of a kernel (case n has 1 + n rows of a product, up to what tiles need), and of an
# operator or networks under each ceiling. An emulator takes five times as long for them, and only
# shows that what is simulated is the same on Arm.
KERNEL_CASES, OPERATOR_CASES = "500", "500"
EMULATED_KERNEL_CASES, EMULATED_OPERATOR_CASES = "100", "25"


def kernels(kcheck, wrapper):
    """The names of all that are simulated."""
    listed = subprocess.run(
        [*wrapper, kcheck, "--list"], capture_output=True, text=True, check=False
    )
    return {name for name in listed.stdout.split() if not name.endswith("_ref")}


def commands(folder, kernel_cases):
    """What to run: a name, a command, the ceiling."""
    kcheck = folder / "tests" / "kcheck" / "kcheck"
    for isa in SETS:
        yield f"kcheck {isa}", [kcheck, "--isa", isa, "--cases", kernel_cases], ""
    for name in PROGRAMS:  # the longest first
        for isa in SETS:
            yield f"{name} under {isa}", [folder / "tests" / f"test_{name}"], isa


def check(suite, folder, wrapper, kernel_cases, operator_cases):
    """Kernels, operators and networks of a build; with the figures."""
    env = {**run.NO_TABLES, "QUERNEL_TEST_CASES": suite.cases(operator_cases)}

    def step(one):
        name, command, isa = one
        ceiling = {"QUERNEL_ISA": isa} if isa else {}
        return name, suite.step(name, [*wrapper, *command], {**env, **ceiling})

    total = Outcome()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, outcome in pool.map(step, commands(folder, kernel_cases)):
            print(f"  {name}: {outcome}", file=sys.stderr)
            total.add(outcome)
    return total


def built(suite, name, arguments, compiler):
    programs = ["tests/kcheck/kcheck", *(f"tests/test_{program}" for program in PROGRAMS)]
    return suite.build(name, [*PARTS, *arguments], compiler, programs)


def checked(suite, name, arguments, compiler, wrapper, cases):
    folder, failed = built(suite, name, arguments, compiler)
    if failed:
        return failed
    found = kernels(folder / "tests" / "kcheck" / "kcheck", wrapper)
    if not found:
        return failure(f"{name}: kcheck names no kernels", "", f"ninja -C {folder}")
    total = check(suite, folder, wrapper, *cases)
    total.lines.append(
        f"{name}: {len(found)} kernels with {cases[0]} cases each; operators and networks with "
        f"{suite.cases(cases[1])} each under {', '.join(SETS)}"
    )
    if not total.failed and not total.skipped:
        suite.checked |= found | {f"ceiling {isa}" for isa in SETS}
    return total


def simulated(suite):
    if not SIMDE.exists():
        return suite.missing("simulated kernels", "libsimde-dev")
    native = (KERNEL_CASES, OPERATOR_CASES)
    total = checked(suite, "simulated", [], suite.options.gcc, [], native)
    if platform.machine() == "aarch64":
        return total
    emulator, cross, missing = suite.cross_compiled()
    if missing:
        return total.add(missing)
    wrapper = [*emulator, "-cpu", "max"]
    emulated = (EMULATED_KERNEL_CASES, EMULATED_OPERATOR_CASES)
    return total.add(checked(suite, "simulated-aarch64", cross, None, wrapper, emulated))
