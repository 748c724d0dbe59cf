# SPDX-License-Identifier: Apache-2.0
"""Shows what the rule on measured tables finds."""

import json

from figures import machine, mca, rows, tables

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
AMD = "vendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: EPYC\n"


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


def trials():
    full = {**GIVEN, "bench/FIGURES.md": tables.filled(BLOCK, GIVEN)}
    raised = {**full, tables.KREVS: f"{GEMM} 4 0\n"}
    yield "figures: a table that is not there", list(tables.check(GIVEN))
    yield "figures: a table that is up to date", not list(tables.check(full))
    yield "figures: a kernel that changed since", list(tables.check(raised))
    yield "figures: its mark", tables.OLDER in tables.filled(BLOCK, raised)
    yield "figures: losses are bold", LINE in full["bench/FIGURES.md"]
    yield "figures: a row on a line", json.loads(tables.compact(RESULT)) == RESULT
    yield "figures: the class of a machine", machine.class_of(AMD, "avx2") == "amd-25-17-avx2"
    yield from model_trials()
    for kind, given in KINDS.items():
        yield f"figures: {kind}", rows.kind_of({**CONV, **given}) == kind
