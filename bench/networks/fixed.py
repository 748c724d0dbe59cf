# SPDX-License-Identifier: Apache-2.0
"""A model as all engines and quantizers take it: inputs of one shape, weights that are
initializers, an opset whose QuantizeLinear knows channels."""

import onnx
from onnx import helper, version_converter

OPSET = 13


def _initializers(graph):
    """Constant nodes become initializers."""
    kept = []
    for node in graph.node:
        value = node.attribute[0] if node.op_type == "Constant" else None
        if value is None or value.name != "value":
            kept.append(node)
            continue
        tensor = graph.initializer.add()
        tensor.CopyFrom(value.t)
        tensor.name = node.output[0]
    del graph.node[:]
    graph.node.extend(kept)


def _shaped(graph, shapes):
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [one for one in graph.input if one.name not in constants]
    del graph.input[:]
    for one in inputs:
        shape = shapes.get(one.name)
        kind = one.type.tensor_type.elem_type
        graph.input.append(helper.make_tensor_value_info(one.name, kind, shape) if shape else one)
    for one in graph.output:  # the old sizes may be wrong now
        one.type.tensor_type.ClearField("shape")
    del graph.value_info[:]


def fix(model, shapes):
    """shapes: of inputs by name."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    _initializers(made.graph)
    _shaped(made.graph, shapes)
    if next(one.version for one in made.opset_import if one.domain in ("", "ai.onnx")) < OPSET:
        made = version_converter.convert_version(made, OPSET)
    for at, node in enumerate(made.graph.node):  # reports and quantizers go by names
        node.name = node.name or f"{node.op_type}_{at}"
    return onnx.shape_inference.infer_shapes(made, data_prop=True)
