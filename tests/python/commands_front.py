# SPDX-License-Identifier: Apache-2.0
"""How the tests of `python -m quernel` call it: in this process, where a stand-in of ONNX Runtime
can be put."""

import contextlib
import io
import os
import pathlib
import tempfile
import unittest
from unittest import mock

import fake_host
from quernel import cli, ort

REPORT = {"islands": [{"nodes": ["first", "relu"]}], "refused": []}


def save(model, path):
    path.write_bytes(model.SerializeToString())
    return str(path)


def command(*arguments, host="stand-in"):
    """(exit code, stdout, stderr)."""
    module = fake_host.host(report=REPORT) if host == "stand-in" else host
    said, errors = io.StringIO(), io.StringIO()
    with (
        fake_host.standing_in(module),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(errors),
    ):
        try:
            code: object = cli.main(list(map(str, arguments)))
        except SystemExit as end:
            code = end.code
    return code, said.getvalue(), errors.getvalue()


class WithFolder(unittest.TestCase):
    """A folder for each test, in which a file stands for the plugin."""

    def setUp(self):
        held = tempfile.TemporaryDirectory(prefix="quernel-commands-")
        self.addCleanup(held.cleanup)
        self.folder = pathlib.Path(held.name)
        plugin = self.folder / ort.LIBRARY
        plugin.touch()
        patch = mock.patch.dict(os.environ, {"QUERNEL_ORT_LIBRARY": str(plugin)})
        patch.start()
        self.addCleanup(patch.stop)
