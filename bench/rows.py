# SPDX-License-Identifier: Apache-2.0
"""The rows of bench/shapes/*.csv: reading, names, kinds."""

import csv
import io
import pathlib

SHAPES = pathlib.Path(__file__).resolve().parent / "shapes"
MANY = 16  # input channels; a stem has fewer, and is of another kind
KINDS = ("3x3", "3x3, stride 2", "1x1", "depthwise", "deconvolution", "other", "product")


def rows_of(text):
    """Each by the header's names; one that has more fields or fewer is no row."""
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    rows = []
    for row in reader:
        if None in row or None in row.values():
            raise ValueError(
                f"line {reader.line_num}: must have {len(reader.fieldnames or ())} fields"
            )
        rows.append(row)
    return rows


def read_rows(path):
    return rows_of(pathlib.Path(path).read_text(encoding="utf-8"))


def name_of(given):
    """Of a row, or of a result that holds its columns."""
    if "kind" in given:
        return f"{given['kind']} {given['m']}x{given['n']}x{given['k']}"
    if "layers" in given:
        return f"{given['model']} {given['layer']}"
    return (
        f"{given['model']} {given['layer']} {given['c_in']}:{given['c_out']} "
        f"{given['h']}x{given['w']} "
        f"k{given['kernel']} s{given['stride']}"
    )


def kind_of(row):
    """One of KINDS."""
    if "kind" in row:
        return "product"
    if row["op"] != "conv":
        return {"deconv": "deconvolution"}.get(row["op"], row["op"])
    if (row["groups"], row["dilation"]) != ("1", "1") or int(row["c_in"]) < MANY:
        return "other"
    window = f"{row['kernel']}x{row['kernel']}"
    kind = (
        f"{window}, stride {row['stride']}" if (window, row["stride"]) == ("3x3", "2") else window
    )
    return kind if kind in KINDS else "other"
