# SPDX-License-Identifier: Apache-2.0
"""The stage of the Arm build: under an emulator on a core of each instruction set, and its loops by
a model of the cores."""

import json
import shutil
import signal
import subprocess
import sys

import run
from builds import ROOT
from run import Outcome, failure
from stages_native import ALIKE, PLAIN

EMULATED_CASES = "400"  # all golden results (op/golden.h)
# What each core has: an instruction of another set ends a program on it.
CORES = {"cortex-a53": ["neon"], "cortex-a76": ["neon", "dotprod"]}
CORES["max"] = SETS = ["neon", "dotprod", "i8mm"]
CLANG = ROOT / "tests" / "cross" / "aarch64-clang.txt"
# What the other compiler's code runs: every kernel, and the golden results.
BY_CLANG = {"kcheck": "tests/kcheck/kcheck", "op": "tests/test_op"}


def guarded(folder, wrapper, core):
    """That a core has its own sets alone: it ends what executes others, and the library sees the
    same."""
    total = Outcome()

    def run_one(*command):
        return subprocess.run(
            [*wrapper, *map(str, command)], capture_output=True, text=True, check=False
        )

    for name in SETS:
        wanted = 0 if name in CORES[core] else -int(signal.SIGILL)
        program = folder / "tests" / "cross" / "foreign"
        code = run_one(program, name).returncode
        replay = " ".join(map(str, [*wrapper, program, name]))
        said = f"{core} and an instruction of {name}: exit {code}, {wanted} expected"
        total.add(Outcome(passed=1) if code == wanted else failure(said, "", replay))
    info = run_one(folder / "tune" / "quernel", "info", "--json")
    found = json.loads(info.stdout)["detected"].split() if info.returncode == 0 else []
    if found == ["ref", *CORES[core]]:
        return total.add(Outcome(passed=1))
    return total.add(failure(f"{core}: the library sees {found}", info.stderr, "quernel info"))


def by_clang(suite, emulator, arguments, env):
    """The kernels as the other compiler makes them, on the core that runs all."""
    if not shutil.which("clang"):
        return suite.missing("aarch64 by clang", "clang")
    targets = tuple(BY_CLANG.values())
    both = [*arguments, "--cross-file", str(CLANG)]
    folder, failed = suite.build("aarch64-clang", both, targets=targets)
    if failed:
        return failed
    wrapper = [*emulator, "-cpu", "max"]
    return run.run_build(folder, names=list(BY_CLANG), env=env, wrapper=wrapper, slower=10)


def aarch64(suite):
    """The Arm build under an emulator: a core with base NEON only, one with dot products, and one
    with everything."""
    emulator, cross, missing = suite.cross_compiled()
    if missing:
        return missing
    arguments = [*cross, "-Dwerror=true", "-Dtests=enabled", "-Dtools=enabled", *PLAIN]
    folder, failed = suite.build("aarch64", arguments)
    if failed:
        return failed
    total = Outcome(passed=1)
    env = {**suite.fewer(EMULATED_CASES), "QUERNEL_TEST_EMULATED": "1"}
    for core, sets in CORES.items():
        print(f" -cpu {core}", file=sys.stderr)
        wrapper = [*emulator, "-cpu", core]
        total.add(guarded(folder, wrapper, core))
        without = () if sets == SETS else ALIKE  # once, on the core that runs all kernels
        total.add(run.run_build(folder, env=env, wrapper=wrapper, slower=10, without=without))
    print(" -cpu max, by clang", file=sys.stderr)
    total.add(by_clang(suite, emulator, arguments, env))
    model = [sys.executable, ROOT / "bench" / "mca.py", folder, "--check"]
    return total.add(suite.step("Arm by model", model))
