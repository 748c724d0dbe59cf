# SPDX-License-Identifier: Apache-2.0
"""Builds ONNX models, and runs them by ONNX Runtime in float."""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 17, 8


class Graph:
    """An ONNX graph that is being built: each call adds a node and returns the name of what it
    makes, which is the node's own."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, array):
        """The name of a constant."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, op, name, *inputs, **attributes):
        """Inputs are names or, for constants, arrays."""
        names = [x if isinstance(x, str) else self.constant(x) for x in inputs]
        self.nodes.append(helper.make_node(op, names, [name], name=name, **attributes))
        return name

    def conv(self, name, x, weights, bias=None, *, up=False, **attributes):
        """A convolution, or (up) a transposed one."""
        numbers = [weights] if bias is None else [weights, bias]
        op = "ConvTranspose" if up else "Conv"
        return self.node(op, name, x, *numbers, kernel_shape=weights.shape[2:], **attributes)

    def model(self, name, inputs, outputs):
        """The checked model. inputs: name → shape; outputs: names → ranks."""

        def described(values):
            return [
                helper.make_tensor_value_info(value, TensorProto.FLOAT, shape)
                for value, shape in values.items()
            ]

        ranks = {value: [None] * rank for value, rank in outputs.items()}
        graph = helper.make_graph(
            self.nodes, name, described(inputs), described(ranks), self.constants
        )
        made = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
        )
        onnx.checker.check_model(made)
        return made


def session(model, threads=1):
    """A session of ONNX Runtime alone; model: a path or a ModelProto."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    given = model.SerializeToString() if hasattr(model, "SerializeToString") else str(model)
    return onnxruntime.InferenceSession(given, options, ["CPUExecutionProvider"])


def run(session, x):
    """The outputs of a session with one input."""
    return session.run(None, {session.get_inputs()[0].name: x})
