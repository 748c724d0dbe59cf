# SPDX-License-Identifier: Apache-2.0
"""The experiment's rows as pictures, SVG and PNG."""

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

INK, QUIET, STRONG = "#222222", "#9db4c8", "#1f5a8a"


def save(figure, path):
    figure.tight_layout()
    for ending in (".svg", ".png"):
        figure.savefig(path.with_suffix(ending), dpi=110)
    plt.close(figure)
    return path.with_suffix(".svg")


def bars(rows, path):
    """Which part helps: the ratio to the plain int8 convolution, one panel per input."""
    names = list(dict.fromkeys(row["input"] for row in rows))
    figure, panels = plt.subplots(1, len(names), figsize=(5.6 * len(names), 4.6), sharey=True)
    for panel, name in zip(panels, names):
        found = [row for row in rows if row["input"] == name][::-1]
        values = [float(row["ratio"]) for row in found]
        panel.barh(
            [row["layer"] for row in found],
            values,
            color=[STRONG if row["layer"].startswith("Quernel") else QUIET for row in found],
        )
        for index, value in enumerate(values):
            panel.text(value, index, f" {value:.2f}", va="center", color=INK, fontsize=8)
        panel.set_title(name)
        panel.set_xlabel("L1 against float, int8 convolution = 1")
        panel.set_xlim(0, max(values) * 1.15)
    return save(figure, path)


def curves(rows, path):
    """Relative L1 over alpha, one line per input."""
    figure, panel = plt.subplots(figsize=(7.2, 4.6))
    names = list(dict.fromkeys(row["input"] for row in rows))
    for index, name in enumerate(names):
        found = [row for row in rows if row["input"] == name]
        panel.plot(
            [float(row["alpha"]) for row in found],
            [float(row["relative L1"]) for row in found],
            "--" if " x " in name else "-",
            lw=5 - 1.2 * min(index, 3),
            alpha=0.8,
            label=name,
        )
    panel.set_xlabel("alpha (0: all in the weights, 1: all in the activations)")
    panel.set_ylabel("relative L1 against float")
    panel.set_yscale("log")
    panel.legend()
    return save(figure, path)


def layers(rows, path):
    """Each layer of the detector: the seed's and Quernel's relative L1; where the seed's is NaN it
    says so."""
    figure, panel = plt.subplots(figsize=(8.4, 4.2))
    for shift, key, colour in (
        (-0.2, "seed: relative L1", QUIET),
        (0.2, "Quernel: relative L1", STRONG),
    ):
        values = [float(row[key]) for row in rows]
        panel.bar(
            [i + shift for i in range(len(rows))],
            [0 if v != v else v for v in values],
            0.4,
            color=colour,
            label=key.split(":")[0],
        )
        for index, value in enumerate(values):
            if value != value:
                panel.text(
                    index + shift, 0, "NaN", rotation=90, ha="center", va="bottom", color="#b03030"
                )
    panel.set_xticks(
        range(len(rows)), [row["layer"] for row in rows], rotation=30, ha="right", fontsize=8
    )
    panel.set_ylabel("relative L1 against float")
    panel.legend()
    return save(figure, path)


def task(rows, path):
    """F1 of the detector with parts replaced."""
    figure, panel = plt.subplots(figsize=(7.2, 3.4))
    found = rows[::-1]
    panel.barh(
        [row["replaced"] for row in found],
        [float(row["F1 %"]) for row in found],
        color=[QUIET if "Quernel" not in row["replaced"] else STRONG for row in found],
    )
    for index, row in enumerate(found):
        panel.text(float(row["F1 %"]), index, f" {row['F1 %']}", va="center", color=INK, fontsize=8)
    panel.set_xlabel("F1, %")
    panel.set_xlim(0, 112)
    return save(figure, path)
