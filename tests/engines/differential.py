#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random quantized graphs (draw.py) through ONNX Runtime, without and with the plugin, against
their meaning (meaning.py).

QUERNEL_TEST_CASES says how many, QUERNEL_TEST_SEED which is the first, QUERNEL_ORT_PLUGIN which
plugin. `differential.py SEED` shows one case. PYTHONPATH holds tests/python. Closes with N passed,
N failed, N skipped."""

import collections
import os
import sys
import unittest

import draw
import engine
import front
import judge
import meaning
import numpy as np
import onnx

CASES = int(os.environ.get("QUERNEL_TEST_CASES", "400"))
FIRST = int(os.environ.get("QUERNEL_TEST_SEED", "0"))
SHOWN = 12  # failures printed in full
# What ONNX Runtime's own integer kernels may get wrong: products saturate on AVX2, its softmax adds
# powers from a table that were rounded, and cuts the quotient off.
INEXACT = {"QLinearConv", "QLinearMatMul", "QGemm", "ConvInteger", "MatMulInteger"}
INEXACT |= {"QLinearSoftmax"}
SQNR_FLOOR = 20.0  # dB, of a whole graph; or what ONNX Runtime's own arithmetic reaches
ISAS = "ref avx2 avxvnni avx512vnni amxint8 neon".split()


def cases(share=1):
    return (draw.case(seed) for seed in range(FIRST, FIRST + CASES, share))


def inexact(model):
    """Names that come from operators that ONNX Runtime may get wrong."""
    return {n for node in model.graph.node if node.op_type in INEXACT for n in node.output}


def name_of(complaint):
    return complaint.split("[")[0]


def unless(complaints, known):
    """Those that are not of known values."""
    return [text for text in complaints if name_of(text) not in known]


def differences(one, other):
    """Outputs of two runs that are not the same bits."""
    return [name for name in one if one[name].tobytes() != other[name].tobytes()]


CARRY = {"DequantizeLinear", "Resize", "MaxPool", "AveragePool", "GlobalAveragePool"}


def entries(model):
    """Codes that inputs are quantized to: where others see them ONNX Runtime quantizes, and factors
    before are a product of their own, as they are where others see codes that carry them on."""
    floats = {value.name for value in model.graph.input}
    found, carried = set(), set()
    for n in model.graph.node:
        inputs = {*n.input}
        if n.op_type == "Mul" and floats & inputs:
            carried |= {*n.output}
        elif n.op_type == "QuantizeLinear" and (floats | carried) & inputs:
            found |= {*n.output}
            carried |= {*n.output} if carried & inputs else set()
        elif n.op_type in CARRY and carried & inputs:
            carried |= {*n.output}
    return found


def left_of(session):
    """What others compute, as names of operators in order."""
    return sorted(engine.assigned(session)[1])


def grown(case):
    """Inputs that are one longer along each open dimension; None where there is no such."""
    feeds, open_ = {}, False
    for value in case.model.graph.input:
        array = case.feeds[value.name]
        for axis, dim in enumerate(value.type.tensor_type.shape.dim):
            if dim.dim_param:
                open_ = True
                array = np.concatenate([array, array.take([0], axis)], axis)
        feeds[value.name] = array
    return feeds if open_ else None


def usable_isas():
    """Those that the plugin runs here: it refuses the others by name."""
    model = draw.case(FIRST).model.SerializeToString()
    found = []
    for isa in ISAS:
        try:
            engine.plugin(model, isa=isa)
            found.append(isa)
        except engine.ERRORS:
            continue
    return found


class Differential(unittest.TestCase):
    def each(self, complaints_of, share=1):
        """Judges every share-th case; fails with the first complaints where there are any."""
        found, count = [], 0
        for case in cases(share):
            count += 1
            try:
                found += [f"{case.label}: {text}" for text in complaints_of(case)]
            except (*engine.ERRORS, NotImplementedError) as error:
                found.append(f"{case.label}: {error}")
        text = "\n".join(found[:SHOWN])
        if found:
            self.fail(f"{len(found)} complaints of {count} cases:\n{text}")
        self.assertTrue(count)


class Stock(Differential):
    def test_the_meaning_is_what_onnx_runtime_computes(self):
        def complaints(case):
            results = judge.run(engine.stock(judge.exposed(case)), case.feeds)
            return unless(judge.judge(case.model, case.feeds, results), inexact(case.model))

        self.each(complaints, 4)

    def test_a_wrong_code_is_found(self):
        exact = np.array([3.4, 3.6, 3.5, -7.0, 300.0, np.nan])
        codes = np.array([3, 4, 3, 0, 255, 9], np.uint8)
        self.assertFalse(judge.wrong_codes(codes, exact).any())
        self.assertTrue(judge.wrong_codes(codes + np.uint8(1), exact)[[0, 1, 3, 4]].all())
        changed = draw.case(FIRST)
        results = judge.run(engine.stock(judge.exposed(changed)), changed.feeds)
        name = next(n for n, v in results.items() if v.dtype.itemsize == 1)
        results[name] = results[name] ^ results[name].dtype.type(8)
        wrong = judge.judge(changed.model, changed.feeds, results)
        self.assertTrue(any(w.startswith(name) for w in wrong))


@unittest.skipIf(engine.why_absent(), engine.why_absent())
class Plugin(Differential):
    def test_every_unit_is_what_it_means(self):
        taken, left = collections.Counter(), collections.Counter()

        def complaints(case):
            session = engine.plugin(judge.exposed(case), islands="all")
            mine, others = engine.assigned(session)
            taken.update(mine)
            left.update(others)
            wrong = judge.judge(case.model, case.feeds, judge.run(session, case.feeds))
            return unless(wrong, inexact(case.model) if INEXACT & set(others) else ())

        self.each(complaints)
        print(f"{taken.total()} nodes by the plugin, {left.total()} by others: {dict(left)}")
        self.assertGreater(taken.total(), left.total())

    def test_every_unit_of_an_optimized_graph_is_what_it_means(self):
        """ONNX Runtime's optimizer changes some graphs: what is wrong without the plugin as well
        is not the plugin's."""
        level = engine.Level.ORT_ENABLE_BASIC

        def complaints(case):
            model = judge.exposed(case)
            known = inexact(case.model)
            try:
                stock = judge.run(engine.stock(model, level), case.feeds)
            except engine.ERRORS:
                return ()
            excused = {name_of(w) for w in judge.judge(case.model, case.feeds, stock)} | known
            session = engine.plugin(model, level=level, islands="all")
            wrong = judge.judge(case.model, case.feeds, judge.run(session, case.feeds))
            return unless(wrong, excused)

        self.each(complaints, 2)

    def test_an_island_is_its_units(self):
        """Compared where both leave the same to others: who divides by a scale rounds a tie
        otherwise than who multiplies."""
        compared = collections.Counter()

        def complaints(case):
            model = case.model.SerializeToString()
            whole = engine.plugin(model, islands="all")
            left, wanted = left_of(whole), judge.run(whole, case.feeds)
            shown = judge.exposed(case, but=entries(case.model))
            others = {
                "units": engine.plugin(model, islands="units"),
                "all codes shown": engine.plugin(shown, islands="all"),
            }
            for what, session in others.items():
                if left_of(session) == left and not INEXACT & set(left):
                    compared[what] += 1
                    differ = differences(wanted, judge.run(session, case.feeds))
                    yield from (f"{n}: {what}: not the same bits" for n in differ)

        self.each(complaints)
        self.assertGreater(compared["units"], CASES // 2)
        self.assertGreater(compared["all codes shown"], CASES // 3)

    def test_sets_and_threads_change_no_bit(self):
        isas = usable_isas()
        self.assertIn("ref", isas)
        others = [{"isa": isa} for isa in isas] + [{"threads": 2}]

        def complaints(case):
            model = case.model.SerializeToString()
            wanted = judge.run(engine.plugin(model, islands="all"), case.feeds)
            runs = (
                (o, judge.run(engine.plugin(model, islands="all", **o), case.feeds)) for o in others
            )
            return [f"{n}: {o} differs" for o, got in runs for n in differences(wanted, got)]

        self.each(complaints, 2)

    def test_shapes_may_change(self):
        """Graphs with open dimensions, run by larger inputs and by the first again."""
        tried = []

        def complaints(case):
            model, larger = judge.exposed(case), grown(case)
            if larger is None:
                return []
            try:
                judge.run(engine.stock(model), larger)
            except engine.ERRORS:  # other shapes depend on this one
                return []
            tried.append(case.seed)
            session = engine.plugin(model, islands="all")
            first = judge.run(session, case.feeds)
            wrong = judge.judge(case.model, larger, judge.run(session, larger))
            again = judge.run(session, case.feeds)
            wrong = unless(wrong, inexact(case.model) if INEXACT & set(left_of(session)) else ())
            return wrong + [f"{n}: not the same bits again" for n in differences(first, again)]

        self.each(complaints)
        self.assertGreater(len(tried), CASES // 30)

    def test_whole_graphs_are_near_their_meaning(self):
        def complaints(case):
            model = case.model.SerializeToString()
            got = judge.run(engine.plugin(model), case.feeds)
            values = meaning.evaluate(case.model, case.feeds)
            for name, result in got.items():
                reached = judge.sqnr(values.of[name], result)
                if reached >= SQNR_FLOOR:
                    continue
                stock = judge.run(engine.stock(model), case.feeds)[name]
                if reached < judge.sqnr(values.of[name], stock) - 3:
                    yield f"{name}: {reached:.1f} dB"

        self.each(complaints, 2)


def show(seed):
    """One case: its graph, and what is wrong with it."""
    case = draw.case(seed)
    print(case.label)
    print(onnx.printer.to_text(case.model))
    run = engine.stock if engine.why_absent() else lambda m: engine.plugin(m, islands="all")
    session = run(judge.exposed(case))
    wrong = judge.judge(case.model, case.feeds, judge.run(session, case.feeds))
    print(*(wrong or ["every code is right"]), sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(show(int(sys.argv[1])) if len(sys.argv) > 1 else front.main(__name__))
