# SPDX-License-Identifier: Apache-2.0
"""Writes a random graph node by node and knows the values of each as it goes (meaning.py), so that
scales fit what flows through them."""

import dataclasses

import meaning
import numpy as np
from onnx import TensorProto, helper, numpy_helper

MICROSOFT = "com.microsoft"
TYPES = {np.dtype(t): helper.np_dtype_to_tensor_dtype(np.dtype(t)) for t in ("u1", "i1", "f4")}


@dataclasses.dataclass
class Code:
    """A quantized tensor: the names of its codes, scale and zero point (empty: none)."""

    name: str
    scale: str
    zero: str
    made_float: str = ""  # a DequantizeLinear that is already there


class Builder:
    def __init__(self, rng, opset):
        self.rng, self.opset = rng, opset
        self.nodes, self.initializers, self.inputs = [], [], []
        self.values, self.feeds, self.float_outputs, self.more_outputs = {}, {}, [], []
        self.codes: list = []  # what the moves have made so far
        self.names = 0

    # ---- chance
    def chance(self, share):
        return self.rng.random() < share

    def pick(self, *choices):
        return choices[self.rng.integers(len(choices))]

    def number(self, lo, hi):
        return int(self.rng.integers(lo, hi + 1))

    # ---- values
    def name(self):
        """Unique, but alike, as exporters write them."""
        self.names += 1
        return f"{self.pick('t', 'Conv', 'x_quantized', '/a/b', '1')}_{self.names}"

    def const(self, array, name=""):
        name = name or self.name()
        self.initializers.append(numpy_helper.from_array(np.asarray(array), name))
        self.values[name] = meaning.real(np.asarray(array))
        return name

    def floats(self, array):
        return self.const(np.asarray(array, np.float32))

    def shape(self, name):
        return self.values[name].shape

    def node(self, op, inputs, outputs=1, domain="", **attrs):
        names = [self.name() for _ in range(outputs)]
        called = self.pick("", "", f"{op}_{self.names}", f"n{self.names}")
        made = helper.make_node(op, inputs, names, called, domain=domain, **attrs)
        operands = [self.values[i] if i else None for i in inputs]
        results = meaning.run_node(made, operands, self.opset)
        for name, result in zip(names, results):
            self.values[name] = result.codes if isinstance(result, meaning.Rounded) else result
        self.nodes.append(made)
        return names[0] if outputs == 1 else names

    # ---- quantization
    def parameters(self, x, kind=None):
        """A scale and a zero point for `x`, as calibrators would choose them, or somewhat worse."""
        kind = np.dtype(kind or self.pick("u1", "u1", "u1", "i1"))
        info = np.iinfo(kind)
        shrink = self.pick(1, 1, 0.7, 1.3) * self.rng.uniform(1, 1.02)  # no ties at the ends
        lo, hi = min(x.min(initial=0), 0) * shrink, max(x.max(initial=0), 0) * shrink
        if self.chance(0.25):  # symmetric
            hi = max(-lo, hi)
            lo = 0 if lo == 0 and kind == np.uint8 else -hi
        scale = np.float32(max((hi - lo) / 255, 1e-4))  # float32 must not see it as noise
        zero = int(np.clip(np.rint(info.min - lo / scale), info.min, info.max))
        return scale, kind.type(self.number(info.min, info.max) if self.chance(0.03) else zero)

    def quantization(self, x, kind=None, may_lack=True):
        """Names of a scale and zero point for x. Sometimes shaped [1], sometimes no zero point."""
        scale, zero = self.parameters(x, kind)
        shape = self.pick((), (), (1,))
        if may_lack and zero == 0 and zero.dtype == np.uint8 and self.chance(0.4):
            return self.floats(scale), ""
        return self.floats(scale.reshape(shape)), self.const(zero.reshape(shape))

    def q(self, x, kind=None, like=None):
        scale, zero = (like.scale, like.zero) if like else self.quantization(self.values[x], kind)
        return Code(self.node("QuantizeLinear", [x, scale, *filter(None, [zero])]), scale, zero)

    def dq(self, code, share=0.3):
        if not code.made_float or not self.chance(share):
            inputs = [code.name, code.scale, *filter(None, [code.zero])]
            code.made_float = self.node("DequantizeLinear", inputs)
        return code.made_float

    def pair(self, x):
        """x through a Q -> DQ pair, as ORT's quantizer puts it behind every operator."""
        return self.dq(self.q(x))

    def quantized(self, op, before, after=(), kind=None, domain="", **attrs):
        """An operator that quantizes its own output: its inputs before and behind the output's
        scale and zero point, which are chosen here."""
        unit = [np.asarray(1.0), np.asarray(0, kind or np.uint8)]
        operands = [self.values[i] if i else None for i in before]
        behind = [self.values[i] if i else None for i in after]
        trial = helper.make_node(op, [], [], domain=domain, **attrs)
        exact = meaning.run_node(trial, operands + unit + behind, self.opset)[0].exact
        ys, yz = map(self.const, self.parameters(exact, kind))
        y = self.node(op, [*before, ys, yz, *after], domain=domain, **attrs)
        return Code(y, ys, yz)

    def like(self, name, code):
        """Codes that were only moved."""
        return Code(name, code.scale, code.zero)

    def triple(self, code):
        """Codes, scale and zero point for operators that demand all of them, and scalars."""
        scale, zero = np.float32(self.values[code.scale]).reshape(()), np.uint8(0)
        zero = self.values[code.zero].reshape(()) if code.zero else zero
        return [code.name, self.const(scale), self.const(zero)]

    # ---- edges
    def input(self, shape):
        """A quantized input: f32 that is quantized here, or codes."""
        x = self.rng.normal(self.pick(0, 0, 1), self.pick(1, 1, 30), shape).astype(np.float32)
        name = f"input{len(self.inputs)}"
        scale, zero = self.quantization(x, may_lack=False)
        kind = self.values[zero].dtype
        if self.chance(0.2):
            self.feed(
                name, self.rng.integers(np.iinfo(kind).min, np.iinfo(kind).max + 1, shape, kind)
            )
            return Code(name, scale, zero)
        self.feed(name, x)
        if self.chance(0.15):
            name = self.node("Mul", [name, self.factors(shape)])
        return Code(self.node("QuantizeLinear", [name, scale, zero]), scale, zero)

    def factors(self, shape):
        """One per channel, as of a tensor that is smoothed before it is quantized."""
        axis = 1 if len(shape) == 4 else len(shape) - 1
        sizes = [n if i == axis else 1 for i, n in enumerate(shape)]
        return self.floats(self.rng.uniform(0.5, 2, sizes))

    def feed(self, name, array):
        self.feeds[name] = array
        self.values[name] = meaning.real(array)
        dims = list(array.shape)
        if self.chance(0.15):
            dims = [f"{name}_{i}" if self.chance(0.6) else d for i, d in enumerate(dims)]
        self.inputs.append(helper.make_tensor_value_info(name, TYPES[array.dtype], dims))

    def model(self, outputs):
        """The graph with these values as its outputs, float ones and codes."""
        graph = helper.make_graph(
            self.nodes,
            "drawn",
            self.inputs,
            [self.output_info(o) for o in outputs],
            self.initializers,
        )
        imports = [helper.make_opsetid("", self.opset)]
        imports += [helper.make_opsetid(MICROSOFT, 1)]
        ir = min(helper.VERSION_TABLE[-1][1], helper.find_min_ir_version_for(imports[:1]))
        return helper.make_model(graph, opset_imports=imports, ir_version=ir)

    def output_info(self, name):
        kind = self.values[name].dtype
        kind = TensorProto.FLOAT if kind == np.float64 else helper.np_dtype_to_tensor_dtype(kind)
        return helper.make_tensor_value_info(name, kind, [None] * self.values[name].ndim)
