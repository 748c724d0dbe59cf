# SPDX-License-Identifier: Apache-2.0
"""The install test: a program is built against the installed tree by pkg-config (shared and
static), by CMake's find_package and as a Meson subproject, and runs; the tree is moved first, for
those that promise to allow it."""

import os
import shlex
import shutil
import subprocess
import sys

import emulated
from run import Outcome, failure

HEADERS = {
    "common.h",
    "conv2d.h",
    "epilogue.h",
    "linear.h",
    "quernel.h",
    "tensor.h",
    "threads.h",
    "version.h",
    "weights.h",
}
# Where the build itself is tested and little is run; the wheel `quernel` is built as it is
# released, with the same code in it.
QUICKLY = {"CFLAGS": "-O1 -g0"}


def check(suite, root, build, scratch):
    here, prefix = root / "tests" / "install", build / "installed"
    shutil.rmtree(prefix, ignore_errors=True)
    total = suite.step("meson install", [suite.meson, "install", "-C", build, "--no-rebuild"])
    if total.failed:
        return total
    libraries = list(prefix.rglob("libquernel.*"))
    if not libraries:
        return total.add(failure("no library was installed", "", f"find {prefix}"))
    libdir = libraries[0].parent
    if not (libdir / "libquernel_onnxruntime.so").is_file():
        total.add(failure("the plugin was not installed", "", f"find {prefix}"))
    missing = HEADERS - {p.name for p in (prefix / "include" / "quernel").iterdir()}
    if missing:
        total.add(
            failure(f"headers not installed: {', '.join(sorted(missing))}", "", f"find {prefix}")
        )
    total.add(by_pkg_config(suite, here, libdir, scratch))
    moved = scratch / "moved"
    shutil.copytree(prefix, moved, symlinks=True)
    total.add(by_cmake(suite, here, moved / libdir.relative_to(prefix), scratch / "cmake"))
    total.add(as_subproject(suite, root, here, scratch / "meson"))
    total.add(as_wheel(suite, root, here, scratch))
    total.add(in_onnx_runtime(suite, root, here, scratch))
    return total.add(emulated.check(suite, root, here, scratch / "emulated"))


def by_pkg_config(suite, here, libdir, scratch):
    total = Outcome()
    env = {"PKG_CONFIG_PATH": str(libdir / "pkgconfig"), "LD_LIBRARY_PATH": str(libdir)}
    for kind, more in (("shared", []), ("static", ["--static"])):
        asked = subprocess.run(
            ["pkg-config", *more, "--cflags", "--libs", "quernel"],
            env={**os.environ, **env},
            capture_output=True,
            check=False,
            text=True,
        )
        if asked.returncode:
            total.add(failure(f"pkg-config, {kind}", asked.stderr, "pkg-config --libs quernel"))
            continue
        flags = asked.stdout.split()
        if kind == "static":
            flags = [
                str(libdir / "libquernel.a") if flag == "-lquernel" else flag for flag in flags
            ]
        program = scratch / f"by-pkg-config-{kind}"
        total.add(
            suite.step(
                f"pkg-config, {kind}: compile",
                [suite.options.gcc, "-Wall", "-Werror", here / "use.c", "-o", program, *flags],
            )
        )
        total.add(suite.step(f"pkg-config, {kind}: run", [program], env))
    return total


def by_cmake(suite, here, libdir, folder):
    if not shutil.which("cmake"):
        return suite.missing("CMake's find_package", "cmake")
    total = suite.step(
        "cmake: configure",
        [
            "cmake",
            "-S",
            here / "cmake",
            "-B",
            folder,
            "-DCMAKE_C_COMPILER=" + suite.options.gcc,
            f"-Dquernel_DIR={libdir / 'cmake' / 'quernel'}",
        ],
    )
    if total.failed:
        return total
    total.add(suite.step("cmake: build", ["cmake", "--build", folder]))
    for name in ("use_shared", "use_static"):
        total.add(suite.step(f"cmake: {name}", [folder / name]))
    return total


def as_subproject(suite, root, here, folder):
    """The checkout as subprojects/quernel of a project that has only Meson, Ninja and a
    compiler."""
    shutil.copytree(here / "meson", folder)
    shutil.copy(here / "use.c", folder)
    (folder / "subprojects").mkdir()
    (folder / "subprojects" / "quernel").symlink_to(root)
    total = suite.step(
        "subproject: configure",
        [suite.meson, "setup", folder / "build", folder],
        QUICKLY,
        cwd=folder,
    )
    if total.failed:
        return total
    total.add(suite.step("subproject: build", [suite.ninja, "-C", folder / "build"], cwd=folder))
    return total.add(suite.step("subproject: run", [folder / "build" / "use"], cwd=folder))


def built(suite, root, wheels, project, name, env=None):
    """Builds a wheel: what became of it, and its path where it is one for every Python 3."""
    tool = [sys.executable, root / "packaging" / "wheel.py"]
    command = [*tool, "--project", project, "--out", wheels]
    total = suite.step(f"wheel {name}: build", command, env)
    if total.failed:
        return total, None
    wheel = next(wheels.glob(f"{name}-*.whl"))
    if "-py3-none-manylinux" in wheel.name:
        return total, wheel
    said = f"{wheel.name}: must serve every Python 3 of one platform"
    return total.add(failure(said, "", shlex.join(map(str, command)))), None


def as_wheel(suite, root, here, scratch):
    """`pip install .` into a fresh environment; the package finds the library that came with it."""
    python = scratch / "venv" / "bin" / "python"
    total, wheel = built(suite, root, scratch / "wheels", root, "quernel")
    if not wheel:
        return total
    total.add(suite.step("wheel: environment", [sys.executable, "-m", "venv", scratch / "venv"]))
    total.add(suite.step("wheel: install", [python, "-m", "pip", "install", "-q", wheel]))
    return total.add(suite.step("wheel: use", [python, here / "use.py"], ALONE, cwd=scratch))


ALONE = {"QUERNEL_LIBRARY": "", "QUERNEL_ORT_LIBRARY": "", "PYTHONPATH": ""}
HOSTS = ("1.23.2", "1.32.0")  # of ONNX Runtime: the oldest that is promised, and today's


def in_onnx_runtime(suite, root, here, scratch):
    """The plugin in both wheels, in an environment for each, under the oldest and the newest host.
    The environment of the wheel `quernel` is as_wheel's."""
    model = scratch / "int8.onnx"
    whole, alone = (scratch / name / "bin" / "python" for name in ("venv", "venv-ep"))
    total, wheel = built(
        suite,
        root,
        scratch / "wheels",
        root / "engines/onnxruntime/python",
        "onnxruntime_ep_quernel",
        QUICKLY,
    )
    if not wheel or not whole.exists():
        return total
    install = ["-m", "pip", "install", "-q"]
    total.add(suite.step("plugin: environment", [sys.executable, "-m", "venv", alone.parents[1]]))
    total.add(suite.step("plugin: install", [alone, *install, wheel]))
    total.add(suite.step("plugin: use alone", [alone, here / "use_ep.py"], ALONE, cwd=scratch))
    for version in HOSTS:
        hosts = [f"onnxruntime=={version}", "onnx"]
        for python, script in ((whole, "use_ort.py"), (alone, "use_ep.py")):
            name = f"{script} with onnxruntime {version}"
            total.add(suite.step(f"{name}: install", [python, *install, *hosts]))
            total.add(suite.step(name, [python, here / script, model], ALONE, cwd=scratch))
    return total
