# SPDX-License-Identifier: Apache-2.0
"""Networks that are tuned as such: rows of each key, taken up again, and files that are none."""

import json

from trouble.program import BUDGET, expect, expect_run, rows, run, table_of

HEAD = "model,layer,op,c_in,h,w,c_out,kernel,stride,pad,activation,input,slice,residual\n"
# b and c have one key; d adds what b wrote
LAYERS = [
    "small,a,conv,8,12,12,16,3,2,1,relu,0,,",
    "small,b,conv,16,6,6,16,3,1,1,relu,1,,",
    "small,c,conv,16,6,6,16,3,1,1,relu,2,,",
    "small,d,conv,16,6,6,16,3,1,1,relu,3,0,2",
]
LAYER_B = ["--conv", "16x6x6:16:3:1:1"]


def network(home, layers=tuple(LAYERS)):
    path = home / "networks.csv"
    path.write_text(HEAD + "\n".join(layers) + "\n")
    return ["--network", path]


def networks_have_a_row_a_key(home):
    told = home / "told.json"
    expect_run(home, "tune", *network(home), *BUDGET, "--json", told, says="0 failed")
    found = [row.split(b"\t") for row in rows(table_of(home))]
    expect(len(found) == 3, f"{len(found)} rows of 4 layers, two with one key")
    expect({row[4] for row in found} == {b"threads=1 network"}, str(found))
    layers = json.loads(told.read_text())["layers"]
    expect([layer["env"] for layer in layers] == ["threads=1 network"] * 3, str(layers))
    again = expect_run(home, "tune", *network(home), *BUDGET, says="3 kept")
    expect("small_b" in again.stderr and "and 1 like it" in again.stderr, again.stderr)
    expect(len(rows(table_of(home))) == 3, "a part was tuned twice")
    # one layer's plan may be looked at without its network
    expect_run(home, "explain", *LAYER_B, says="its own row")
    # what is timed alone has a row of its own, and does not hide the network's
    expect_run(home, "tune", *LAYER_B, *BUDGET, says="0 kept")
    expect(len(rows(table_of(home))) == 4, "the layer alone has no row")
    shown = run(home, "explain", *LAYER_B).stdout
    expect("measured" not in shown, f"the network's row is not taken: {shown}")
    # the layer's own row may be lost by now: what takes its time is not tested
    checked = run(home, "recheck", "--rounds", "3")
    expect("timed within a network" in checked.stdout + checked.stderr, checked.stderr)


def networks_that_are_none(home):
    def changed(at, line):
        return [*LAYERS[:at], line, *LAYERS[at + 1 :]]

    cases = [
        (changed(1, "small,b,conv,16,6,6,16,3,1,1,relu,7,,"), "small: b: input: 7: must be a row"),
        (changed(1, "small,b,conv,16,7,6,16,3,1,1,relu,1,,"), "small: b: input: 1: has other"),
        (changed(3, "small,d,conv,16,6,6,16,3,1,1,relu,3,0,9"), "small: d: residual: 9: must be"),
        (changed(3, "small,d,conv,16,6,6,16,3,1,1,relu,3,,2"), "small: d: row: 4: no row reads"),
        (changed(0, "small,a,conv,8,12,x,16,3,2,1,relu,0,,"), "networks.csv:2: w: x"),
        (changed(0, "small,a,conv,8,12,12,16,3,2,1,sharp,0,,"), "small: a: activation: sharp"),
        ([], "layers: none given"),
    ]
    for layers, says in cases:
        done = expect_run(home, "tune", *network(home, layers), *BUDGET, code=2, says=says)
        expect(done.stderr.count("\n") == 1, done.stderr)
    there = network(home)
    expect_run(home, "tune", *there, "--gemm", "8x32x32", code=2, says="--network: other layers")
    expect_run(home, "tune", *there, "--filter", "large", code=2, says="--filter: large")
    expect_run(home, "tune", "--network", home / "none.csv", code=2, says="cannot be read")
    expect(not rows(table_of(home)), "a refused network has rows")


TESTS = [networks_have_a_row_a_key, networks_that_are_none]
