#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random arrays at every public function that takes some: it does what it does with the same
numbers in plain arrays, which is what float64 says where that is exact, or it refuses and names an
argument; memory beside the arrays stays as it was. QUERNEL_TEST_CASES: how many;
QUERNEL_TEST_SEED; QUERNEL_TEST_CASE: that one alone."""

import os
import re
import sys
import unittest
import warnings

import array_calls
import front
import numpy as np
import odd_arrays

CASES = int(os.environ.get("QUERNEL_TEST_CASES", "800"))
SEED = int(os.environ.get("QUERNEL_TEST_SEED", "1"))
ONLY = os.environ.get("QUERNEL_TEST_CASE")
ACCEPTED = 0.3  # of the cases at least: refusals alone would prove nothing


class Case:
    """A call with arrays of which some are odd."""

    def __init__(self, number):
        rng = np.random.default_rng((SEED, number))
        call = array_calls.CALLS[rng.integers(len(array_calls.CALLS))](rng)
        share, self.run, self.exact = rng.choice([0.0, 0.2, 0.5]), call.run, call.exact
        self.given, self.guards, self.told = {}, {}, [type(call).__name__]
        for name, values in call.arrays.items():
            odd = rng.random() < share
            make = odd_arrays.ODD[rng.integers(len(odd_arrays.ODD))] if odd else odd_arrays.plain
            self.given[name], self.guards[name] = make(values, rng)
            self.told.append(f"{name}: {make.__name__}")
        if "y" in self.given and rng.random() < 0.03:
            self.given["y"], self.guards["y"] = self.given["x"], self.guards["x"]
            self.told.append("y: over x")
        self.plain = self.told[1:] == [f"{name}: plain" for name in call.arrays]
        self.words = "|".join([*map(re.escape, call.arrays), *call.words])

    def twin(self):
        """The same numbers, in plain arrays."""
        return {name: plain_copy(array) for name, array in self.given.items()}

    def check_memory(self, done):
        for name, guarded in self.guards.items():
            written = done and name == "y"
            if guarded and not guarded.is_untouched(written):
                raise AssertionError(f"memory around {name} was written")

    def check(self):
        """Whether the call was accepted."""
        twin = self.twin()  # before the call may write
        try:
            found = self.run(self.given)
        except (TypeError, ValueError) as problem:
            if self.plain:
                raise AssertionError(f"plain arrays are refused: {problem}") from problem
            if not re.search(rf"\b({self.words})\b", str(problem)):
                raise AssertionError(f"names no argument: {problem}") from problem
            self.check_memory(False)
            return False
        found = [np.array(part) for part in found]
        self.check_memory(True)
        same = self.run(twin)
        for part, other in zip(found, same):
            np.testing.assert_array_equal(part, other)
        twin = {name: np.asarray(array) for name, array in twin.items() if array is not None}
        types = {name: array.dtype for name, array in twin.items()}
        wanted = self.exact({name: array.astype("f8") for name, array in twin.items()}, types)
        if wanted is not None:
            np.testing.assert_allclose(found[0], wanted, rtol=1e-5, atol=1e-4)
        return True


def plain_copy(given):
    if not isinstance(given, np.ndarray) or given.dtype == object:
        return given
    return np.array(given, given.dtype.newbyteorder("="), order="C")


class AnyArrays(unittest.TestCase):
    def test_right_or_refused(self):
        accepted, cases = 0, [int(ONLY)] if ONLY else range(CASES)
        for number in cases:
            case = Case(number)
            with self.subTest(seed=SEED, case=number, call=", ".join(case.told)):
                accepted += case.check()
        self.assertGreaterEqual(accepted, 0 if ONLY else ACCEPTED * CASES)


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of NumPy's casts
    sys.exit(front.main(__name__))
