# SPDX-License-Identifier: Apache-2.0
"""The install test: a program is built against the installed tree by pkg-config (shared and
static), by CMake's find_package and as a Meson subproject, and runs; the tree is moved first, for
those that promise to allow it."""

import os
import shutil
import subprocess
import sys

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
    return total.add(as_wheel(suite, root, here, scratch))


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
        "subproject: configure", [suite.meson, "setup", folder / "build", folder], cwd=folder
    )
    if total.failed:
        return total
    total.add(suite.step("subproject: build", [suite.ninja, "-C", folder / "build"], cwd=folder))
    return total.add(suite.step("subproject: run", [folder / "build" / "use"], cwd=folder))


def as_wheel(suite, root, here, scratch):
    """`pip install .` into a fresh environment; the package finds the library that came with it."""
    wheels, python = scratch / "wheels", scratch / "venv" / "bin" / "python"
    total = suite.step(
        "wheel: build",
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", wheels, root],
        cwd=scratch,
    )
    if total.failed:
        return total
    wheel = next(wheels.glob("quernel-*.whl"))
    if "-py3-none-" not in wheel.name or wheel.name.endswith("-any.whl"):
        total.add(
            failure(
                f"{wheel.name}: must serve every Python 3 of one platform", "", f"pip wheel {root}"
            )
        )
    total.add(suite.step("wheel: environment", [sys.executable, "-m", "venv", scratch / "venv"]))
    total.add(suite.step("wheel: install", [python, "-m", "pip", "install", "-q", wheel]))
    return total.add(
        suite.step(
            "wheel: use",
            [python, here / "use.py"],
            {"QUERNEL_LIBRARY": "", "PYTHONPATH": ""},
            cwd=scratch,
        )
    )
