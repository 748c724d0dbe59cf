# SPDX-License-Identifier: Apache-2.0
"""meson-python takes the project of the folder that holds the pyproject.toml. This backend makes
such a folder for this wheel: the repository's own files by links, and the pyproject.toml and README
beside this file in the place of the repository's."""

import contextlib
import os
import pathlib
import tempfile

import mesonpy

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
OURS = ("pyproject.toml", "README.md")


@contextlib.contextmanager
def _staged():
    with tempfile.TemporaryDirectory(prefix="quernel-wheel-") as folder:
        for path in ROOT.iterdir():
            if path.name not in OURS and not path.name.startswith((".git", "build")):
                pathlib.Path(folder, path.name).symlink_to(path)
        for name in OURS:
            pathlib.Path(folder, name).symlink_to(HERE / name)
        before = os.getcwd()
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


def get_requires_for_build_wheel(config_settings=None):
    with _staged():
        return mesonpy.get_requires_for_build_wheel(config_settings)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    target = os.path.abspath(wheel_directory)
    with _staged():
        return mesonpy.build_wheel(target, config_settings, metadata_directory)


def build_sdist(sdist_directory, config_settings=None):
    raise NotImplementedError("onnxruntime-ep-quernel is built from the repository")
