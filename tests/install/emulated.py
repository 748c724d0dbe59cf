# SPDX-License-Identifier: Apache-2.0
"""The wheel of another processor: built by the cross compiler, installed beside a Python of that
processor, run by an emulator on a core of each instruction set. Python and NumPy are Debian's
packages, which apt takes apart from the system's own, into a folder that later runs find."""

import pathlib
import shutil
import subprocess
import sys

from run import Outcome, skip

CORES = ("cortex-a53", "cortex-a76", "max")
PACKAGES = ("python3", "python3-numpy")
# Where Debian's alternatives would link to them from.
LIBRARIES = "/usr/lib/aarch64-linux-gnu/blas:/usr/lib/aarch64-linux-gnu/lapack"
SECONDS = 300  # for 40 MB of lists and packages


def fetched(folder):
    """Python's root folder, or why there is none."""
    root, done = folder / "root", folder / "complete"
    if done.exists():
        return root, None
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("lists/partial", "cache/archives/partial", "root"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()  # nothing is installed there: so all that is needed comes
    places = {"State::lists": "lists", "State::status": "status", "Cache": "cache"}
    apt = ["apt-get", "-q", "-y", "-o", "APT::Architecture=arm64", "-o", "APT::Architectures=arm64"]
    apt += ["-o", "APT::Sandbox::User=root"]  # who may write here
    for key, name in places.items():
        apt += ["-o", f"Dir::{key}={folder / name}"]
    install = ["--no-install-recommends", "--download-only", "install", *PACKAGES]
    for command in ([*apt, "update"], [*apt, *install]):
        try:
            subprocess.run(command, capture_output=True, check=True, timeout=SECONDS)
        except (OSError, subprocess.SubprocessError):
            return None, f"apt has no {command[-1]} of arm64 here (offline, or another system)"
    for package in (folder / "cache" / "archives").glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, root], check=True)
    done.touch()
    return root, None


def check(suite, root, here, scratch):
    """Builds, installs and runs it."""
    emulator, cross, missing = suite.cross_compiled()
    if missing:
        return missing
    python, reason = fetched(root / "build-python-aarch64")
    if reason:
        return skip(f"the wheel of aarch64: {reason}")
    build = [sys.executable, root / "packaging" / "wheel.py", "--out", scratch, *cross]
    total = suite.step("wheel of aarch64: build", build)
    if total.failed:
        return total
    (wheel,) = scratch.glob("quernel-*_aarch64.whl")
    platform, site = wheel.stem.rpartition("-")[2], scratch / "site"
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", site]
    install += ["--platform", platform, "--only-binary=:all:", wheel]
    total.add(suite.step("wheel of aarch64: install", install))
    return total.add(used(suite, here, [emulator[0], "-L", python], python, site))


def used(suite, here, emulator, python, site):
    total = Outcome()
    variables = ["-E", f"LD_LIBRARY_PATH={LIBRARIES}", "-E", f"PYTHONPATH={site}"]
    program = pathlib.Path(python, "usr", "bin", "python3")
    for core in CORES:
        command = [*emulator, "-cpu", core, *variables, program, here / "use.py"]
        total.add(suite.step(f"wheel of aarch64: use on {core}", command))
    return total
