# SPDX-License-Identifier: Apache-2.0
"""Reads a network in ncnn's format: a .param text (the graph) and a .bin (the numbers), as ncnn's
own layers, as a Graph or as an ONNX model. What it does not know it refuses, naming the layer.

.param: 7767517; "layers blobs"; then per layer "Type name inputs outputs input-names… output-names…
key=value…", an array being "-23300-key=count,value,…". .bin: per layer in this order, without a
header; weights behind a u32 that tells their form (fp16 padded to 4 bytes, or fp32), bias and
slopes as plain fp32."""

from __future__ import annotations

import dataclasses
import pathlib
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from .layer import Activation, Layer

if TYPE_CHECKING:
    import onnx

MAGIC = "7767517"
FLAG_FP32, FLAG_FP16 = 0, 0x01306B47
ARRAY_KEY = -23300


class NcnnError(Exception):
    """The files are not what this reader knows; the text names the layer."""


@dataclasses.dataclass
class NcnnLayer:
    type: str
    name: str
    inputs: list[str]
    outputs: list[str]
    params: dict[int, object]  # int, float, or a list of them
    # "weights", "bias", "slopes"
    arrays: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)

    def refuse(self, why: str) -> NoReturn:
        raise NcnnError(f"ncnn layer {self.name} ({self.type}): {why}")


class _Numbers:
    """The .bin, read from front to back."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def _take(self, layer: NcnnLayer, size: int) -> bytes:
        if self.at + size > len(self.data):
            layer.refuse(f"the .bin ends at byte {len(self.data)}, {self.at + size} are needed")
        self.at += size
        return self.data[self.at - size : self.at]

    def plain(self, layer: NcnnLayer, count: int) -> np.ndarray:
        return np.frombuffer(self._take(layer, 4 * count), "<f4").astype(np.float32)

    def flagged(self, layer: NcnnLayer, count: int) -> np.ndarray:
        flag = struct.unpack("<I", self._take(layer, 4))[0]
        if flag == FLAG_FP32:
            return self.plain(layer, count)
        if flag == FLAG_FP16:
            raw = self._take(layer, (2 * count + 3) // 4 * 4)
            return np.frombuffer(raw, "<f2", count).astype(np.float32)
        return layer.refuse(f"weights of the form {flag:#010x} are not known")


def _read_convolution(layer: NcnnLayer, numbers: _Numbers) -> None:
    """Weights [out, in, kh, kw] and bias, also of deconvolutions. 0 outputs, 1/11 kernel, 2/12
    dilation, 3/13 stride, 4/14/15/16 padding, 5 bias, 6 weights, 9/10 activation."""
    p = layer.params
    kw, outputs, count = p[1], p[0], p[6]
    kh = p.get(11, kw)
    inputs = count // (outputs * kh * kw)
    if inputs * outputs * kh * kw != count:
        layer.refuse(f"{count} weights do not make {outputs} outputs of {kh}x{kw}")
    layer.arrays["weights"] = numbers.flagged(layer, count).reshape(outputs, inputs, kh, kw)
    layer.arrays["bias"] = (
        numbers.plain(layer, outputs) if p.get(5) else np.zeros(outputs, np.float32)
    )


def _read_prelu(layer: NcnnLayer, numbers: _Numbers) -> None:
    layer.arrays["slopes"] = numbers.plain(layer, layer.params[0])


# type → keys that are understood (all others are refused), keys that must be there, reader of its
# numbers
KNOWN = {
    "Input": ({0, 1, 2}, set(), None),
    "Split": (set(), set(), None),
    "Convolution": (
        {0, 1, 2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 14, 15, 16},
        {0, 1, 6},
        _read_convolution,
    ),
    "Deconvolution": (
        {0, 1, 2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19},
        {0, 1, 6},
        _read_convolution,
    ),
    "PReLU": ({0}, {0}, _read_prelu),
    "PixelShuffle": ({0}, {0}, None),
    "Interp": ({0, 1, 2}, {0, 1, 2}, None),
    "BinaryOp": ({0}, set(), None),
}


def _number(text: str) -> int | float:
    return float(text) if "." in text or "e" in text else int(text)


def _parameter(pair: str) -> tuple[int, Any]:
    """KEY=NUMBER, or KEY=COUNT,NUMBER… with a key that says so."""
    key, value = pair.split("=")
    if int(key) > ARRAY_KEY:
        return int(key), _number(value)
    count, *values = value.split(",")
    if int(count) != len(values):
        raise ValueError(f"{len(values)} numbers where {count} are announced")
    return ARRAY_KEY - int(key), [_number(v) for v in values]


def _parse_layer(line: str) -> NcnnLayer:
    try:
        type_, name, inputs, outputs, *rest = line.split()
        inputs, outputs = int(inputs), int(outputs)
        if min(inputs, outputs) < 0 or inputs + outputs > len(rest):
            raise ValueError(f"{inputs} inputs and {outputs} outputs are announced")
        layer = NcnnLayer(type_, name, rest[:inputs], rest[inputs : inputs + outputs], {})
        for key, value in map(_parameter, rest[inputs + outputs :]):
            if key in layer.params:
                raise ValueError(f"parameter {key} is there twice")
            layer.params[key] = value
    except ValueError as error:
        raise NcnnError(f"ncnn .param: cannot read the line {line.strip()!r}: {error}") from None
    if type_ not in KNOWN:
        layer.refuse("this type is not known")
    known, needed, _ = KNOWN[type_]
    for key in sorted(layer.params.keys() - known):
        layer.refuse(f"parameter {key}={layer.params[key]} is not known")
    for key in sorted(needed - layer.params.keys()):
        layer.refuse(f"parameter {key} is missing")
    return layer


def parse(text: str, data: bytes) -> list[NcnnLayer]:
    """The layers of a .param's text and a .bin's bytes."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < 2 or lines[0].strip() != MAGIC:
        raise NcnnError(f"ncnn .param: the first line is not {MAGIC}")
    layers = [_parse_layer(line) for line in lines[2:]]
    count = lines[1].split()[0]
    if count != str(len(layers)):
        raise NcnnError(f"ncnn .param: {len(layers)} layers where {count} are announced")
    numbers = _Numbers(data)
    for layer in layers:
        reader = KNOWN[layer.type][2]
        if reader:
            reader(layer, numbers)
    if numbers.at != len(data):
        raise NcnnError(f"ncnn .bin: {len(data) - numbers.at} bytes are left behind the last layer")
    return layers


