# SPDX-License-Identifier: Apache-2.0
"""Files of lines that the program reads: what cannot be taken whole is refused by line and reason,
never split, cut or passed over."""

from trouble.outputs import landscape
from trouble.program import expect_run

LAYERS = "layer,op,c_in,h,w,c_out,kernel,stride,pad"
LAYER = "one,conv,16,8,8,16,3,1,1"
MISS = (
    "conv2d k3x3 s1x1 d1x1 g1 x=u8.nhwc.b0x0 y=u8.nhwc.b0x0 q=static smooth=none\t"
    "1x16x8x8:16x8x8:p1x1\tthreads=1 warm"
)
WIDE = ",".join(f"c{i}" for i in range(40))

# What stands in the file, and what is said of it behind the file's name.
LISTS = [
    (f"{LAYERS}\n{LAYER}\n{LAYER}{' ' * 9000}\n", ":3: line: is longer than 8191 bytes"),
    (f"{LAYERS}{' ' * 9000}\n{LAYER}\n", ":1: line: is longer than 8191 bytes"),
    (f"{LAYERS}\n{LAYER}\0,\n", ":2: line: holds a byte of 0"),
    (f"{LAYERS}\0\n{LAYER}\n", ":1: line: holds a byte of 0"),
    (f"{LAYERS},{WIDE}\n", ":1: fields: more than 40"),
    (f"{LAYERS}\n{LAYER},{WIDE}\n", ":2: fields: more than 40"),
    (f"{LAYERS}\n{LAYER},1\n", ":2: fields: 10, where the header names 9"),
    (f"{LAYERS},batch\n{LAYER}\n", ":2: fields: 9, where the header names 10"),
    (f"{LAYERS},h\n{LAYER},9\n", ":1: h: names two columns"),
    (f'{LAYERS}\n"a,b",conv,16,8,8,16,3,1,1\n', ":2: quotes are not read"),
    (f"{LAYERS}\n{'n' * 112}{LAYER[3:]}\n", ":2: layer: is longer than 111 bytes"),
    (f"{LAYERS},activation\n{LAYER},{'r' * 16}\n", ":2: activation: is longer than 15 bytes"),
    (f"model,{LAYERS}\n{'m' * 48},{LAYER}\n", ":2: model: is longer than 47 bytes"),
    (f"{LAYERS}\n\n{LAYER[:-1]}99999999999\n", ":3: pad: 99999999999"),
    ("", ":1: header: (missing)"),
]

MISSES = [
    (f"{MISS}\nconv2d k3x3\n", ":2: misses: not op, shape and env"),
    (f"{MISS}\t1\n", ":1: misses: not op, shape and env"),
    (f"{MISS}\n{'m' * 9000}\n", ":2: line: is longer than 8191 bytes"),
    (f"{MISS}\0\n", ":1: line: holds a byte of 0"),
]


def written(home, content):
    path = home / "read"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refused(home, cases, *words):
    for content, says in cases:
        expect_run(home, *words, written(home, content), code=2, says=f"read{says}")


def lists_are_read_whole(home):
    refused(home, LISTS, "explain", "--layers")
    # What is no fault: marks of editors, long lines, names as long as they may be.
    name, model = "n" * 111, "m" * 47
    text = f"\ufeffmodel,{LAYERS},about\r\n{model},{name}{LAYER[3:]},{'x' * 4000}\r\n"
    expect_run(home, "explain", "--layers", written(home, text), "--filter", name, says="conv2d")


def misses_are_read_whole(home):
    refused(home, MISSES, "explain", "--misses")
    expect_run(home, "explain", "--misses", home / "none", code=2, says="none:0: file: cannot be")
    foreign = MISS + "er", MISS.replace("16x8", "4294967312x8"), MISS.replace("b0x0 y", "b y")
    for miss in foreign:
        mixed = written(home, f"{MISS}\n{miss}\n")
        expect_run(home, "explain", "--misses", mixed, says="cannot be made again")


def landscapes_are_read_whole(home):
    text = landscape().read_text(encoding="utf-8")
    lines = text.splitlines()
    plan = len(lines)
    cases = [
        (f"{text}{'c' * 9000}\n", f":{plan + 1}: line: is longer than 8191 bytes"),
        (f"{text[:-1]}\0\n", f":{plan}: line: holds a byte of 0"),
        (f"{text[:-1]}x\n", f":{plan}: is no time"),
        (f"{text[:-1]}\t1\n", f":{plan}: has other rounds than the first plan"),
        (f"{text}{'c' * 320}\t1\n", f":{plan + 1}: is no plan"),
        (text.replace(lines[1], lines[1] + "o" * 200), ":2: is longer than any"),
        ("# op\tlinear\n", ":2: landscape: names no layer and plans"),
    ]
    refused(home, cases, "plot")


TESTS = [lists_are_read_whole, misses_are_read_whole, landscapes_are_read_whole]
