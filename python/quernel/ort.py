# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime with Quernel's plugin: sessions whose int8 layers Quernel runs, and what of a model
it runs. Needs onnxruntime 1.23.1 or newer, which this package does not bring along."""

from __future__ import annotations

import importlib
import json
import os
import pathlib
import re
import tempfile
import threading
import weakref
from collections.abc import Iterator
from typing import Any

from ._coverage import Coverage, Refusal, measure

__all__ = ["Coverage", "Refusal", "Unavailable", "coverage", "get_ep_names", "get_library_path"]
__all__ += ["session", "stock", "version"]

EP_NAME = "QuernelExecutionProvider"
LIBRARY = "libquernel_onnxruntime.so"
IN_BUILD = pathlib.Path("engines", "onnxruntime", LIBRARY)
PACKAGE = "onnxruntime>=1.23.1"
FIRST_WITH_ASSIGNMENT = (1, 24)  # hosts that tell which provider has which node

_registering = threading.Lock()
_accounts: weakref.WeakKeyDictionary[Any, dict | None] = weakref.WeakKeyDictionary()


class Unavailable(ImportError):
    """ONNX Runtime or the plugin is missing or too old. packages: what pip would have to bring."""

    def __init__(self, text: str, packages: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.packages = packages


def _host() -> tuple[Any, tuple[int, ...]]:
    """The module onnxruntime and its version, or what is wrong with it."""
    try:
        host = importlib.import_module("onnxruntime")
    except ImportError as problem:
        raise Unavailable(f"onnxruntime: {problem}: {PACKAGE} is needed", (PACKAGE,)) from problem
    text = str(getattr(host, "__version__", ""))
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", text)
    version = tuple(map(int, found.groups())) if found else (0, 0, 0)
    if version < (1, 23):
        raise Unavailable(f"onnxruntime: {text}: takes no plugins: {PACKAGE} is needed", (PACKAGE,))
    if version == (1, 23, 0):
        raise Unavailable(
            f"onnxruntime: {text}: fails on sessions of two providers: {PACKAGE} is needed",
            (PACKAGE,),
        )
    return host, version


def _candidates() -> Iterator[pathlib.Path]:
    here = pathlib.Path(__file__).resolve()
    yield here.parents[1] / ".quernel.mesonpy.libs" / LIBRARY  # a wheel
    library = os.environ.get("QUERNEL_LIBRARY")
    if library:  # a build elsewhere: the plugin is in the build that libquernel is of
        yield pathlib.Path(library).resolve().parent / IN_BUILD
        yield pathlib.Path(library).resolve().parent / LIBRARY  # an installed tree
    yield here.parents[2] / "build" / IN_BUILD  # a checkout built by ./dev build


def get_library_path() -> str:
    """The plugin's shared library: what QUERNEL_ORT_LIBRARY names, else the one of this package or
    of the build beside it, else of the package onnxruntime-ep-quernel."""
    named = os.environ.get("QUERNEL_ORT_LIBRARY")
    if named:
        if pathlib.Path(named).is_file():
            return named
        raise Unavailable(f"plugin: QUERNEL_ORT_LIBRARY: {named}: is no file")
    for path in _candidates():
        if path.is_file():
            return str(path)
    try:
        alone = importlib.import_module("onnxruntime_ep_quernel")
    except ImportError:
        raise Unavailable(
            f"plugin: {LIBRARY}: was not found (./dev build makes it; QUERNEL_ORT_LIBRARY names it)"
        ) from None
    return alone.get_library_path()


def get_ep_names() -> list[str]:
    """Names of the execution providers that the plugin's library has."""
    return [EP_NAME]


def _device(host: Any) -> Any:
    """The CPU as a device of Quernel's; the library is registered where nobody has done it, and
    stays so: sessions that live would be left without their code."""

    def listed() -> Any:
        return next((d for d in host.get_ep_devices() if d.ep_name == EP_NAME), None)

    with _registering:
        found = listed()
        if found is None:
            path = get_library_path()
            try:
                host.register_execution_provider_library(EP_NAME, path)
            except Exception as problem:
                raise Unavailable(f"plugin: {path}: {_line(problem)}") from problem
            found = listed()
    if found is None:
        raise Unavailable("plugin: onnxruntime lists no CPU that Quernel may use")
    return found


