# SPDX-License-Identifier: Apache-2.0
"""The C interface as ctypes sees it: the structures of include/quernel, the library, and errors as
exceptions."""

from __future__ import annotations

import ctypes as c
import functools
import numbers
import os
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

P = c.c_void_p
F32, BF16, S32, S8, U8 = range(5)
NHWC, NCHW = 0, 1


def whole(name: str, value: Any, kind: Any = c.c_int32) -> Any:
    """A whole number that the C type holds; ctypes would cut others without a word."""
    if isinstance(value, numbers.Integral) and kind(value).value != value:
        raise ValueError(f"{name}: {value}: does not fit its {c.sizeof(kind) * 8} bits")
    return value


class Structure(c.Structure):
    """One whose members take only the whole numbers that they can hold."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        kept = getattr(self, name)
        if isinstance(kept, int) and isinstance(value, numbers.Integral) and kept != value:
            raise ValueError(f"{name}: {value}: does not fit")


class Error(Structure):
    _fields_ = [
        ("code", c.c_int32),
        ("index", c.c_int32),
        ("argument", c.c_char * 32),
        ("text", c.c_char * 160),
    ]


class WeightsDesc(Structure):
    _fields_ = [
        ("size", c.c_uint32),
        ("kind", c.c_int32),
        ("type", c.c_int32),
        ("out", c.c_uint32),
        ("in_", c.c_uint32),
        ("kernel_h", c.c_uint32),
        ("kernel_w", c.c_uint32),
        ("groups", c.c_uint32),
        ("data", P),
        ("stride", c.c_int64),
        ("stride_in", c.c_int64),
        ("scale", P),
        ("zero", P),
        ("smooth_kind", c.c_int32),
        ("smooth", P),
        ("allocator", P),
        ("deconv_stride_h", c.c_uint32),
        ("deconv_stride_w", c.c_uint32),
    ]


class WeightsInfo(Structure):
    _fields_ = [
        ("size", c.c_uint32),
        ("kind", c.c_int32),
        ("out", c.c_uint32),
        ("in_", c.c_uint32),
        ("kernel_h", c.c_uint32),
        ("kernel_w", c.c_uint32),
        ("groups", c.c_uint32),
        ("smooth_kind", c.c_int32),
        ("scale", P),
        ("zero", P),
        ("smooth", P),
        ("packed_bytes", c.c_size_t),
        ("deconv_stride_h", c.c_uint32),
        ("deconv_stride_w", c.c_uint32),
    ]


class Quant(Structure):
    _fields_ = [
        ("mode", c.c_int32),
        ("type", c.c_int32),
        ("scale", c.c_float),
        ("zero", c.c_int32),
        ("narrow", c.c_int32),
        ("asymmetric", c.c_int32),
        ("row_scale", P),
        ("reserved", c.c_uint64 * 2),
    ]


class Epilogue(Structure):
    _fields_ = [
        ("bias_type", c.c_int32),
        ("bias", P),
        ("activation", c.c_int32),
        ("lo", c.c_float),
        ("hi", c.c_float),
        ("slope", c.c_float),
        ("slopes", P),
        ("y_type", c.c_int32),
        ("y_scale", c.c_float),
        ("y_zero", c.c_int32),
        ("y_narrow", c.c_int32),
        ("y_smooth", P),
        ("residual", c.c_int32),
        ("residual_type", c.c_int32),
        ("residual_scale", c.c_float),
        ("residual_scales", P),
        ("residual_zero", c.c_int32),
        ("residual_after_activation", c.c_int32),
        ("table", P),
        ("tables", c.c_uint32),
        ("table_zero", c.c_int32),
        ("reserved", c.c_uint64 * 2),
    ]


class Tensor(Structure):
    _fields_ = [
        ("type", c.c_int32),
        ("layout", c.c_int32),
        ("n", c.c_uint32),
        ("c", c.c_uint32),
        ("h", c.c_uint32),
        ("w", c.c_uint32),
        ("stride_n", c.c_int64),
        ("stride_c", c.c_int64),
        ("stride_h", c.c_int64),
        ("stride_w", c.c_int64),
        ("border_h", c.c_uint32),
        ("border_w", c.c_uint32),
        ("reserved", c.c_uint64 * 2),
    ]


class LinearDesc(Structure):
    _fields_ = [
        ("size", c.c_uint32),
        ("weights", P),
        ("m", c.c_uint32),
        ("x_type", c.c_int32),
        ("x_stride", c.c_int64),
        ("y_stride", c.c_int64),
        ("residual_stride", c.c_int64),
        ("quant", Quant),
        ("epilogue", Epilogue),
        ("threads", c.c_uint32),
        ("isa", c.c_int32),
        ("config", c.c_char_p),
        ("allocator", P),
    ]


class Conv2dDesc(Structure):
    _fields_ = [
        ("size", c.c_uint32),
        ("weights", P),
        ("x", Tensor),
        ("y", Tensor),
        ("residual", Tensor),
        ("stride_h", c.c_uint32),
        ("stride_w", c.c_uint32),
        ("dilation_h", c.c_uint32),
        ("dilation_w", c.c_uint32),
        ("pad_top", c.c_uint32),
        ("pad_left", c.c_uint32),
        ("pad_bottom", c.c_uint32),
        ("pad_right", c.c_uint32),
        ("quant", Quant),
        ("epilogue", Epilogue),
        ("threads", c.c_uint32),
        ("isa", c.c_int32),
        ("config", c.c_char_p),
        ("allocator", P),
        ("out_pad_h", c.c_uint32),
        ("out_pad_w", c.c_uint32),
    ]


class NetworkTensor(Structure):
    _fields_ = [
        ("size", c.c_uint32),
        ("role", c.c_int32),
        ("shape", Tensor),
        ("quant", Quant),
        ("smooth", P),
    ]


class NetworkLayer(Structure):
    _fields_ = [
        ("size", c.c_uint32),
        ("x", c.c_uint32),
        ("x_channel", c.c_uint32),
        ("y", c.c_uint32),
        ("y_channel", c.c_uint32),
        ("residual", c.c_int32),
        ("residual_channel", c.c_uint32),
        ("kind", c.c_int32),
        ("desc", P),
        ("channels", c.c_uint32),
        ("reserved", c.c_uint32 * 1),
        ("conv", Conv2dDesc),
    ]


class NetworkDesc(Structure):
    _fields_ = [
        ("size", c.c_uint32),
        ("tensors", c.POINTER(NetworkTensor)),
        ("n_tensors", c.c_uint32),
        ("layers", c.POINTER(NetworkLayer)),
        ("n_layers", c.c_uint32),
        ("threads", c.c_uint32),
        ("isa", c.c_int32),
        ("allocator", P),
    ]


class SmoothOptions(Structure):
    _fields_ = [
        ("size", c.c_uint32),
        ("alpha", c.c_double),
        ("act_floor", c.c_double),
        ("weight_floor", c.c_double),
    ]


class ObserverDesc(Structure):
    _fields_ = [
        ("size", c.c_uint32),
        ("granularity", c.c_int32),
        ("channels", c.c_uint32),
        ("rows", c.c_uint32),
        ("histogram", c.c_int32),
        ("kernel_h", c.c_uint32),
        ("kernel_w", c.c_uint32),
        ("stride_h", c.c_uint32),
        ("stride_w", c.c_uint32),
        ("dilation_h", c.c_uint32),
        ("dilation_w", c.c_uint32),
        ("pad_top", c.c_uint32),
        ("pad_left", c.c_uint32),
        ("pad_bottom", c.c_uint32),
        ("pad_right", c.c_uint32),
        ("allocator", P),
    ]


class ObserverStats(Structure):
    _fields_ = [
        ("size", c.c_uint32),
        ("count", c.c_uint64),
        ("zeros", c.c_uint64),
        ("nans", c.c_uint64),
        ("infs", c.c_uint64),
        ("first_nonfinite", c.c_int64),
        ("samples", c.c_uint64),
        ("min", c.c_float),
        ("max", c.c_float),
        ("mean_min", c.c_double),
        ("mean_max", c.c_double),
    ]


class CalibrationOptions(Structure):
    _fields_ = [
        ("size", c.c_uint32),
        ("calibrator", c.c_int32),
        ("nonzero", c.c_int32),
        ("signedness", c.c_int32),
        ("percentile", c.c_double),
        ("allow_nonfinite", c.c_int32),
    ]


class Calibration(Structure):
    _fields_ = [
        ("size", c.c_uint32),
        ("quant", Quant),
        ("lo", c.c_float),
        ("hi", c.c_float),
        ("clipped", c.c_double),
        ("clipped_error", c.c_double),
    ]


class Sample(Structure):
    _fields_ = [("tensor", Tensor), ("data", P), ("expected", P), ("reserved", c.c_uint64 * 2)]


class FloatLayer(Structure):
    _fields_ = [
        ("size", c.c_uint32),
        ("weights", c.POINTER(WeightsDesc)),
        ("op", c.POINTER(Conv2dDesc)),
        ("allocator", P),
    ]


class SearchOptions(Structure):
    _fields_ = [
        ("size", c.c_uint32),
        ("alphas", P),
        ("alpha_count", c.c_uint32),
        ("smooth_kinds", c.c_uint32),
        ("calibrators", c.c_uint32),
        ("signedness", c.c_uint32),
        ("modes", c.c_uint32),
        ("nonzero", c.c_int32),
        ("percentile", c.c_double),
        ("holdout", c.c_double),
        ("margin", c.c_double),
        ("act_floor", c.c_double),
        ("weight_floor", c.c_double),
    ]


class Choice(Structure):
    _fields_ = [
        ("size", c.c_uint32),
        ("quant", Quant),
        ("smooth_kind", c.c_int32),
        ("alpha", c.c_double),
        ("calibrator", c.c_int32),
        ("nonzero", c.c_int32),
        ("sqnr", c.c_double),
        ("off_sqnr", c.c_double),
        ("plain_sqnr", c.c_double),
        ("tried", c.c_uint32),
        ("held_out", c.c_uint32),
        ("silent", c.c_uint32),
        ("first_silent", c.c_uint32),
    ]


class Comparison(Structure):
    _fields_ = [
        ("count", c.c_uint64),
        ("nonfinite", c.c_uint64),
        ("signal", c.c_double),
        ("noise", c.c_double),
        ("sqnr", c.c_double),
        ("l1", c.c_double),
        ("cosine", c.c_double),
        ("max", c.c_double),
        ("reserved", c.c_uint64 * 2),
    ]


class Report(Structure):
    _fields_ = [
        ("size", c.c_uint32),
        ("total", Comparison),
        ("sqnr_without", c.c_double * 4),
        ("findings", c.c_uint32),
        ("nonfinite_place", c.c_int32),
        ("nonfinite_channel", c.c_uint32),
        ("nonfinite_sample", c.c_uint32),
        ("nonfinite_index", c.c_int64),
        ("silent", c.c_uint32),
        ("first_silent", c.c_uint32),
        ("dead", c.c_uint32),
        ("first_dead", c.c_uint32),
        ("clipped", c.c_double),
        ("scale_ratio", c.c_double),
        ("shifted", c.c_uint32),
        ("first_shifted", c.c_uint32),
        ("scaled", c.c_uint32),
        ("first_scaled", c.c_uint32),
        ("shift", c.c_double),
        ("factor", c.c_double),
    ]


class Parallel(Structure):
    _fields_ = [("run", P), ("user", P), ("threads", c.c_uint32), ("reserved", c.c_uint32 * 3)]


class QuernelError(ValueError):
    """A refusal of the library: its status and the line that names argument and value."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.layers: tuple[str, ...] = ()  # names of those that it is about, where that is known


