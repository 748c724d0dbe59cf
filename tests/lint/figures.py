# SPDX-License-Identifier: Apache-2.0
"""The rule on measured tables and rows that are built in: bench/measure makes them, and knows
whether they are up to date."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from bench import mca, rows
from bench.measure import builtin, tables

__all__ = ["builtin", "mca", "rows", "tables"]
RULES = [tables.check]


def refresh():
    """After kernels have changed: drops their rows and marks their figures."""
    for line in builtin.drop_dead(tables.ROOT, tables.recorded_krevs(tables.texts()[tables.KREVS])):
        print(line)
    tables.write()