def _line(problem: BaseException) -> str:
    return " ".join(str(problem).split()) or type(problem).__name__


def _model(model: Any) -> Any:
    """What InferenceSession takes: a path or bytes; an onnx.ModelProto becomes bytes."""
    return model.SerializeToString() if hasattr(model, "SerializeToString") else model


WARNINGS, ERRORS = 2, 3  # ONNX Runtime's severities; it warns of every node that we leave to it


def _prepared(
    host: Any, session_options: Any, threads: int, entries: dict[str, str], severity: int = ERRORS
) -> Any:
    options = session_options
    if options is None:
        options = host.SessionOptions()
        options.log_severity_level = severity
    if options.has_providers():
        raise ValueError("quernel.ort.session: session_options: they have providers already")
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    for key, value in entries.items():
        options.add_session_config_entry(key, value)
    return options


def session(
    model: Any,
    threads: int = 1,
    *,
    isa: str | None = None,
    table: str | os.PathLike | None = None,
    verbose: bool = False,
    context: str | os.PathLike | None = None,
    session_options: Any = None,
    disable_fallback: bool = False,
    **options: Any,
) -> Any:
    """An onnxruntime.InferenceSession in which Quernel runs what it can, and ONNX Runtime the rest.

    model: a path, the bytes of a model, or an onnx.ModelProto. threads: of each run, all of them
    in ONNX Runtime's pool. isa: the highest instruction set. table: a file of `quernel tune`, for
    the whole process. verbose: the plugin logs what it takes and what it leaves. context: where to
    write the model with the packed weights in it, for sessions that then need not pack them.
    session_options: an onnxruntime.SessionOptions that has no providers; it is changed, and serves
    one session. disable_fallback: refuses models that Quernel does not run whole. options: more of
    the plugin's options."""
    host, version = _host()
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise ValueError(f"quernel.ort.session: threads: {threads!r}: must be 1 or more")
    given = {"threads": threads, "isa": isa, "table": table, "verbose": int(verbose), **options}
    told = {key: os.fspath(v) if isinstance(v, os.PathLike) else str(v) for key, v in given.items()}
    told = {key: text for key, text in told.items() if given[key] is not None}
    entries = {}
    if version >= FIRST_WITH_ASSIGNMENT:
        entries["session.record_ep_graph_assignment_info"] = "1"
    if disable_fallback:
        entries["session.disable_cpu_ep_fallback"] = "1"
    if context is not None:
        entries |= {"ep.context_enable": "1", "ep.context_file_path": os.fspath(context)}
    device = _device(host)
    severity = WARNINGS if verbose else ERRORS
    prepared = _prepared(host, session_options, threads, entries, severity)
    with tempfile.TemporaryDirectory(prefix="quernel-") as folder:
        report = pathlib.Path(folder, "report.json")
        prepared.add_provider_for_devices([device], {"report": str(report), **told})
        made = host.InferenceSession(_model(model), sess_options=prepared, enable_fallback=0)
        written = report if "report" not in options else pathlib.Path(options["report"])
        _accounts[made] = (
            json.loads(written.read_text(encoding="utf-8")) if written.is_file() else None
        )
    return made


def version() -> tuple[int, ...]:
    """ONNX Runtime's, where it is one that takes plugins."""
    return _host()[1]


def stock(model: Any, threads: int = 1) -> Any:
    """The same session without Quernel, to compare with."""
    host, _ = _host()
    options = _prepared(host, None, threads, {})
    return host.InferenceSession(
        _model(model), options, providers=["CPUExecutionProvider"], enable_fallback=0
    )


def coverage(session_or_model: Any, shapes: dict[str, tuple] | None = None) -> Coverage:
    """What of a model Quernel runs: the share of the multiply-adds of its convolutions and
    products, nodes of each provider, and why the others were not taken. Of a session that session()
    made, or of a model, which is loaded for it. shapes: of inputs whose shape the model leaves
    open; without them there is no share, nor where the package onnx is missing."""
    made = session_or_model
    if not hasattr(made, "get_providers"):
        made = session(made)
    if made not in _accounts:
        raise ValueError("quernel.ort.coverage: session: was not made by quernel.ort.session")
    return measure(made, EP_NAME, _accounts[made], shapes)
