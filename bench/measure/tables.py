# SPDX-License-Identifier: Apache-2.0
"""Writes the tables of bench/results/*.json into the documents that ask for them:

<!-- measured: CLASS TABLE -->     TABLE: machine, kinds or rows; kernels, of a model; rows, of the
                                   built-in tables
<!-- end of measured -->"""

import json
import math
import pathlib
import re

from bench import rows
from bench.measure import builtin, model

ROOT = pathlib.Path(__file__).resolve().parents[2]
RESULTS, SHAPES, KREVS = "bench/results", "bench/shapes", "tests/lint/krev.txt"
DOCUMENTS = ("README.md", "bench/FIGURES.md")
BLOCK = re.compile(
    r"(?P<begin><!-- measured: (?P<of>\S+) (?P<table>\S+) -->\n).*?"
    r"(?P<end><!-- end of measured -->)",
    re.DOTALL,
)
TOLD = {"avx2": "AVX2", "avxvnni": "AVX-VNNI", "avx512vnni": "AVX-512-VNNI", "amxint8": "AMX"}
# of comparisons, as bench/peers/README.md has them
BESIDE = {"int8": "u8 NHWC", "f32": "f32 NCHW", "qdq": "f32 NCHW of codes (in ONNX Runtime)"}
OLDER = "†"  # the kernel was changed since
SLOWER = 1.02  # times a lower instruction set's time: from there on a loss


def texts():
    """{path: text} of what the tables are made of, and of the documents."""
    found = [KREVS, *DOCUMENTS]
    for pattern in (f"{RESULTS}/*.json", f"{SHAPES}/*.csv", f"{builtin.FOLDER}/*.qtn"):
        found += [path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern)]
    return {name: (ROOT / name).read_text(encoding="utf-8") for name in found}


def recorded_krevs(text):
    """krev of each kernel in a tree."""
    lines = [line.split() for line in text.splitlines() if not line.startswith("#")]
    return {kernel: int(krev) for kernel, krev, _ in lines}


def compact(result):
    """JSON with a line for each row, so that a new measurement is read as a difference."""
    text = json.dumps(result, indent=1, ensure_ascii=False)
    return (
        re.sub(r"\[\s+([^][{}]*?)\s+\]", lambda m: "[" + " ".join(m[1].split()) + "]", text) + "\n"
    )


def geometric_mean(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values))


class Results:
    """Of one class of machines."""

    def __init__(self, found, given):
        """given: texts()"""
        self.found, self.krevs = found, recorded_krevs(given[KREVS])
        self.isas = [isa for isa in reversed(found["usable"].split()) if isa != "ref"]
        self.lists = {
            rows.name_of(row): rows.kind_of(row)
            for name in ("layers.csv", "gemm.csv")
            for row in rows.rows_of(given[f"{SHAPES}/{name}"])
        }

    def alone(self, boundary, isa, threads=1):
        """name -> [ms, lo, hi, % of peak, kernel]"""
        found = {}
        for run in self.found["runs"]:
            if "peer" not in run and (run["boundary"], run["isa"], run["threads"]) == (
                boundary,
                isa,
                threads,
            ):
                found.update(run["rows"])
        return found

    def best(self, boundary, name):
        """(peer, [ours ms, its ms, ratio, lo, hi]) of the fastest, or None."""
        found = [
            (run["peer"], run["rows"][name])
            for run in self.found["runs"]
            if "peer" in run and run["boundary"] == boundary and name in run["rows"]
        ]
        return min(found, key=lambda one: one[1][2], default=None)

    def mark(self, kernel):
        same = self.krevs.get(kernel) == self.found["krevs"].get(kernel)
        return "" if same else OLDER

    def whole(self):
        """(name, boundary, peer, figures) of networks."""
        for run in self.found["runs"]:
            for name, figures in run["rows"].items():
                if "peer" in run and name not in self.lists:
                    yield name, run["boundary"], run["peer"], figures


def _bold(text, lost):
    return f"**{text}**" if lost else text


def _ratio(ratio, lo, hi):
    return _bold(f"{ratio:.2f} [{lo:.2f}, {hi:.2f}]", hi < 1)


def _names(isas):
    return " · ".join(TOLD[isa] for isa in isas)


