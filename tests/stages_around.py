# SPDX-License-Identifier: Apache-2.0
"""Stages around the test programs: the tuner's troubles, Python, what is installed, the interface,
the documents and the rules of the house."""

import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile

from builds import LONG_CASES, ROOT
from run import Outcome, failure, skip
from stages_native import clang_build

LINT = ROOT / "tests" / "lint"
ENGINE_TESTS = "differential nodes patterns on_codes writers fuzz".split()
PYTHON_TESTS = (
    "suite any_arrays forks layouts layers ncnn_files qdq qdq_files layer_search modules "
    "torch_models torch_calls torch_exports onednn experiment peers sessions commands "
    "commands_long plugin networks_bench"
).split()


def faults(suite):
    """Kills, full disks, foreign rows and crowds around the tuner."""
    program = ROOT / "build-gcc" / "tune" / "quernel"
    if not program.exists():
        return failure("no quernel program to trouble", "", "./dev test --stage gcc")
    env = {"QUERNEL_TEST_KILLS": "1000"} if suite.options.long else {}
    command = [sys.executable, ROOT / "tests" / "tune" / "faults.py", program]
    return suite.step("faults", command, env)


def python(suite):
    """The Python package against NumPy and PyTorch, and the demo."""
    if not suite.options.python:
        return suite.missing("the Python package", "numpy (pip)")
    library = ROOT / "build-gcc" / "libquernel.so"
    if not library.exists():
        return failure("no library to load", "", "./dev test --stage gcc")
    env = {"QUERNEL_LIBRARY": str(library), "PYTHONPATH": f"{ROOT}:{ROOT / 'python'}"}
    folder = ROOT / "tests" / "python"
    total = suite.together(
        (f"python/{name}", [suite.options.python, folder / f"{name}.py"], env)
        for name in PYTHON_TESTS
    )
    total.add(arrays_sanitized(suite))
    if suite.options.long:
        out = ROOT / "build-gcc" / "seed"
        networks = [suite.options.python, "-m", "seed.networks", "--out", out]
        total.add(suite.step("real networks", networks, env))
        total.add(suite.step("pages, read", [suite.options.python, "-m", "seed.reading"], env))
        compiled = [suite.options.python, ROOT / "tests" / "python" / "torch_compiled.py"]
        total.add(suite.step("python/torch_compiled", compiled, env))
    return total


def arrays_sanitized(suite):
    """Random arrays at the package, with sanitizers in its library."""
    library = ROOT / "build-asan" / "libquernel.so"
    if not library.exists():
        return skip("python/any_arrays, sanitized: no library (stage sanitizers)")
    env = {
        **sanitizers_for_python(suite),
        "PYTHONMALLOC": "malloc",
        "QUERNEL_LIBRARY": str(library),
        "PYTHONPATH": f"{ROOT}:{ROOT / 'python'}",
    }
    if suite.options.long:
        env["QUERNEL_TEST_CASES"] = suite.cases(LONG_CASES)
    command = [suite.options.python, ROOT / "tests" / "python" / "any_arrays.py"]
    return suite.step("python/any_arrays, sanitized", command, env)


PLUGIN = pathlib.Path("engines", "onnxruntime", "libquernel_onnxruntime.so")
OLDEST = ROOT / ".venv-oldest" / "bin" / "python"
GRAPHS_PATH = f"{ROOT / 'python'}:{ROOT / 'tests' / 'python'}"  # of the tests of graphs


def hosts(suite):
    """Runs of the plugin as a guest of a Python's ONNX Runtime, the longest first: test, name,
    Python, build, environment."""
    gcc, asan, newest = ROOT / "build-gcc", ROOT / "build-asan", suite.options.python
    sanitized = sanitizers_for_python(suite)
    graphs = {"PYTHONPATH": GRAPHS_PATH, "QUERNEL_TEST_CASES": suite.cases("60")}
    yield "differential", "sanitized", newest, asan, sanitized | graphs
    yield "host", "sanitized", newest, asan, sanitized
    yield "host", "newest", newest, gcc, {}
    yield "host", "oldest", OLDEST, gcc, {}


def without_host(python, build):
    """Why there is no such run; None where there is one."""
    if not python or not shutil.which(python):
        return "its host could not be installed (tests/engines)"
    if not (build / PLUGIN).exists():
        return f"no plugin in {build.name} (stage sanitizers)"
    return None


