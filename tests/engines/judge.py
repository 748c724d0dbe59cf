# SPDX-License-Identifier: Apache-2.0
"""Whether an engine's results are what a graph means.

Each operator is judged on the inputs that the engine itself gave it, so that one code's difference
does not count again in what follows: all inner codes are asked for as outputs. Of each code is
demanded that the exact value lies within half a code of it, and a little for the arithmetic in
float32."""

import meaning
import numpy as np
import onnx
from onnx import helper

TIE = 0.02  # of a code: what float32 may add to half a code near a tie
FLOAT_ERROR = 2e-5  # of the largest value of a tensor
LEAST_ERROR = 1e-7  # where all values are small: a sigmoid's ends
NOTHING = 200.0  # dB: no error at all


def codes_inside(graph, values):
    """Codes and integers that operators make of the graph's inputs, and that are no outputs."""
    known, inside = {t.name for t in graph.initializer}, []
    for node in graph.node:
        if set(filter(None, node.input)) <= known:
            known |= set(node.output)
            continue
        kinds = [(n, values[n].dtype.kind) for n in node.output]
        inside += [
            n for n, kind in kinds if kind in "iu" or node.op_type == "DynamicQuantizeLinear"
        ]
    outputs = {o.name for o in graph.output}
    return [name for name in inside if name not in outputs]


def exposed(case, but=()):
    """The model with all inner codes as outputs too, but some."""
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    shown = (name for name in case.inner if name not in but)
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in shown)
    return model.SerializeToString()


def run(session, feeds):
    return dict(zip((o.name for o in session.get_outputs()), session.run(None, feeds)))


def wrong_codes(codes, exact, reach=0.5):
    """Where the codes are not what `exact` rounds to, ties aside."""
    info = np.iinfo(codes.dtype)
    near = np.clip(exact, info.min, info.max)
    away = np.abs(codes.astype(np.float64) - near)
    allowed = reach + TIE + 1e-5 * np.abs(near)
    return ~((away <= allowed) | np.isnan(exact))


def wrong_floats(values, exact, error):
    largest = np.abs(exact[np.isfinite(exact)]).max(initial=1e-30)
    with np.errstate(invalid="ignore"):
        away = np.abs(values - exact)
    return ~((away <= error * largest + LEAST_ERROR) | (np.isnan(values) & np.isnan(exact)))


def complaint(name, got, exact, error=FLOAT_ERROR, reach=0.5):
    """What is wrong with a value, or nothing."""
    if got.shape != exact.shape:
        return f"{name}: shape {got.shape}, not {exact.shape}"
    if got.dtype.kind == "f":
        wrong = wrong_floats(got, exact, error)
    elif got.dtype.itemsize > 1:
        wrong = got != exact
    else:
        wrong = wrong_codes(got, exact, reach)
    wrong = np.atleast_1d(wrong)
    if not wrong.any():
        return ""
    where = tuple(int(i[0]) for i in np.nonzero(wrong))
    got, exact = np.atleast_1d(got), np.atleast_1d(exact)
    return (
        f"{name}{list(where)}: {got[where]}, exactly {exact[where]:.6g}; "
        f"{np.count_nonzero(wrong)} of {got.size} wrong"
    )


def judge(model, feeds, results):
    """All complaints about the results of a run with every code exposed."""
    values = meaning.evaluate(model, feeds, results)
    exact = {
        name: values.before_rounding[name] for name in results if name in values.before_rounding
    }
    found = (
        complaint(name, results[name], e, reach=values.reach.get(name, 0.5))
        for name, e in exact.items()
    )
    return [text for text in found if text]


def sqnr(wanted, got):
    """Signal to noise in dB."""
    wanted, got = wanted.astype(np.float64), got.astype(np.float64)
    noise = np.square(wanted - got).sum()
    signal = np.square(wanted).sum()
    return NOTHING if noise == 0 else float(10 * np.log10(max(signal, 1e-30) / noise))


def producer(model, name):
    """`OP node` that makes a value, for messages."""
    made = [n for n in model.graph.node if name in n.output]
    return f"{made[0].op_type} -> {name}" if made else name


def describe(node):
    return helper.printable_node(node)
