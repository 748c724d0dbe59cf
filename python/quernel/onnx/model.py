# SPDX-License-Identifier: Apache-2.0
"""An ONNX model as it is quantized: read, brought to an opset whose QuantizeLinear knows channels,
and simplified by ONNX Runtime's own first level. Written by a temporary file and a rename."""

from __future__ import annotations

import os
import pathlib
import tempfile
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper, version_converter

from .._native import QuernelError

OPSET = 13  # the first whose DequantizeLinear has an axis
INVALID, UNSUPPORTED = -2, -11  # the library's status numbers, for refusals of Python
WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
QUIET = 4  # of onnxruntime's severities: it also logs what it raises
STANDARD = ("", "ai.onnx")


def refuse(text: str, code: int = INVALID) -> NoReturn:
    """Raises with one line."""
    raise QuernelError(code, " ".join(text.split()))


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """Name → value; texts as str."""
    found = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    return {k: v.decode() if isinstance(v, bytes) else v for k, v in found.items()}


def inner_layers(node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
    """Layers in the graphs inside a node."""
    for attribute in node.attribute:
        for graph in [attribute.g, *attribute.graphs]:
            for inner in graph.node:
                if inner.op_type in WEIGHTED and inner.domain == "":
                    yield inner
                yield from inner_layers(inner)


def captured(node: onnx.NodeProto) -> Iterator[str]:
    """Values that the graphs inside a node may read from outside."""
    for attribute in node.attribute:
        for graph in [attribute.g, *attribute.graphs]:
            for inner in graph.node:
                yield from inner.input
                yield from captured(inner)
            yield from (output.name for output in graph.output)


def free(name: str, taken: set[str]) -> str:
    """A name that is not taken, like the one asked for; it is then."""
    found, number = name, 0
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    taken.add(found)
    return found


class Net:
    """A ModelProto with what is looked up all the time: who makes a value, who reads it, what is
    constant."""

    def __init__(self, model: onnx.ModelProto, name: str = "model") -> None:
        self.model, self.name = model, name
        graph = model.graph
        self.tensors = {tensor.name: tensor for tensor in graph.initializer}
        self.inputs = {value.name: value for value in graph.input}
        self.outputs = [value.name for value in graph.output]
        self.index()

    def index(self) -> None:
        """Looks again, after nodes have changed."""
        self.readers: dict[str, list[onnx.NodeProto]] = {}
        self.maker: dict[str, onnx.NodeProto] = {}
        for node in self.model.graph.node:
            for value in dict.fromkeys([*node.input, *captured(node)]):
                self.readers.setdefault(value, []).append(node)
            self.maker.update((value, node) for value in node.output)

    @property
    def nodes(self) -> Iterable[onnx.NodeProto]:
        return self.model.graph.node

    def constant(self, value: str) -> np.ndarray | None:
        """A value that is the same in every run; None for others."""
        tensor = self.tensors.get(value)
        return None if tensor is None else numpy_helper.to_array(tensor)

    def add(self, name: str, array: np.ndarray) -> None:
        """A constant by a name that is free."""
        tensor = numpy_helper.from_array(np.ascontiguousarray(array), name)
        self.model.graph.initializer.append(tensor)
        self.tensors[name] = self.model.graph.initializer[-1]

    def free(self, name: str) -> str:
        """A name that nothing has, like the one asked for."""
        return free(name, self.names())

    def names(self) -> set[str]:
        """Every name of a value or node, and those that free() gave away."""
        if not hasattr(self, "_names"):
            self._names = {*self.tensors, *self.inputs, *self.outputs}
            for node in self.nodes:
                self._names.update([node.name, *node.input, *node.output, *captured(node)])
        return self._names


def _read(path: str | os.PathLike) -> onnx.ModelProto:
    try:
        model = onnx.load(os.fspath(path))
    except Exception as problem:  # protobuf, file and external data have errors of their own
        refuse(f"onnx: path: {os.fspath(path)}: {problem or type(problem).__name__}")
    if not model.graph.node:
        refuse(f"onnx: path: {os.fspath(path)}: holds no node")
    return model


def _opset(model: onnx.ModelProto) -> int:
    return max([o.version for o in model.opset_import if o.domain in STANDARD], default=1)


def _modern(model: onnx.ModelProto, name: str) -> onnx.ModelProto:
    if _opset(model) >= OPSET:
        return model
    try:
        return version_converter.convert_version(model, OPSET)
    except Exception as problem:
        refuse(
            f"onnx: {name}: opset {_opset(model)}: cannot become {OPSET}: {problem}", UNSUPPORTED
        )


def options(level: Any, threads: int = 0) -> Any:
    """ONNX Runtime's options for a session that says nothing."""
    made = onnxruntime.SessionOptions()
    made.graph_optimization_level = level
    made.log_severity_level = QUIET
    made.intra_op_num_threads = threads
    return made


def session(model: onnx.ModelProto | str, made: Any) -> Any:
    """An InferenceSession on the CPU."""
    given = model if isinstance(model, str) else model.SerializeToString()
    return onnxruntime.InferenceSession(given, made, providers=["CPUExecutionProvider"])


LEVELS = onnxruntime.GraphOptimizationLevel


def _simplified(model: onnx.ModelProto, name: str) -> onnx.ModelProto:
    """What ONNX Runtime makes of it before it chooses kernels: constants computed, batch norms
    folded; as it was where that needs operators of other domains."""
    with tempfile.TemporaryDirectory() as folder:
        given, path = (os.path.join(folder, f) for f in ("given.onnx", "simplified.onnx"))
        made = options(LEVELS.ORT_ENABLE_BASIC)
        made.optimized_model_filepath = path
        try:
            onnx.save(model, given)
            session(given, made)
        except Exception as problem:
            refuse(f"onnx: {name}: ONNX Runtime refuses it: {problem}")
        found = onnx.load(path)
    if {node.domain for node in found.graph.node} - {node.domain for node in model.graph.node}:
        return model
    used = {node.domain for node in found.graph.node} | {""}
    kept = [o for o in found.opset_import if o.domain in used]
    del found.opset_import[:]
    found.opset_import.extend(kept)
    return found


def _fix_defaults(model: onnx.ModelProto) -> None:
    """Makes constants of inputs with a default, which a caller could override: old files list all
    weights so."""
    defaults = {tensor.name for tensor in model.graph.initializer}
    kept = [value for value in model.graph.input if value.name not in defaults]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    model.ir_version = max(model.ir_version, 4)  # the first where constants are no inputs


def _constants_as_tensors(model: onnx.ModelProto) -> None:
    """Constant nodes become initializers."""
    graph = model.graph
    for node in [node for node in graph.node if node.op_type == "Constant"]:
        value = attributes(node)
        if isinstance(value.get("value"), onnx.TensorProto):
            tensor = onnx.TensorProto()
            tensor.CopyFrom(value["value"])
            tensor.name = node.output[0]
            graph.initializer.append(tensor)
            graph.node.remove(node)


def _sums_as_adds(model: onnx.ModelProto) -> None:
    """A Sum of two values becomes the Add that it is."""
    for node in model.graph.node:
        if node.op_type == "Sum" and not node.domain and len(node.input) == 2:
            node.op_type = "Add"


def name_nodes(net: Net) -> None:
    """A name of its own for each node: reports and new values are named by it."""
    seen: set[str] = set()
    for node in net.nodes:
        if not node.name or node.name in seen:
            node.name = net.free(f"{node.op_type}_{node.output[0]}")
        seen.add(node.name)


def load(path: str | os.PathLike) -> Net:
    """The model of a file, ready to be quantized."""
    name = os.fspath(path)
    model = _modern(_read(path), name)
    _fix_defaults(model)
    model = _simplified(model, name)
    _constants_as_tensors(model)
    _sums_as_adds(model)
    net = Net(model, name)
    name_nodes(net)
    return net


def write(model: onnx.ModelProto, path: str | os.PathLike) -> None:
    """Writes a model: whole, or not at all."""
    out = pathlib.Path(os.fspath(path))
    partial = None
    try:
        data = model.SerializeToString()
        if out.exists() and not out.is_file():  # a device, a pipe: not to be replaced by a file
            out.write_bytes(data)
            return
        target = out.resolve()
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
            partial = file.name
            file.write(data)
        os.chmod(partial, 0o666 & ~_umask())
        os.replace(partial, target)
    except Exception as problem:
        if partial and os.path.exists(partial):
            os.unlink(partial)
        refuse(f"onnx: out: {out}: {problem}")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
