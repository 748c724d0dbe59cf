# SPDX-License-Identifier: Apache-2.0
"""Quantizes ONNX files into ONNX files that any engine runs."""

from .quantize import quantize
from .reader import OnnxError, from_model, read
from .report import Report

__all__ = ["OnnxError", "Report", "from_model", "quantize", "read"]
