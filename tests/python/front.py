# SPDX-License-Identifier: Apache-2.0
"""How the Python tests end: with the line that tests/run.py reads."""

import sys
import unittest


def main(module):
    """Runs the tests of a module; prints N passed, N failed, N skipped, and a line for each
    skip."""
    result = unittest.TextTestRunner(sys.stderr, verbosity=0).run(
        unittest.defaultTestLoader.loadTestsFromModule(sys.modules[module])
    )
    for test, reason in result.skipped:
        print(f"skipped: {test}: {reason}")
    failed = len(
        {getattr(test, "test_case", test).id() for test, _ in result.failures + result.errors}
    )
    print(
        f"{result.testsRun - failed - len(result.skipped)} passed, {failed} failed, "
        f"{len(result.skipped)} skipped"
    )
    return 1 if failed or not result.testsRun else 0