def _candidates() -> Iterator[str]:
    if os.environ.get("QUERNEL_LIBRARY"):
        yield os.environ["QUERNEL_LIBRARY"]
    here = pathlib.Path(__file__).resolve()
    # a wheel
    yield from map(str, (here.parents[1] / ".quernel.mesonpy.libs").glob("libquernel.so*"))
    yield str(here.parents[2] / "build" / "libquernel.so")  # a checkout built by ./dev build
    yield "libquernel.so.0"


E = c.POINTER(Error)
_FUNCTIONS: list[tuple[str, Any, list]] = [
    ("quernel_version", c.c_char_p, []),
    ("quernel_api_version", c.c_uint32, []),
    ("quernel_isa_name", c.c_char_p, [c.c_int]),
    ("quernel_isa_parse", c.c_int, [c.c_char_p, c.POINTER(c.c_int)]),
    ("quernel_weights_pack", c.c_int, [c.POINTER(WeightsDesc), c.POINTER(P), E]),
    ("quernel_weights_release", None, [P]),
    ("quernel_weights_get", c.c_int, [P, c.POINTER(WeightsInfo)]),
    ("quernel_weights_blob_bytes", c.c_size_t, [P]),
    ("quernel_weights_save", c.c_int, [P, P, c.c_size_t, E]),
    ("quernel_weights_load", c.c_int, [P, c.c_size_t, P, c.POINTER(P), E]),
    ("quernel_linear_create", c.c_int, [c.POINTER(LinearDesc), c.POINTER(P), E]),
    ("quernel_conv2d_create", c.c_int, [c.POINTER(Conv2dDesc), c.POINTER(P), E]),
    ("quernel_deconv2d_create", c.c_int, [c.POINTER(Conv2dDesc), c.POINTER(P), E]),
    (
        "quernel_chain_describe",
        c.c_int,
        [
            c.POINTER(Tensor),
            c.c_uint32,
            c.c_uint32,
            c.POINTER(c.c_size_t),
            c.POINTER(c.c_size_t),
            E,
        ],
    ),
    ("quernel_operator_workspace", c.c_size_t, [P]),
    ("quernel_operator_run", c.c_int, [P, P, P, P, P, c.c_size_t, c.POINTER(Parallel), E]),
    ("quernel_operator_explain", c.c_size_t, [P, c.c_char_p, c.c_size_t]),
    ("quernel_operator_destroy", None, [P]),
    ("quernel_network_create", c.c_int, [c.POINTER(NetworkDesc), c.POINTER(P), E]),
    ("quernel_network_workspace", c.c_size_t, [P]),
    ("quernel_network_tensor_get", c.c_int, [P, c.c_uint32, c.POINTER(Tensor)]),
    ("quernel_network_operator", P, [P, c.c_uint32]),
    ("quernel_network_run", c.c_int, [P, P, P, P, c.c_size_t, c.POINTER(Parallel), E]),
    ("quernel_network_destroy", None, [P]),
    ("quernel_pool_create", c.c_int, [c.c_uint32, c.POINTER(P), E]),
    ("quernel_pool_destroy", None, [P]),
    ("quernel_pool_parallel", Parallel, [P]),
    (
        "quernel_quantize",
        c.c_int,
        [P, c.c_size_t, c.c_float, c.c_int32, c.c_int32, c.c_int32, c.c_int32, P, E],
    ),
    ("quernel_dequantize", c.c_int, [P, c.c_size_t, c.c_float, c.c_int32, c.c_int32, P, E]),
    ("quernel_observer_create", c.c_int, [c.POINTER(ObserverDesc), c.POINTER(P), E]),
    ("quernel_observer_destroy", None, [P]),
    ("quernel_observer_update", c.c_int, [P, c.POINTER(Tensor), P, E]),
    ("quernel_observer_merge", c.c_int, [P, P, E]),
    ("quernel_observer_groups", c.c_uint32, [P]),
    ("quernel_observer_get", c.c_int, [P, c.c_uint32, c.POINTER(ObserverStats), E]),
    ("quernel_observer_absmax", c.c_int, [P, P, E]),
    (
        "quernel_observer_calibrate",
        c.c_int,
        [P, c.c_uint32, c.POINTER(CalibrationOptions), c.POINTER(Calibration), E],
    ),
    (
        "quernel_search_layer",
        c.c_int,
        [c.POINTER(FloatLayer), P, c.c_uint32, c.POINTER(SearchOptions), c.POINTER(Choice), P, E],
    ),
    (
        "quernel_bias_correct",
        c.c_int,
        [c.POINTER(FloatLayer), c.POINTER(Choice), P, P, c.c_uint32, P, E],
    ),
    (
        "quernel_weights_round",
        c.c_int,
        [c.POINTER(FloatLayer), c.POINTER(Choice), P, P, c.c_uint32, P, P, P, E],
    ),
    (
        "quernel_audit_layer",
        c.c_int,
        [c.POINTER(FloatLayer), c.POINTER(Choice), P, P, c.c_uint32, c.POINTER(Report), E],
    ),
    ("quernel_smooth_factors", c.c_int, [P, P, c.c_uint32, c.POINTER(SmoothOptions), P, E]),
]


class Missing(ImportError):
    """There is no library. packages: what pip would have to bring."""

    packages = ()


def _load() -> c.CDLL:
    tried = []
    for name in _candidates():
        try:
            found = c.CDLL(name)
            for function, result, arguments in _FUNCTIONS:
                getattr(found, function).restype = result
                getattr(found, function).argtypes = arguments
            return found
        except (OSError, AttributeError) as problem:  # none, or of another time
            tried.append(str(problem))
    raise Missing(
        "libquernel was not found (./dev build makes it; QUERNEL_LIBRARY names it): "
        + "; ".join(tried)
    )


_loaded = functools.cache(_load)


class _Library:
    """The library, loaded when its first function is looked up: who only reads a help needs none,
    and commands say in one line that there is none."""

    def __getattr__(self, name: str) -> Any:
        function = getattr(_loaded(), name)
        setattr(self, name, function)
        return function


lib = _Library()


def call(function: Callable[..., int], *arguments: Any) -> None:
    """Calls a function whose last argument is the error, and raises what it refuses."""
    error = Error()
    code = function(*arguments, c.byref(error))
    if code:
        raise QuernelError(code, error.text.decode("utf-8", "replace"))
