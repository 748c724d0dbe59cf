# SPDX-License-Identifier: Apache-2.0
"""A module in the place of onnxruntime, for hosts and plugins that are not here: its sessions are
the real one's, on its own provider, and its plugin writes the report that it is given."""

import contextlib
import json
import pathlib
import sys
import types
from unittest import mock

import onnxruntime

RECORD = "session.record_ep_graph_assignment_info"


def host(version=onnxruntime.__version__, report=None, devices=(), refuses=None):
    """devices: names of providers that are registered already. refuses: what registering says.
    What it was asked is in its lists `registered` and `told`."""
    made = types.SimpleNamespace(
        __version__=version,
        GraphOptimizationLevel=onnxruntime.GraphOptimizationLevel,
        registered=[],
        told=[],
    )
    listed = [types.SimpleNamespace(ep_name=name) for name in ("CPUExecutionProvider", *devices)]

    def register(name, path):
        if refuses:
            raise RuntimeError(refuses)
        made.registered.append((name, path))
        listed.append(types.SimpleNamespace(ep_name=name))

    class Options(onnxruntime.SessionOptions):
        def add_provider_for_devices(self, devices, options):
            made.told.append((self, devices[0].ep_name, options))
            if report is not None:
                pathlib.Path(options["report"]).write_text(json.dumps(report), encoding="utf-8")

    def start(model, sess_options=None, providers=None, **_):
        plain = onnxruntime.SessionOptions()
        with contextlib.suppress(Exception):  # where it was not asked for
            plain.add_session_config_entry(RECORD, sess_options.get_session_config_entry(RECORD))
        return onnxruntime.InferenceSession(
            model, plain, providers=["CPUExecutionProvider"], enable_fallback=0
        )

    made.get_ep_devices = lambda: list(listed)
    made.register_execution_provider_library = register
    made.SessionOptions, made.InferenceSession = Options, start
    return made


@contextlib.contextmanager
def standing_in(module):
    """While it lasts, `import onnxruntime` gives this; None: there is none."""
    with mock.patch.dict(sys.modules, {"onnxruntime": module}):
        yield module
