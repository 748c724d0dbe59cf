# SPDX-License-Identifier: Apache-2.0
"""The rule on measured tables: bench/measure makes them, and knows whether they are up to date."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from bench import mca, rows
from bench.measure import machine, tables

__all__ = ["machine", "mca", "rows", "tables"]
RULES = [tables.check]
