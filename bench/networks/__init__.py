# SPDX-License-Identifier: Apache-2.0
"""Whole networks beside other engines: `./dev bench --networks` (README.md)."""
