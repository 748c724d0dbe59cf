# SPDX-License-Identifier: Apache-2.0
"""Searches and evaluates the real networks. The search sees the calibration protocol alone; the
evaluation protocol, a separate argument, is opened when it has ended. Prints a table, writes it as
CSV; exit 1 where a gain falls short."""

import argparse
import csv
import pathlib
import sys
import time

import numpy as np
import quernel.onnx
import quernel.ort
from quernel import calibrate

from demo import onnx_graph

from .zoo import CASES, Protocol

HERE = pathlib.Path(__file__).resolve().parent / "protocol"
INT8_SHARE = 0.95
SECONDS = 600  # that a search may take


def say(text):
    print(text, file=sys.stderr, flush=True)


def quantized(source, inputs, out, **options):
    """(a call that runs the int8 network, Report). source: an ONNX file, or a model."""
    if hasattr(source, "SerializeToString"):
        (out.parent / "float.onnx").write_bytes(source.SerializeToString())
        source = out.parent / "float.onnx"
    report = quernel.onnx.quantize(source, inputs, out, **options)
    session = quernel.ort.session(out)
    return lambda x: onnx_graph.run(session, x), report


def search(name, calibration, out):
    """(float network, plain int8, searched int8, Report of the searched one)."""
    case, start = CASES[name], time.monotonic()
    source, inputs = case.read(), (case.shown or case.inputs)(calibration)
    folder = out / name.replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)
    plain, _ = quantized(source, inputs, folder / "plain.onnx", policies=("plain",))
    searched, report = quantized(source, inputs, folder / "searched.onnx", seconds=SECONDS)
    say(f"{name}: searched in {time.monotonic() - start:.0f} s: {report.policy}")
    (folder / "report.txt").write_text(f"{report}\n", encoding="utf-8")
    for line in report.notes:
        say(line)
    session = onnx_graph.session(source)
    return lambda x: onnx_graph.run(session, x), plain, searched, report


def evaluate(case, evaluation, contenders):
    """(SQNR of each contender but the first, the float network, on each input, dB: [contender,
    input]; what each gets right in the network's task, %: or nothing)."""
    inputs = case.inputs(evaluation)
    made = [[net(x) for x in inputs] for net in contenders]
    found = np.array(
        [[calibrate.sqnr(*pair) for pair in zip(made[0], outputs)] for outputs in made[1:]]
    )
    return found, [
        f"{100 * case.task(evaluation, outputs):.1f}" for outputs in made
    ] if case.task else []


def run(name, calibration, evaluation_path, out):
    """Searches one network, then evaluates it; its row of the table."""
    exact, plain, searched, report = search(name, calibration, out)
    case, evaluation = CASES[name], Protocol.read(evaluation_path)
    found, right = evaluate(case, evaluation, (exact, plain, searched))
    mean, gains = found.mean(axis=1), found[1] - found[0]
    share = report.int8_share
    enough = share >= INT8_SHARE and (case.gain is None or gains.mean() >= case.gain)
    return {
        "network": name,
        "inputs": found.shape[1],
        "plain dB": f"{mean[0]:.2f}",
        "searched dB": f"{mean[1]:.2f}",
        "gain dB": f"{gains.mean():+.2f}",
        "least": f"{gains.min():+.2f}",
        "greatest": f"{gains.max():+.2f}",
        "asked dB": "" if case.gain is None else f"{case.gain:+.1f}",
        "right %: float, plain, searched": ", ".join(right),
        "kept": report.policy,
        "int8 % of MAC": f"{100 * share:.1f}",
        "enough": "yes" if enough else "NO",
    }


def table(rows):
    """Rows as Markdown."""
    heads = list(rows[0])
    return "\n".join(
        [
            "| " + " | ".join(heads) + " |",
            "|---" * len(heads) + "|",
            *("| " + " | ".join(str(row[head]) for head in heads) + " |" for row in rows),
        ]
    )


def write(path, rows):
    """Rows as CSV."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def run_all(names, calibration_path, evaluation_path, out):
    """Searches and evaluates; prints the table. Whether something falls short."""
    out.mkdir(parents=True, exist_ok=True)
    calibration = Protocol.read(calibration_path)
    protocol = Protocol.read(evaluation_path)
    unfed = [name for name in names if not getattr(protocol, CASES[name].fed_by)]
    if unfed:
        say(f"not evaluated, nothing in {evaluation_path} is for them: {', '.join(unfed)}")
    rows = [run(name, calibration, evaluation_path, out) for name in names if name not in unfed]
    print(f"\n## networks\n\n{table(rows)}\n\n{write(out / 'networks.csv', rows)}")
    return any(row["enough"] != "yes" for row in rows)


def main():
    parser = argparse.ArgumentParser(prog="python -m seed.networks", description=__doc__)
    parser.add_argument("--only", default=",".join(CASES), help="names, with commas between them")
    parser.add_argument("--calibration", type=pathlib.Path, default=HERE / "calibration.json")
    parser.add_argument("--evaluation", type=pathlib.Path, default=HERE / "evaluation.json")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("build/seed"))
    options = parser.parse_args()
    return int(
        run_all(options.only.split(","), options.calibration, options.evaluation, options.out)
    )


if __name__ == "__main__":
    sys.exit(main())
