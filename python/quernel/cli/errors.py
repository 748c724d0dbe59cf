# SPDX-License-Identifier: Apache-2.0
"""What ends a command, as a line and an exit code."""

from __future__ import annotations

WRONG, USAGE, MISSING, INTERRUPTED = 1, 2, 3, 130


class Failed(Exception):
    """Ends a command. The text names the argument and its value."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def missing(problem: ImportError) -> Failed:
    """A package that is not there, with the name that pip knows it by."""
    packages = getattr(problem, "packages", None)
    if packages is None:
        name = (problem.name or str(problem)).partition(".")[0]
        packages = ({"PIL": "pillow", "onnxruntime": "onnxruntime>=1.23.1"}.get(name, name),)
        return Failed(MISSING, f"missing packages: {' '.join(packages)}")
    said = " ".join(str(problem).split())
    return Failed(MISSING, f"{said}; missing packages: {' '.join(packages)}" if packages else said)


def failure(problem: Exception) -> Failed | None:
    """What an exception means to the user, None where it is a fault of ours."""
    text = " ".join(str(problem).split())
    if isinstance(problem, Failed):
        return problem
    if isinstance(problem, ImportError):
        return missing(problem)
    if isinstance(problem, (ValueError, FileNotFoundError, IsADirectoryError, PermissionError)):
        return Failed(USAGE, text)
    if isinstance(problem, OSError):  # a full disk, a closed pipe
        return Failed(WRONG, text)
    if type(problem).__module__.startswith("onnxruntime."):  # its statuses: the model is at fault
        return Failed(USAGE, f"model: ONNX Runtime: {text}")
    return None