def read(param_path: str | pathlib.Path) -> list[NcnnLayer]:
    """The layers of FILE.param and the FILE.bin beside it."""
    path = pathlib.Path(param_path)
    return parse(path.read_text(), path.with_suffix(".bin").read_bytes())


ACTIVATIONS = {
    0: lambda p: Activation(),
    1: lambda p: Activation("relu"),
    2: lambda p: Activation("leaky", slope=p[10][0]),
}
RESIZE_MODES = {1: "nearest", 3: "cubic"}


def _convolution(source: NcnnLayer) -> Layer:
    p, weights = source.params, source.arrays["weights"]
    left = p.get(4, 0)
    pad = (p.get(14, left), left, p.get(16, p.get(14, left)), p.get(15, left))
    if min(pad) < 0:
        source.refuse(f"padding {pad} is not supported")
    if p.get(9, 0) not in ACTIVATIONS:
        source.refuse(f"activation {p[9]} is not supported")
    kind = "conv2d" if source.type == "Convolution" else "deconv2d"
    weights = weights if kind == "conv2d" else np.ascontiguousarray(weights.swapaxes(0, 1))
    return Layer(
        source.name,
        kind,
        weights,
        source.arrays["bias"],
        (p.get(13, p.get(3, 1)), p.get(3, 1)),
        pad,
        (p.get(12, p.get(2, 1)), p.get(2, 1)),
        1,
        (p.get(19, p.get(18, 0)), p.get(18, 0)),
        ACTIVATIONS[p.get(9, 0)](p),
    )


OPSET = 13


def _activation_node(source: NcnnLayer, value: str) -> list[Any]:
    """What follows a convolution, from value to the layer's output."""
    from onnx import helper

    kind, out = source.params.get(9, 0), list(source.outputs)
    if kind == 0:
        return []
    if kind not in ACTIVATIONS:
        source.refuse(f"activation {kind} is not supported")
    if kind == 1:
        return [helper.make_node("Relu", [value], out)]
    return [helper.make_node("LeakyRelu", [value], out, alpha=float(source.params[10][0]))]


