# SPDX-License-Identifier: Apache-2.0
"""Quantizes a float model to int8, by the error of its layers and of the whole on given inputs.

The file that is written is standard ONNX (QuantizeLinear, DequantizeLinear): any engine runs it.
Layers that cannot be int8 stay float and are listed with the reason. Give 8 to 64 inputs as the
model will see them.

examples:
  python -m quernel quantize float.onnx --data inputs.npz --out int8.onnx
  python -m quernel quantize float.onnx --data photographs --layout nchw \\
      --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 --out int8.onnx --json report.json
"""

from __future__ import annotations

import argparse
import os

from .. import ort
from . import data
from .errors import Failed
from .options import add, existing, seconds, writable, write_json
from .progress import Progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="the float ONNX file")
    parser.add_argument("--out", required=True, metavar="FILE", help="the int8 ONNX file")
    parser.add_argument(
        "--budget", type=seconds, metavar="60s", help="seconds that the search may take"
    )
    add(parser, "--threads", "--json", "--shape")
    data.add_data(parser, True)


def run(options: argparse.Namespace) -> None:
    existing(options.model, "model")
    writable(options.out, "--out")
    writable(options.json, "--json")
    if os.path.exists(options.out) and os.path.samefile(options.model, options.out):
        raise Failed(2, f"--out: {options.out}: is the model itself")
    batches = list(data.load(ort.stock(options.model).get_inputs(), options))
    from ..onnx import quantize

    given = {} if options.budget is None else {"seconds": options.budget}
    report = quantize(
        options.model, batches, options.out, threads=options.threads, progress=Progress(), **given
    )
    if options.json:
        write_json(options.json, {"schema": "quernel-quantize-1", **report.as_dict()})
    if options.json != "-":
        print(report)
        print(options.out)
