# SPDX-License-Identifier: Apache-2.0
"""The parts of the seed's experiment. Each returns rows of a table."""

import copy

import numpy as np
import quernel.torch as qt
import torch
from quernel import calibrate
from quernel import operators as ops
from torch import nn

from demo import draw

from . import bev
from .layers import PARTS, QuantizedConv2d, SeedConv2d, quernel_conv, relative_l1

CHANNELS, SIZE, OUTLIERS, LOUDER = 64, 40, 4, 40.0
ALPHAS = np.linspace(0, 1, 11)
SCALE = 50.0


def inputs(seed=5):
    """Example inputs behind a ReLU: even channels, and with a few channels that are LOUDER times as
    loud."""
    rng = np.random.default_rng(seed)
    x = np.maximum(rng.normal(size=(2, CHANNELS, SIZE, SIZE)), 0).astype(np.float32)
    loud = x.copy()
    loud[:, rng.permutation(CHANNELS)[:OUTLIERS]] *= np.float32(LOUDER)
    return {"example inputs": x, "channel outliers": loud}


def drawn_conv(seed=6):
    conv = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, bias=False)
    conv.weight.data = torch.from_numpy(
        draw.weights(np.random.default_rng(seed), CHANNELS, CHANNELS, (3, 3))
    )
    return conv


def _float(conv, x):
    with torch.no_grad():
        return conv(torch.from_numpy(x)).numpy()


def parts():
    """Relative L1 of the seed's layers and of Quernel with each part by itself; the ratio to the
    plain int8 convolution."""
    conv, rows = drawn_conv(), []
    contenders = {
        "int8 convolution": QuantizedConv2d(conv),
        "seed: im2col + GEMM, float": SeedConv2d(conv, False, False),
        "seed: + int8": SeedConv2d(conv, True, False),
        "seed: + SmoothQuant": SeedConv2d(conv),
    }
    for data, x in inputs().items():
        reference = _float(conv, x)
        with torch.no_grad():
            found = {name: net(torch.from_numpy(x)).numpy() for name, net in contenders.items()}
        found |= {f"Quernel: {name}": quernel_conv(conv, x, *part) for name, *part in PARTS}
        plain = relative_l1(reference, found["int8 convolution"])
        rows += [
            {
                "input": data,
                "layer": name,
                "relative L1": f"{relative_l1(reference, y):.6f}",
                "ratio": f"{relative_l1(reference, y) / plain:.3f}",
            }
            for name, y in found.items()
        ]
    return rows


def sweep(model):
    """Relative L1 for each alpha: with and without outliers, with everything times SCALE, and in
    the trained detector."""
    conv = drawn_conv()
    data = {name: (conv, x) for name, x in inputs().items()}
    data[f"example inputs x {SCALE:g}"] = conv, data["example inputs"][1] * np.float32(SCALE)
    data |= {
        name: pair
        for name, pair in layer_inputs(model).items()
        if name in ("backbone_2d.blocks.1.1", "dense_head.shared.0")
    }
    rows = []
    for name, (module, x) in data.items():
        reference = _float(module, x)
        for alpha in ALPHAS:
            y = quernel_conv(module, x, ops.U8, ops.DYNAMIC_CALL, "channel", alpha)
            rows.append(
                {
                    "input": name,
                    "alpha": f"{alpha:.1f}",
                    "relative L1": f"{relative_l1(reference, y):.6f}",
                }
            )
    return rows


def layer_inputs(model, seeds=range(700, 704)):
    """Name → (convolution, what it reads) of a detector on a few scenes."""
    found, x = {}, bev.batch(seeds)[0]
    convs = {
        name: module for name, module in model.named_modules() if isinstance(module, nn.Conv2d)
    }

    def see(name):
        return lambda module, arguments: found.update({name: (module, arguments[0].numpy())})

    hooks = [module.register_forward_pre_hook(see(name)) for name, module in convs.items()]
    with torch.no_grad():
        model(x)
    for hook in hooks:
        hook.remove()
    return found


def inside(model):
    """Each convolution of the detector on what it really reads: the seed's layer and Quernel's,
    channel by channel smoothed, unsigned; the seed's NaN counted."""
    rows = []
    for name, (conv, x) in layer_inputs(model).items():
        reference = _float(conv, x)
        with torch.no_grad():
            seed = SeedConv2d(conv)(torch.from_numpy(x)).numpy()
        made = quernel_conv(conv, x, ops.U8, ops.DYNAMIC_CALL, "channel")
        bias = 0 if conv.bias is None else conv.bias.detach().numpy().reshape(-1, 1, 1)
        rows.append(
            {
                "layer": name,
                "silent inputs": int((np.abs(x).max(axis=(0, 2, 3)) == 0).sum()),
                "without bias": f"{relative_l1(reference, reference - bias):.4f}",
                "seed: NaN %": f"{100 * np.isnan(seed).mean():.0f}",
                "seed: relative L1": f"{relative_l1(reference, seed):.4f}",
                "Quernel: NaN %": f"{100 * np.isnan(made).mean():.0f}",
                "Quernel: relative L1": f"{relative_l1(reference, made):.4f}",
            }
        )
    return rows


def head_ratio(rows):
    """The head's largest relative L1 over the backbone's median; NaN where any of the head's
    outputs is."""
    error = {row["layer"]: np.float64(row["Quernel: relative L1"]) for row in rows}
    backbone = np.median([value for name, value in error.items() if name.startswith("backbone_2d")])
    return float(
        np.max([value for name, value in error.items() if name.startswith("dense_head")]) / backbone
    )


def _with_seed(model, part):
    made = copy.deepcopy(model)
    for name, module in list(made.named_modules()):
        if isinstance(module, nn.Conv2d) and name.startswith(part):
            made.set_submodule(name, SeedConv2d(module))
    return made


def calibration(seeds):
    return [bev.batch([seed])[0] for seed in seeds]


def _quantized(model, seeds, **options):
    made = copy.deepcopy(model)
    return made, qt.quantize(made, calibration(seeds), **options)


def logits_sqnr(model, made, seeds):
    x = bev.batch(seeds)[0]
    with torch.no_grad():
        return calibrate.sqnr([model(x).numpy()], [np.nan_to_num(made(x).numpy())])


def task(model, seeds, test):
    """F1 and the SQNR of the logits with parts of the detector replaced: by the seed's layer, and
    by Quernel."""
    plain = {"policies": ("plain",)}
    made = {
        "float": model,
        "seed's layer: backbone_2d": _with_seed(model, "backbone_2d"),
        "seed's layer: everything": _with_seed(model, ""),
        "Quernel plain u8: everything": _quantized(model, seeds, **plain)[0],
        "Quernel: backbone_2d": _quantized(model, seeds, include="backbone_2d")[0],
        "Quernel: all but the last layer": _quantized(model, seeds, exclude="dense_head.heat")[0],
        "Quernel: everything": _quantized(model, seeds)[0],
    }
    rows = []
    for name, net in made.items():
        with torch.no_grad():
            nan = float(torch.isnan(net(bev.batch(test[:4])[0])).float().mean())
        rows.append(
            {
                "replaced": name,
                "F1 %": f"{bev.f1(net, test):.1f}",
                "NaN %": f"{100 * nan:.0f}",
                "logits SQNR dB": "" if net is model else f"{logits_sqnr(model, net, test):.1f}",
            }
        )
    return rows