def _convolution_nodes(source: NcnnLayer, value: str, constants: dict[str, np.ndarray]) -> list:
    from onnx import helper

    layer = _convolution(source)
    names = [f"{source.name}.weights", f"{source.name}.bias"]
    constants.update(zip(names, (layer.weights, layer.bias)))
    window = {
        "kernel_shape": list(layer.weights.shape[2:]),
        "strides": layer.stride,
        "dilations": layer.dilation,
        "pads": layer.pad,
    }
    if source.type == "Deconvolution":
        window["output_padding"] = layer.output_pad
    after = _activation_node(source, f"{source.name}.sums")
    out = f"{source.name}.sums" if after else source.outputs[0]
    op = "Conv" if source.type == "Convolution" else "ConvTranspose"
    return [helper.make_node(op, [value, *names], [out], source.name, **window), *after]


def _interp_node(source: NcnnLayer, value: str, constants: dict[str, np.ndarray]) -> Any:
    """nearest takes the pixel to the left and above, cubic the middle between pixels."""
    from onnx import helper

    p, scales = source.params, f"{source.name}.scales"
    if p[0] not in RESIZE_MODES:
        source.refuse(f"parameters {p} are not supported")
    constants[scales] = np.array([1, 1, p[1], p[2]], np.float32)
    how = {
        1: {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
        3: {"coordinate_transformation_mode": "half_pixel", "cubic_coeff_a": -0.75},
    }[p[0]]
    inputs = [value, "", scales]
    return helper.make_node(
        "Resize", inputs, source.outputs, source.name, mode=RESIZE_MODES[p[0]], **how
    )


def _onnx_nodes(source: NcnnLayer, read: list[str], constants: dict[str, np.ndarray]) -> list[Any]:
    """ONNX's nodes for one of ncnn's layers."""
    from onnx import helper

    p, op = source.params, source.type
    if op in ("Convolution", "Deconvolution"):
        return _convolution_nodes(source, read[0], constants)
    if op == "Interp":
        return [_interp_node(source, read[0], constants)]
    if op == "PReLU":
        slopes = f"{source.name}.slopes"
        constants[slopes] = source.arrays["slopes"].reshape(-1, 1, 1)
        return [helper.make_node("PRelu", [read[0], slopes], source.outputs, source.name)]
    if op == "PixelShuffle":
        how = {"blocksize": p[0], "mode": "CRD"}
        return [helper.make_node("DepthToSpace", read, source.outputs, source.name, **how)]
    if op == "BinaryOp" and p.get(0, 0) == 0:
        return [helper.make_node("Add", read, source.outputs, source.name)]
    return source.refuse(f"parameters {p} are not supported")


def to_onnx(
    param: str | pathlib.Path, data: str | pathlib.Path, shape: Sequence[int | str]
) -> onnx.ModelProto:
    """The network of a .param and a .bin file as an ONNX model. shape: of its inputs, [n, c, h, w];
    a text stands for a size that may change. Its outputs are the values that nothing reads."""
    import onnx
    from onnx import helper, numpy_helper

    layers = parse(pathlib.Path(param).read_text(), pathlib.Path(data).read_bytes())
    same: dict[str, str] = {}
    constants: dict[str, np.ndarray] = {}
    nodes: list[Any] = []
    inputs: list[str] = []
    for source in layers:
        read = [same.get(value, value) for value in source.inputs]
        if source.type == "Input":
            inputs += source.outputs
        elif source.type == "Split":
            same.update((value, read[0]) for value in source.outputs)
        else:
            nodes += _onnx_nodes(source, read, constants)
    used = {value for node in nodes for value in node.input}
    outputs = [value for node in nodes for value in node.output if value not in used]
    graph = helper.make_graph(
        nodes,
        pathlib.Path(param).stem,
        [helper.make_tensor_value_info(value, onnx.TensorProto.FLOAT, shape) for value in inputs],
        [helper.make_tensor_value_info(value, onnx.TensorProto.FLOAT, None) for value in outputs],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opset, producer_name="quernel")
    model.ir_version = 7
    model = onnx.shape_inference.infer_shapes(model)
    onnx.checker.check_model(model)
    return model
