# SPDX-License-Identifier: Apache-2.0
"""Shows what the rule on measured tables finds, and which rows of a tune are built in."""

import json
import pathlib
import tempfile

from figures import builtin, mca, rows, tables

GEMM = "quernel_uk_gemm_u8s8_6x16x4_avx2"
BLOCK = "<!-- measured: zen rows -->\n<!-- end of measured -->\n"
RESULT = {
    "usable": "ref avx2 avxvnni",
    "krevs": {GEMM: 3},
    "runs": [
        {
            "isa": isa,
            "boundary": "int8",
            "threads": 1,
            "rows": {"bert 1x2x3": [ms, ms, ms, 50, GEMM]},
        }
        for isa, ms in (("avx2", 1.0), ("avxvnni", 1.5))
    ]
    + [
        {
            "isa": "avxvnni",
            "boundary": "int8",
            "threads": 1,
            "peer": "onednn",
            "rows": {"bert 1x2x3": [1.5, 1.2, 0.8, 0.79, 0.82]},
        }
    ],
}
GIVEN = {
    "bench/FIGURES.md": BLOCK,
    f"{tables.RESULTS}/zen.json": json.dumps(RESULT),
    f"{tables.SHAPES}/layers.csv": "model,layer\n",
    f"{tables.SHAPES}/gemm.csv": "kind,m,n,k\nbert,1,2,3\n",
    tables.KREVS: f"# kernel, krev, hash\n{GEMM} 3 0\n",
}
LINE = "| bert 1x2x3 | **1.5 (50 %)** · 1 (50 %) |  | **0.80 [0.79, 0.82]** onednn |  |  |"
CONV = {
    "op": "conv", "c_in": "64", "kernel": "3", "stride": "1", "groups": "1", "dilation": "1",
}  # fmt: skip
KINDS = {
    "3x3": {},
    "3x3, stride 2": {"stride": "2"},
    "1x1": {"kernel": "1"},
    "other": {"c_in": "3"},
    "deconvolution": {"op": "deconv"},
    "depthwise": {"op": "depthwise"},
}
CORE = "ref+avx2 l1d=32K l2=512K core=amd-25-1"
CLASS = "amd-25-1-avx2"
BUILT_IN = f"{builtin.FOLDER}/{CLASS}.qtn"


LOOP = ["ldr\tq0, [x0]", "smull\tv1.8h, v0.8b, v2.8b", "b.ne\t5c0 <f+0x20>  // b.any"]
WIDE = ["smlal2\tv1.4s, v0.8h, v2.8h", "sudot\tv1.4s, v0.16b, v2.4b[0]", "usmmla\tv1.4s, v0.16b"]


def model_trials():
    """Of Arm's loops, which a model counts."""
    known = {"neon/gemm f": [3, 8, 1, 4.0, 4.0, 4.0, 4.0, None]}

    def found(*figures, name="neon/gemm f"):
        return list(mca.bad_loops(known, {name: [*figures, None]}))

    yield "model: a loop that is as it was", not found(3, 8, 1, 4.0, 4.0, 4.0, 3.7)
    yield "model: a slower one", found(3, 8, 1, 4.0, 4.0, 4.0, 3.5)
    yield "model: a spill", found(3, 8, 2, 4.0, 4.0, 4.0, 4.0)
    yield "model: one that is new, one that is lost", len(found(3, 8, 1, 4, 4, 4, 4, name="g")) == 2
    yield "model: products of all widths", [mca.macs_of([one]) for one in WIDE] == [4, 16, 32]
    yield "model: a loop with another way through", mca.macs_of([*LOOP, *LOOP]) == 0
    yield "model: a loop's label", mca.assembly(7, LOOP).endswith("b.ne\tloop7\n# LLVM-MCA-END\n")


def row(shape, product, verdict, krev=3, machine=CORE, env="threads=1 warm"):
    """A line of a table."""
    columns = (
        *("qtn1", "linear", shape, product, env, f"kernel={GEMM} path=inplace", str(krev)),
        *("2", "1", "1.1", "1.0", "1.2", "48", verdict, "measure", "1", "0"),
        *("2026-11-30T00:00:00Z", machine, "-", "-"),
    )
    line = "\t".join(columns)
    return f"{line}\t{builtin.embed.crc32c(line.encode()):08x}"


def found_in(*lines):
    """What the rule says of a table of these rows."""
    return list(builtin.check({BUILT_IN: builtin.text_of(CLASS, lines)}, {GEMM: 3}))


def is_dropped():
    alive, dead = row("a", "64x64x64", "win"), row("b", "64x64x64", "win", krev=2)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / BUILT_IN
        path.parent.mkdir(parents=True)
        path.write_text(builtin.text_of(CLASS, [dead, alive]), encoding="ascii")
        said = list(builtin.drop_dead(pathlib.Path(folder), {GEMM: 3}))
        left = path.read_text(encoding="ascii")
        return len(said) == 1 and left == builtin.text_of(CLASS, [alive])


def builtin_trials():
    win, tie = row("a", "64x64x64", "win"), row("b", "128x64x32", "tie")
    within = row("b", "128x64x32", "tie", env="threads=1 network")
    far = row("c", "64x64x256", "tie")
    threaded = row("b", "64x64x64", "tie", env="threads=2 warm")

    def kept(*lines, again="a"):
        return builtin.kept("\n".join(lines), "tuned", {("linear", again, "threads=1 warm")})

    beside = kept(win, tie, within, far, threaded)
    yield "built-in: a win, and the ties that it would be taken for", beside == [win, tie, within]
    yield "built-in: without wins nothing", not kept(tie, far)
    yield "built-in: the last row of a layer", not kept(win, row("a", "64x64x64", "tie"))
    yield "built-in: a win that was none again", not kept(win, tie, again="b")
    yield "built-in: rows that match", not found_in(win, tie)
    yield "built-in: a kernel that changed since", found_in(row("a", "64x64x64", "win", krev=2))
    yield "built-in: another core", found_in(row("a", "64x64x64", "win", machine=CORE[:-1] + "17"))
    yield "built-in: no core", found_in(row("a", "64x64x64", "win", machine="ref+avx2 l1d=32K"))
    yield "built-in: such rows are dropped", is_dropped()


def trials():
    full = {**GIVEN, "bench/FIGURES.md": tables.filled(BLOCK, GIVEN)}
    raised = {**full, tables.KREVS: f"{GEMM} 4 0\n"}
    yield "figures: a table that is not there", list(tables.check(GIVEN))
    yield "figures: a table that is up to date", not list(tables.check(full))
    yield "figures: a kernel that changed since", list(tables.check(raised))
    yield "figures: its mark", tables.OLDER in tables.filled(BLOCK, raised)
    yield "figures: losses are bold", LINE in full["bench/FIGURES.md"]
    yield "figures: a row on a line", json.loads(tables.compact(RESULT)) == RESULT
    yield from model_trials()
    yield from builtin_trials()
    for kind, given in KINDS.items():
        yield f"figures: {kind}", rows.kind_of({**CONV, **given}) == kind