def engines(suite):
    """The plugin in the newest ONNX Runtime that is pinned and in the oldest that takes it, and
    once with sanitizers; and what graphs mean by it."""
    if not (ROOT / "build-gcc" / PLUGIN).exists():
        return failure("no plugin to load", "", "./dev test --stage gcc")
    total, steps = Outcome(), []
    for test, name, python, build, env in hosts(suite):
        reason = without_host(python, build)
        if reason:
            total.add(skip(f"engines, {name}: {reason}"))
        else:
            command = [python, ROOT / "tests" / "engines" / f"{test}.py"]
            env = {"QUERNEL_ORT_PLUGIN": str(build / PLUGIN), **env}
            steps.append((f"{test}, {name}", command, env))
    python = suite.options.python
    if not python or suite.step("", [python, "-c", "import onnx, onnxruntime"]).failed:
        total.add(skip("engines: what graphs mean: needs onnx and onnxruntime (pip)"))
    else:
        steps += whole_networks(suite)
    return total.add(suite.together(steps))


def sanitizers_for_python(suite):
    """The runtimes that a program without sanitizers needs before it loads what has them. Python
    and ONNX Runtime keep memory until the end, so that leaks are looked for elsewhere."""
    named = [
        subprocess.run(
            [suite.options.gcc, f"-print-file-name={name}"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip()
        for name in ("libasan.so", "libubsan.so", "libstdc++.so.6")
    ]
    options = "detect_leaks=0:allocator_may_return_null=1"
    return {
        "LD_PRELOAD": " ".join(named),
        "ASAN_OPTIONS": options,
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    }


def whole_networks(suite):
    """Quantized graphs, random and known, by the plugin against what they mean: the steps."""
    env = {
        "QUERNEL_ORT_PLUGIN": str(ROOT / "build-gcc" / PLUGIN),
        "QUERNEL_LIBRARY": str(ROOT / "build-gcc" / "libquernel.so"),
        "PYTHONPATH": GRAPHS_PATH,
        "QUERNEL_TEST_CASES": suite.cases("4000" if suite.options.long else "200"),
    }
    if suite.options.long:
        env |= {"QUERNEL_FUZZ_GRAPHS": "2000", "QUERNEL_FUZZ_MUTANTS": "10000"}
    for name in ENGINE_TESTS:
        command = [suite.options.python, ROOT / "tests" / "engines" / f"{name}.py"]
        yield f"engines/{name}", command, env


def installed(suite):
    """The installed tree as pkg-config, CMake and Meson users see it."""
    sys.path.insert(0, str(ROOT / "tests" / "install"))
    import install

    with tempfile.TemporaryDirectory(prefix="quernel-install-") as scratch:
        return install.check(suite, ROOT, ROOT / "build-gcc", pathlib.Path(scratch))


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


def docs(suite):
    """Doxygen's pages of headers and documents, without a warning."""
    if not shutil.which("doxygen"):
        return suite.missing("docs", "doxygen")
    with tempfile.TemporaryDirectory(prefix="quernel-docs-") as scratch:
        doxyfile = pathlib.Path(scratch) / "Doxyfile"
        settings = (ROOT / "docs" / "Doxyfile").read_text(encoding="utf-8")
        doxyfile.write_text(f"{settings}OUTPUT_DIRECTORY = {scratch}\n", encoding="utf-8")
        return suite.step("docs", ["doxygen", doxyfile])


def tidy(suite):
    """clang-tidy with the few checks of .clang-tidy, on what clang has compiled."""
    if not suite.options.clang or not shutil.which("clang-tidy"):
        return suite.missing("clang-tidy", "clang-tidy")
    folder, failed = clang_build(suite)
    return failed or suite.step("clang-tidy", [sys.executable, LINT / "tidy.py", folder])


def lint(suite):
    builds = [
        str(ROOT / f"build-{name}")
        for name in ("gcc", "aarch64")
        if (ROOT / f"build-{name}" / "build.ninja").exists()
    ]
    tools = {
        "python habits": ["python_habits.py", "--python", suite.options.python or sys.executable],
        "lint": ["lint.py", *builds],
        "lint self-test": ["selftest.py"],
        "format": ["style.py"],
        "call paths": ["createpath.py"],
    }
    return suite.together(
        (what, [sys.executable, LINT / name, *arguments])
        for what, (name, *arguments) in tools.items()
    )
