# SPDX-License-Identifier: Apache-2.0
"""Quernel beside other libraries (README.md)."""