def machine(results):
    """What was measured, on what."""
    found = results.found
    of = f"{found['class']}: {found['model']}, {found['compiler']}"
    peaks = ", ".join(f"{TOLD[isa]} {gops}" for isa, gops in found["peaks"].items())
    rounds = max(run["rounds"] for run in found["runs"])
    yield f"`./dev measure`, {found['date']}, {of},"
    yield f"commit {found['commit']}, {rounds} rounds. Probed peaks, GOPS: {peaks}."
    for reason in found["skipped"]:
        yield f"Skipped: {reason}."


def _shares(results, isa, boundary, names):
    ran = results.alone(boundary, isa)
    shares = [ran[name][3] for name in names if name in ran]
    return f"{geometric_mean(shares):.0f}" if shares else "–"


def _ratios(results, boundary, names):
    """The best peer over Quernel: mean, least, losses."""
    best = [one[1] for one in (results.best(boundary, name) for name in names) if one]
    if not best:
        return ""
    mean, least = geometric_mean(one[2] for one in best), min(one[2] for one in best)
    losses = sum(hi < 1 for *_, hi in best)
    told = (_bold(f"{figure:.2f}", figure < 1) for figure in (mean, least))
    return f"{', '.join(told)}, {losses} of {len(best)}"


def kinds(results):
    """A line for each kind of layer: geometric means."""
    of, beside = _names(results.isas), " | ".join(BESIDE.values())
    yield f"| best peer over Quernel: mean, least, losses | % of peak: {of} | {beside} |"
    yield "|---|---|---|---|---|"
    groups = [(kind, [n for n, k in results.lists.items() if k == kind]) for kind in rows.KINDS]
    for kind, names in [*groups, ("all", list(results.lists))]:
        shares = " · ".join(_shares(results, isa, "int8", names) for isa in results.isas)
        ratios = (_ratios(results, boundary, names) for boundary in BESIDE)
        yield f"| {kind} | {shares} | {' | '.join(ratios)} |"
    for name, boundary, peer, (ours, _, ratio, lo, hi) in results.whole():
        told = _ratio(ratio, lo, hi)
        cells = [told if boundary == each else "" for each in BESIDE]
        yield f"| {name}, {ours:.1f} ms, {peer} | | {' | '.join(cells)} |"


def _times(results, boundary, name):
    """ms of each instruction set, the highest first; bold where a lower one is faster, a dash where
    it has no kernel of its own."""
    ran = [results.alone(boundary, isa).get(name) for isa in results.isas]
    for number, one in enumerate(ran if any(ran) else []):
        if not one:
            yield "–"
        else:
            lower = [other[0] for other in ran[number + 1 :] if other]
            lost = bool(lower) and one[0] > SLOWER * min(lower)
            share = f" ({one[3]:.0f} %)" if boundary == "int8" else ""
            yield _bold(f"{one[0]:.3g}{share}", lost) + results.mark(one[4])


def _beside(results, boundary, name):
    best = results.best(boundary, name)
    if not best:
        return ""
    peer, (_, _, *ratio) = best
    return f"{_ratio(*ratio)} {peer}"


def every_row(results):
    of, beside = _names(results.isas), " | ".join(BESIDE.values())
    yield f"| ms: {of} | chain tensors (% of peak) | f32 NCHW | best peer: {beside} |"
    yield "|---|---|---|---|---|---|"
    for name in results.lists:
        times = (" · ".join(_times(results, boundary, name)) for boundary in ("int8", "f32"))
        others = (_beside(results, boundary, name) for boundary in BESIDE)
        yield f"| {name} | {' | '.join(times)} | {' | '.join(others)} |"


TABLES = {"machine": machine, "kinds": kinds, "rows": every_row}


def filled(text, given):
    """The document with its tables as the results say."""

    def lines(of, table):
        if of == builtin.NAME:
            return builtin.table(given)
        found = json.loads(given[f"{RESULTS}/{of}.json"])
        if of == model.NAME:
            return model.TABLES[table](found)
        return TABLES[table](Results(found, given))

    def fill(block):
        return block["begin"] + "\n".join(lines(block["of"], block["table"])) + "\n" + block["end"]

    return BLOCK.sub(fill, text)


def check(given):
    """The lint's rule."""
    yield from builtin.check(given, recorded_krevs(given[KREVS]))
    for name in DOCUMENTS:
        if name in given and filled(given[name], given) != given[name]:
            yield f"{name}: tables are not what {RESULTS} says: python3 -m bench.measure.tables"


def write():
    given = texts()
    for name in DOCUMENTS:
        (ROOT / name).write_text(filled(given[name], given), encoding="utf-8")


if __name__ == "__main__":
    write()
