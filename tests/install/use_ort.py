# SPDX-License-Identifier: Apache-2.0
"""A user of the installed wheel `quernel` with ONNX Runtime: quantizes a small network into the
file that is named, and runs it with the plugin that the wheel carries."""

import sys

import numpy as np
import onnx
import onnxruntime
import quernel.onnx
from onnx import TensorProto, helper, numpy_helper
from quernel import ort

SIZE, CHANNELS = 24, 16
rng = np.random.default_rng(3)


def model():
    """Three convolutions with ReLU."""
    nodes, weights, value = [], [], "x"
    for at, inputs in enumerate((3, CHANNELS, CHANNELS)):
        w = rng.normal(size=(CHANNELS, inputs, 3, 3)) / np.sqrt(9 * inputs)
        weights.append(numpy_helper.from_array(w.astype(np.float32), f"w{at}"))
        nodes.append(
            helper.make_node("Conv", [value, f"w{at}"], [f"c{at}"], f"c{at}", pads=[1] * 4)
        )
        value = f"r{at}" if at < 2 else "y"
        nodes.append(helper.make_node("Relu", [f"c{at}"], [value], f"r{at}"))
    shaped = lambda name, c: helper.make_tensor_value_info(
        name, TensorProto.FLOAT, [1, c, SIZE, SIZE]
    )
    graph = helper.make_graph(nodes, "small", [shaped("x", 3)], [shaped("y", CHANNELS)], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


assert ".quernel.mesonpy.libs" in ort.get_library_path(), ort.get_library_path()
out = sys.argv[1]
onnx.save(model(), out + ".float")
batches = [rng.normal(size=(1, 3, SIZE, SIZE)).astype(np.float32) for _ in range(4)]
report = quernel.onnx.quantize(out + ".float", batches, out, policies=("plain",))
assert report.int8_share == 1, report
session = ort.session(out, islands="all")  # it is too small to gain anything
found = ort.coverage(session)
assert found.share == 1, found
wanted, made = (s.run(None, {"x": batches[0]})[0] for s in (ort.stock(out + ".float"), session))
noise = np.square(wanted - made).sum() / np.square(wanted).sum()
assert noise < 1e-2, noise
print(onnxruntime.__version__, found)
