#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds a wheel and names it by what is in it: the processor that its libraries are for, and the
oldest glibc that has every symbol they take (manylinux_2_N). Prints its path.

  python3 packaging/wheel.py [--project DIR] [--cross-file FILE] [--out DIR]

--cross-file is Meson's, for another processor than this one: tests/cross/aarch64-linux-gnu.txt."""

import argparse
import base64
import hashlib
import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
MACHINES = {62: "x86_64", 183: "aarch64"}  # e_machine of ELF
MACHINE_AT = slice(18, 20)  # where its header has it
NEEDED = re.compile(rb"\0GLIBC_2\.(\d+)(?:\.\d+)?(?=\0)")  # in the table of names


def platform_of(libraries):
    """The platform tag of libraries' contents."""
    machines = {MACHINES[int.from_bytes(one[MACHINE_AT], "little")] for one in libraries}
    minors = [int(minor) for one in libraries for minor in NEEDED.findall(one)]
    (machine,) = machines
    return f"manylinux_2_{max(minors)}_{machine}"


def digest(data):
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def retagged(files, platform):
    """A wheel's files, {name: contents}, with another platform in their tags."""
    (name,) = (name for name in files if name.endswith(".dist-info/WHEEL"))
    (record,) = (name for name in files if name.endswith(".dist-info/RECORD"))
    told = re.sub(rb"(?m)^(Tag: \S+-)\S+$", rb"\g<1>" + platform.encode(), files[name])
    line = f"{name},sha256={digest(told)},{len(told)}"
    lines = files[record].decode().splitlines()
    lines = [line if old.startswith(f"{name},") else old for old in lines]
    return {**files, name: told, record: ("\n".join(lines) + "\n").encode()}


def tagged(wheel, out):
    """Writes a copy of the wheel with the platform of its libraries; returns its path."""
    with zipfile.ZipFile(wheel) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    platform = platform_of([data for data in files.values() if data.startswith(b"\x7fELF")])
    stem, _, _ = wheel.stem.rpartition("-")
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{stem}-{platform}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in retagged(files, platform).items():
            archive.writestr(name, data)
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--project", type=pathlib.Path, default=ROOT, help="of the pyproject.toml")
    parser.add_argument("--cross-file", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path())
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="quernel-wheel-") as folder:
        command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder]
        if options.cross_file:
            cross = f"--cross-file={options.cross_file.resolve()}"
            command.append(f"--config-settings=setup-args={cross}")
        done = subprocess.run([*command, options.project.resolve()], cwd=folder, check=False)
        if done.returncode:
            return done.returncode
        (wheel,) = pathlib.Path(folder).glob("*.whl")
        print(tagged(wheel, options.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
