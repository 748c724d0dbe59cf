# SPDX-License-Identifier: Apache-2.0
"""oneDNN's C interface (version 3) as far as it is needed here, by ctypes. Numbers are those of
dnnl_types.h."""

import ctypes as c
import os

import numpy as np

F32, S32, S8, U8 = 3, 4, 5, 6
SRC, DST, WEIGHTS, BIAS, SCALES, ZEROS = 1, 17, 33, 41, 4096, 8192
FORWARD_INFERENCE, CONVOLUTION_DIRECT, DECONVOLUTION_DIRECT, RELU, CLIP = 96, 0x1, 0xA, 0x20, 0x2E
QUERY_IMPLEMENTATION, QUERY_ARGUMENT_MD = 8, 255
TYPES = {
    np.dtype(np.float32): F32,
    np.dtype(np.int32): S32,
    np.dtype(np.int8): S8,
    np.dtype(np.uint8): U8,
}
DIMS = c.c_int64 * 12
ALLOCATE = c.c_void_p(-1)


class Refused(Exception):
    """A status that is not success."""


class _Version(c.Structure):
    _fields_ = [
        ("major", c.c_int),
        ("minor", c.c_int),
        ("patch", c.c_int),
        ("hash", c.c_char_p),
        ("cpu", c.c_uint),
        ("gpu", c.c_uint),
    ]


class _Argument(c.Structure):
    _fields_ = [("arg", c.c_int), ("memory", c.c_void_p)]


lib = c.CDLL(os.environ.get("QUERNEL_ONEDNN", "libdnnl.so.3"))
lib.dnnl_version.restype = c.POINTER(_Version)
lib.dnnl_primitive_desc_query_md.restype = c.c_void_p
lib.dnnl_memory_desc_get_size.restype = c.c_size_t
RUNTIMES = {1: "sequential", 2: "OpenMP", 4: "TBB", 8: "thread pool", 512: "SYCL"}


def call(function, *arguments):
    """Calls a function whose first argument is where its result goes, and returns the result."""
    result = c.c_void_p()
    status = function(c.byref(result), *arguments)
    if status:
        raise Refused(f"{function.__name__}: status {status}")
    return result


def check(function, *arguments):
    status = function(*arguments)
    if status:
        raise Refused(f"{function.__name__}: status {status}")


def version():
    v = lib.dnnl_version().contents
    return f"{v.major}.{v.minor}.{v.patch} ({RUNTIMES.get(v.cpu, v.cpu)})"


engine = call(lib.dnnl_engine_create, 1, c.c_size_t(0))
stream = call(lib.dnnl_stream_create, engine, 1)


def dims(values):
    return DIMS(*values)


def strided(sizes, strides, type):
    """A description of memory with sizes and strides, in elements."""
    return call(
        lib.dnnl_memory_desc_create_with_strides, len(sizes), dims(sizes), type, dims(strides)
    )


def any_layout(sizes, type):
    """A description that leaves the layout to the primitive."""
    return call(lib.dnnl_memory_desc_create_with_tag, len(sizes), dims(sizes), type, 1)


def slice_of(parent, sizes, offsets):
    return call(lib.dnnl_memory_desc_create_submemory, parent, dims(sizes), dims(offsets))


class Memory:
    """Memory of the library's; filled from an array and read back by mapping it. `of` is a memory
    whose bytes it shares."""

    def __init__(self, desc, of=None):
        self.desc, self.of = desc, of
        if of is None:
            self.handle = call(lib.dnnl_memory_create, desc, engine, ALLOCATE)
            return
        data = c.c_void_p()
        check(lib.dnnl_memory_get_data_handle, of.handle, c.byref(data))
        self.handle = call(lib.dnnl_memory_create, desc, engine, data)

    @property
    def bytes(self):
        return lib.dnnl_memory_desc_get_size(self.desc)

    def _mapped(self, work):
        address = c.c_void_p()
        check(lib.dnnl_memory_map_data, self.handle, c.byref(address))
        work(address.value)
        check(lib.dnnl_memory_unmap_data, self.handle, address)

    def fill(self, array):
        array = np.ascontiguousarray(array)
        self._mapped(
            lambda address: c.memmove(address, array.ctypes.data, min(array.nbytes, self.bytes))
        )
        return self

    def read(self, array):
        self._mapped(lambda address: c.memmove(array.ctypes.data, address, array.nbytes))
        return array


def memory_of(array, sizes, strides):
    """An array's memory as a tensor of the library: sizes and strides in the library's order of
    dimensions."""
    return Memory(strided(sizes, strides, TYPES[array.dtype])).fill(array)


class Primitive:
    """A primitive with its memory: execute runs it."""

    def __init__(self, desc, arguments):
        self.handle = call(lib.dnnl_primitive_create, desc)
        self.memories = list(arguments.values())
        self.arguments = (_Argument * len(arguments))(
            *[_Argument(arg, memory.handle) for arg, memory in arguments.items()]
        )

    def execute(self):
        status = lib.dnnl_primitive_execute(
            self.handle, stream, len(self.arguments), self.arguments
        )
        if status:
            raise Refused(f"dnnl_primitive_execute: status {status}")


def wait():
    check(lib.dnnl_stream_wait, stream)


def layout_of(desc, argument):
    """The description that a primitive chose for an argument; the primitive's own, so it must
    outlive it."""
    return c.c_void_p(lib.dnnl_primitive_desc_query_md(desc, QUERY_ARGUMENT_MD, argument))


def implementation(desc):
    text = c.c_char_p()
    lib.dnnl_primitive_desc_query(desc, QUERY_IMPLEMENTATION, 0, c.byref(text))
    return (text.value or b"").decode()


def attributes(masks, activation=None, zero=False):
    """Scales for arguments, by mask of dimensions, an activation behind the bias, a zero point of
    the output."""
    attr = call(lib.dnnl_primitive_attr_create)
    for argument, mask in masks.items():
        check(lib.dnnl_primitive_attr_set_scales_mask, attr, argument, mask)
    if zero:
        check(lib.dnnl_primitive_attr_set_zero_points_mask, attr, DST, 0)
    if activation:
        ops = call(lib.dnnl_post_ops_create)
        check(
            lib.dnnl_post_ops_append_eltwise,
            ops,
            activation[0],
            c.c_float(activation[1]),
            c.c_float(activation[2]),
        )
        check(lib.dnnl_primitive_attr_set_post_ops, attr, ops)
    return attr


def reorder(source, target, scale=None):
    """A reorder from one memory to another; with a scale the target holds numbers / scale."""
    attr = attributes({DST: 0} if scale is not None else {})
    desc = call(
        lib.dnnl_reorder_primitive_desc_create, source.desc, engine, target.desc, engine, attr
    )
    arguments = {SRC: source, DST: target}
    if scale is not None:
        arguments[SCALES | DST] = memory_of(np.array([scale], np.float32), (1,), (1,))
    return Primitive(desc, arguments)
