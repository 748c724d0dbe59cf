# SPDX-License-Identifier: Apache-2.0
"""The seed's experiment: which part of a quantized convolution helps, on example inputs, with
channel outliers, inside a detector that is trained here, and in the detector's own result. Tables
(Markdown, CSV) and plots (SVG, PNG) go into a folder; with --networks the real networks follow."""

import argparse
import pathlib
import sys

import torch

from . import bev, experiment, networks, plots

HERE = pathlib.Path(__file__).resolve().parent / "protocol"
SEED_ALL = "seed's layer: everything"
HEAD = 2.0  # relative L1 that a layer of the head may have, the backbone's median being 1
GAIN_DB = 2.5  # asked of the detector: the searched setting over plain u8, logits on unseen scenes


def _value(rows, key, name, wanted):
    return next(row[wanted] for row in rows if row[key] == name)


def answers(found):
    """The seed's open questions, with this run's numbers."""

    def ratio(layer, data="example inputs"):
        return next(
            row["ratio"] for row in found["parts"] if (row["layer"], row["input"]) == (layer, data)
        )

    best = {
        name: min(
            (row for row in found["sweep"] if row["input"] == name),
            key=lambda row: float(row["relative L1"]),
        )["alpha"]
        for name in dict.fromkeys(row["input"] for row in found["sweep"])
    }
    lines = [row["relative L1"] for row in found["sweep"] if row["input"] == "example inputs"]
    scaled = [
        row["relative L1"] for row in found["sweep"] if row["input"].startswith("example inputs x")
    ]
    apart = max(abs(float(a) / float(b) - 1) for a, b in zip(lines, scaled))
    f1 = {row["replaced"]: row["F1 %"] for row in found["task"]}
    nan = [row["layer"] for row in found["inside"] if float(row["seed: NaN %"]) > 0]
    unsigned, all_three = ratio("Quernel: unsigned"), ratio("Quernel: channel, unsigned, per row")
    column, channel = (
        ratio("Quernel: column smoothing, signed"),
        ratio("Quernel: channel smoothing, signed"),
    )
    loud = ratio("Quernel: channel smoothing, unsigned", "channel outliers")
    return "\n".join(
        [
            f"- Which part helps (L1, the int8 convolution = 1): unsigned {unsigned}, per row "
            f"{ratio('Quernel: per row')}, smoothing per column {column}, "
            f"per channel {channel}, unsigned and per channel "
            f"{ratio('Quernel: channel smoothing, unsigned')}, all three {all_three}.",
            f"- With channel outliers smoothing is what helps: unsigned and per channel {loud}, "
            f"unsigned alone {ratio('Quernel: unsigned', 'channel outliers')}.",
            f"- im2col + GEMM in int8 has {ratio('seed: + int8')} of the int8 convolution's "
            "error: the transformation changes nothing. What seemed",
            "  to help was another quantizer: unsigned codes behind a ReLU alone give "
            f"{unsigned}, with channel outliers {ratio('Quernel: unsigned', 'channel outliers')}.",
            "- Best alpha: " + ", ".join(f"{name} {alpha}" for name, alpha in best.items()) + ".",
            f"- Inputs times {experiment.SCALE:g} give the same curve (apart by {100 * apart:.2f} "
            "%): a scale that is found from the data grows with",
            "  them, so nothing is tested. Channel outliers test smoothing.",
            f"- F1: float {f1['float']} %, only backbone_2d replaced {f1['Quernel: backbone_2d']} "
            "%, all but the last layer "
            f"{f1['Quernel: all but the last layer']} %, everything {f1['Quernel: everything']} "
            f"%; the seed's layer everywhere {f1[SEED_ALL]} %.",
            f"- NaN in the seed's layer: {', '.join(nan) or 'none'}. A channel that is silent, or "
            "has no weights, makes 0/0 of its factor; floors for both",
            "  keep it finite. What else was wrong in the head is the bias that the layer drops "
            '(column "without bias").',
        ]
    )


def main():
    parser = argparse.ArgumentParser(prog="./dev seed", description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("build/seed"))
    parser.add_argument("--networks", action="store_true", help="the real networks as well (slow)")
    parser.add_argument("--calibration", type=pathlib.Path, default=HERE / "calibration.json")
    parser.add_argument("--evaluation", type=pathlib.Path, default=HERE / "evaluation.json")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    torch.set_num_threads(1)
    networks.say("the detector: from its file, or trained now (a minute) …")
    model = bev.cached(options.out / "bev.pt", networks.say)
    scenes = networks.Protocol.read(options.calibration).scenes
    found = {
        "parts": experiment.parts(),
        "sweep": experiment.sweep(model),
        "inside": experiment.inside(model),
    }
    networks.say("the task …")
    found["task"] = experiment.task(
        model, scenes, networks.Protocol.read(options.evaluation).scenes
    )
    text = answers(found)
    for name, rows in found.items():
        networks.write(options.out / f"{name}.csv", rows)
        print(f"\n## {name}\n\n{networks.table(rows)}")
    drawn = [
        plots.bars(found["parts"], options.out / "parts"),
        plots.curves(found["sweep"], options.out / "sweep"),
        plots.layers(found["inside"], options.out / "inside"),
        plots.task(found["task"], options.out / "task"),
    ]
    searched, plain = (
        float(_value(found["task"], "replaced", f"Quernel{kind}: everything", "logits SQNR dB"))
        for kind in ("", " plain u8")
    )
    gain = searched - plain
    head = experiment.head_ratio(found["inside"])
    print(
        f"\n{text}\n- The head: largest relative L1 {head:.2f} times the backbone's median (at "
        f"most {HEAD:g}; nan: it has NaN). "
        f"Searched over plain u8: {gain:+.1f} dB (asked {GAIN_DB:+.1f})."
    )
    (options.out / "answers.md").write_text(text + "\n", encoding="utf-8")
    failed = not head <= HEAD or gain < GAIN_DB
    if options.networks:
        failed |= networks.run_all(
            list(networks.CASES), options.calibration, options.evaluation, options.out
        )
    print("\nfiles: " + ", ".join(map(str, [*drawn, options.out / "answers.md"])))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
