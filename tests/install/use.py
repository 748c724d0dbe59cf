# SPDX-License-Identifier: Apache-2.0
"""A user of the installed wheel: one layer, with the library that the wheel carries."""

import numpy as np
import quernel
from quernel import _native

assert ".quernel.mesonpy.libs" in _native.lib._name, _native.lib._name
x, w = np.ones((2, 8), np.uint8), np.full((3, 8), 2, np.int8)
y = np.empty((2, 3), np.int32)
quernel.linear(quernel.Weights(w), x, y)(x, y)
assert (y == 16).all(), y
print(quernel.version())
