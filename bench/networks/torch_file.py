# SPDX-License-Identifier: Apache-2.0
"""Reads the arrays of a PyTorch file of the form before 1.6 without PyTorch: pickled objects that
refer to storages, then the storages one behind the other."""

import collections
import pickle
import struct

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
HEADERS = 3  # magic number, version of the protocol, sizes of C's types
TYPES = {"FloatStorage": np.float32, "LongStorage": np.int64}


class _Reader(pickle.Unpickler):
    """Knows tensors, dictionaries, and nothing else that a pickle may ask for."""

    def __init__(self, file, storages):
        super().__init__(file)
        self.storages = storages

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if module == "torch" and name in TYPES:
            return TYPES[name]
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, stride, *_: (storage, offset, size, stride)
        raise pickle.UnpicklingError(f"{module}.{name} is not known")

    def persistent_load(self, what):
        _, kind, key, _, count, _ = what
        self.storages[key] = np.empty(count, kind)
        return key


def read(path):
    """{name: array}."""
    with open(path, "rb") as file:
        storages = {}
        heads = [_Reader(file, storages).load() for _ in range(HEADERS)]
        if heads[0] != MAGIC:
            raise pickle.UnpicklingError(f"{path}: is no file of that form")
        tensors = _Reader(file, storages).load()
        for key in _Reader(file, storages).load():
            count = struct.unpack("<q", file.read(8))[0]
            kind = storages[key].dtype
            storages[key] = np.frombuffer(file.read(count * kind.itemsize), kind)
    return {
        name: np.ascontiguousarray(
            np.lib.stride_tricks.as_strided(
                storages[key][offset:],
                size,
                [step * storages[key].itemsize for step in stride],
                writeable=False,
            )
        )
        for name, (key, offset, size, stride) in tensors.items()
    }
