# SPDX-License-Identifier: Apache-2.0
"""Lists the convolutions of a model as CSV, for `quernel tune --layers` and `quernel bench`.

example:
  python -m quernel shapes model.onnx > layers.csv && quernel tune --layers layers.csv
  python -m quernel shapes model.onnx --gemm > gemm.csv      the products: quernel tune --gemm
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import io
import pathlib
import sys
from collections.abc import Iterable
from typing import Any

from ..model_inputs import Unknown
from ..model_layers import Layer, layers, load
from .options import add, existing, say

LAYERS = (
    "model layer op c_in h w c_out kernel stride pad repeat activation groups dilation "
    "gemm_m gemm_n gemm_k mmac_each batch kernel_w stride_w pad_w out_pad"
).split()
GEMM = "kind m n k layer repeat".split()
MODEL_MOST, NODE_MOST = 47, 111  # bytes of a name that the lists take


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="an ONNX file, quantized or not")
    parser.add_argument("--gemm", action="store_true", help="the products (kind, m, n, k) instead")
    add(parser, "--shape")


def run(options: argparse.Namespace) -> None:
    model = load(existing(options.model, "model"))
    name = pathlib.Path(options.model).stem
    rows, other, left = [], 0, 0
    for layer in layers(model, dict(options.shape)):
        if ("Conv" in layer.op) == options.gemm:
            other += 1
            continue
        try:
            rows.append(product(layer) if options.gemm else convolution(name, layer))
        except Unknown as problem:
            left += 1
            say(f"left out: {layer.node} ({layer.op}): {problem}")
    if other:
        what = "convolutions: without" if options.gemm else "products: with"
        say(f"{other} {what} --gemm")
    sys.stdout.write(table(merged(rows), GEMM if options.gemm else LAYERS))


def merged(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Equal rows once, with their number; the first one's name."""
    found: dict[tuple, dict[str, Any]] = {}
    for row in rows:
        key = tuple(value for name, value in row.items() if name != "layer")
        found.setdefault(key, {**row, "repeat": 0})["repeat"] += 1
    return list(found.values())


def table(rows: Iterable[dict[str, Any]], columns: list[str]) -> str:
    held = io.StringIO()
    writer = csv.DictWriter(held, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return held.getvalue()


def _word(text: str, most: int) -> str:
    """A name that is one field of a list, which takes `most` bytes: ends tell names apart."""
    known = "".join(c if c.isascii() and c.isprintable() and c not in ',"' else "_" for c in text)
    return known[-most:]


def product(layer: Layer) -> dict[str, Any]:
    if len(layer.x) < 2 or len(layer.w) != 2:
        raise Unknown("weights of more than two dimensions are no layer")
    n, m = layer.y[-1], 1
    for size in layer.y[:-1]:
        m *= size
    return {"kind": "onnx", "m": m, "n": n, "k": layer.k, "layer": _word(layer.node, NODE_MOST)}


@dataclasses.dataclass(frozen=True)
class _Axis:
    """One axis of a window; the lists know the same padding on both sides alone."""

    size: int
    made: int
    kernel: int
    stride: int
    dilation: int
    before: int
    after: int
    out_pad: int
    deconv: bool

    def gives(self, pad: int) -> bool:
        window = self.dilation * (self.kernel - 1) + 1
        if self.deconv:
            return (self.size - 1) * self.stride + window + self.out_pad - 2 * pad == self.made
        room = self.size + 2 * pad - window
        return room >= 0 and room // self.stride + 1 == self.made

    @property
    def pad(self) -> int:
        """The file's padding, or the least that gives as many outputs."""
        if self.before == self.after and self.gives(self.before):
            return self.before
        least = next((pad for pad in range(self.kernel * self.dilation) if self.gives(pad)), None)
        if least is None:
            raise Unknown("padding: the lists have no such one")
        return least


def _axes(layer: Layer) -> list[_Axis]:
    a, deconv = layer.attributes, layer.op == "ConvTranspose"
    pads = a.get("pads") or (-1, -1, -2, -2)  # auto_pad: unequal, so that sizes decide
    return [
        _Axis(
            layer.x[2 + i],
            layer.y[2 + i],
            layer.w[2 + i],
            a.get("strides", (1, 1))[i],
            a.get("dilations", (1, 1))[i],
            pads[i],
            pads[2 + i],
            a.get("output_padding", (0, 0))[i],
            deconv,
        )
        for i in (0, 1)
    ]


def convolution(model: str, layer: Layer) -> dict[str, Any]:
    """A row of the list of layers."""
    if len(layer.w) != 4:
        raise Unknown(f"{len(layer.w) - 2} dimensions of pixels: the lists have 2")
    y, x = _axes(layer)
    if y.dilation != x.dilation or y.out_pad != x.out_pad:
        raise Unknown("dilation or output_padding that differs between axes")
    groups, deconv = layer.attributes.get("group", 1), layer.op == "ConvTranspose"
    c_in, c_out, taps = layer.x[1], layer.y[1], y.kernel * x.kernel
    whole = groups == c_in == c_out and not deconv
    return {
        "model": _word(model, MODEL_MOST),
        "layer": _word(layer.node, NODE_MOST),
        "op": "deconv" if deconv else "depthwise" if whole and groups > 1 else "conv",
        "c_in": c_in,
        "h": y.size,
        "w": x.size,
        "c_out": c_out,
        "kernel": y.kernel,
        "stride": y.stride,
        "pad": y.pad,
        "activation": layer.activation,
        "groups": groups,
        "dilation": y.dilation,
        "gemm_m": layer.x[0] * (y.size * x.size if deconv else y.made * x.made),
        "gemm_n": c_out // groups * (taps if deconv else 1),
        "gemm_k": c_in // groups * (1 if deconv else taps),
        "mmac_each": f"{layer.macs / 1e6:.1f}",
        "batch": layer.x[0],
        "kernel_w": x.kernel,
        "stride_w": x.stride,
        "pad_w": x.pad,
        "out_pad": y.out_pad,
    }
