#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ONNX's own node tests: the meaning against their results, and the plugin on them, as they are
where they are quantized, else between DequantizeLinear and QuantizeLinear. They come with the
package onnx, older ones with Debian's libonnx-testdata; QUERNEL_ONNX_NODES names another folder.

PYTHONPATH holds tests/python. Closes with N passed, N failed, N skipped."""

import collections
import functools
import os
import pathlib
import sys
import unittest
import warnings

import builder
import engine
import front
import judge
import meaning
import numpy as np
import onnx
from onnx import numpy_helper

FOLDER = os.environ.get("QUERNEL_ONNX_NODES", "/usr/share/libonnx-testdata/data/node")
QUANTIZED = set(meaning.QUANTIZED)
WRAPPED = "Conv ConvTranspose Gemm MatMul Add Sub Mul Div Relu Clip LeakyRelu PRelu Sigmoid"
WRAPPED += " HardSigmoid HardSwish Tanh Erf Gelu MaxPool AveragePool GlobalAveragePool"
WRAPPED += " GlobalMaxPool ReduceMean Resize Concat Split Slice Pad DepthToSpace SpaceToDepth"
WRAPPED += " Transpose Reshape Flatten Squeeze Unsqueeze Softmax LayerNormalization"
WRAPPED += " RMSNormalization"
WEIGHTED = {"Conv", "ConvTranspose", "Gemm"}  # inputs 1 and 2 are constants
# so are all behind input 0 of these
CONSTANT = {"PRelu", "Clip", "Resize", "Pad", "LayerNormalization", "RMSNormalization"}
NEAR = 5e-4  # of the largest value: some results are written with four digits
# ONNX's own result has a last pixel that is not aligned: ONNX Runtime and its specification differ.
UNALIGNED = {f"test_resize_downsample_scales_{m}_align_corners" for m in ("linear", "cubic")}
PER_CHANNEL = {"test_convinteger_with_padding"}  # zero points that ONNX Runtime does not run

Vector = collections.namedtuple("Vector", "name model inputs outputs")


def from_package():
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in collect_testcases(None):
            if case.model is not None and case.data_sets:
                inputs, outputs = case.data_sets[0]
                yield Vector(case.name, case.model, arrays(inputs), arrays(outputs))


def arrays(values):
    """Scalars as arrays, too; sequences and what else there is as it is."""
    return [np.asarray(v) if isinstance(v, np.generic) else v for v in values]


def tensors(folder, what):
    files = sorted(folder.glob(f"{what}_*.pb"), key=lambda p: int(p.stem.split("_")[1]))
    return [numpy_helper.to_array(onnx.load_tensor(str(path))) for path in files]


def from_folder():
    for path in sorted(pathlib.Path(FOLDER).glob("test_*/model.onnx")):
        model = onnx.load(str(path))
        if len(model.graph.node) == 1 and wanted(model.graph.node[0]):
            data = path.parent / "test_data_set_0"
            yield Vector(path.parent.name, model, tensors(data, "input"), tensors(data, "output"))


def wanted(node):
    return node.op_type in QUANTIZED or node.op_type in WRAPPED.split()


def plain(vector):
    """Whether it has one node that matters here, and the element types that the plugin knows."""
    nodes, arrays = vector.model.graph.node, [*vector.inputs, *vector.outputs]
    return (
        len(nodes) == 1
        and wanted(nodes[0])
        and vector.name not in UNALIGNED | PER_CHANNEL
        and all(isinstance(a, np.ndarray) for a in arrays)
        and all(a.dtype in (np.float32, np.uint8, np.int8, np.int32, np.int64) for a in arrays)
    )


@functools.cache
def vectors():
    """All of both sources, by name; the newer one counts."""
    found = {v.name: v for v in from_folder()}
    found |= {v.name: v for v in from_package()}
    return [v for v in found.values() if plain(v)]


def feeds_of(vector):
    return dict(zip((i.name for i in vector.model.graph.input), vector.inputs))


def constant_weights(vector):
    """The vector with its quantization parameters and weights as constants."""
    model = onnx.ModelProto()
    model.CopyFrom(vector.model)
    for value, array in list(zip(model.graph.input, vector.inputs))[1:]:
        model.graph.initializer.append(numpy_helper.from_array(array, value.name))
    del model.graph.input[1:]
    return model


def possible_opset(model):
    """An opset in which the operator is the same and this ONNX Runtime quantizes."""
    opset, op = meaning.opset_of(model), model.graph.node[0].op_type
    possible = min(max(opset, 10), engine.newest_opset())
    versions = {onnx.defs.get_schema(op, o).since_version for o in (opset, possible)}
    if len(versions) > 1:
        raise NotImplementedError(f"{op} of opset {opset}")
    return possible


def wrapped(vector):
    """The operator between DQ and Q, as a model that judge.judge can judge, and its inputs."""
    node, opset = vector.model.graph.node[0], possible_opset(vector.model)
    b = builder.Builder(np.random.default_rng(5), opset)
    given, names = feeds_of(vector), []
    if given[node.input[0]].dtype != np.float32:
        raise NotImplementedError("integers between DQ and Q")
    for i, name in enumerate(node.input):
        array = given.get(name)
        if array is None:
            names.append("")
        elif array.dtype != np.float32 or array.size == 0 or (i and node.op_type in CONSTANT):
            names.append(b.const(array))
        elif i and node.op_type in WEIGHTED:
            names.append(b.const(array) if i == 2 else b.dq(b.q(b.const(array), np.int8)))
        else:
            b.feed(f"x{i}", array)
            names.append(b.dq(b.q(f"x{i}")))
    attrs = meaning.attributes(node)
    made = b.node(node.op_type, names, len(node.output), **attrs)
    codes = [b.q(y).name for y in ([made] if isinstance(made, str) else made)]
    inner = [n.output[0] for n in b.nodes if n.op_type == "QuantizeLinear"]
    known = {o for n in b.nodes[: len(b.nodes)] for o in n.output if n.input[0] not in b.feeds}
    shown = [name for name in inner if name not in known or name in codes]
    return b.model(shown), b.feeds


def complaints_of(vector, run):
    """What is wrong with an operator's results in the engine `run` makes sessions of."""
    if vector.model.graph.node[0].op_type in QUANTIZED:
        if meaning.opset_of(vector.model) > engine.newest_opset():
            raise NotImplementedError("newer than this ONNX Runtime")
        model, feeds = constant_weights(vector), dict(list(feeds_of(vector).items())[:1])
    else:
        model, feeds = wrapped(vector)
    results = judge.run(run(model.SerializeToString()), feeds)
    return judge.judge(model, feeds, results)


class Nodes(unittest.TestCase):
    def test_the_meaning_has_onnx_s_results(self):
        known = 0
        for vector in vectors():
            try:
                values = meaning.evaluate(vector.model, feeds_of(vector))
            except NotImplementedError:
                continue
            known += 1
            for output, expected in zip(vector.model.graph.output, vector.outputs):
                exact = values.before_rounding.get(output.name, values.of[output.name])
                with self.subTest(vector.name):
                    wrong = judge.complaint(output.name, expected, exact, NEAR)
                    self.assertFalse(wrong, wrong)
        self.assertGreater(known, 150)

    def run_all(self, run):
        count = 0
        for vector in vectors():
            with self.subTest(vector.name):
                try:
                    wrong = complaints_of(vector, run)
                except NotImplementedError:
                    continue
                self.assertFalse(wrong, wrong)
                count += 1
        return count

    def test_onnx_runtime_has_the_meaning(self):
        self.assertGreater(self.run_all(engine.stock), 150)

    @unittest.skipIf(engine.why_absent(), engine.why_absent())
    def test_the_plugin_has_the_meaning(self):
        self.assertGreater(self.run_all(lambda m: engine.plugin(m, islands="all")), 150)


if __name__ == "__main__":
    sys.exit(front.main(__name__))
