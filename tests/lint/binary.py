# SPDX-License-Identifier: Apache-2.0
"""Rules about what was built. Each takes a Build and yields findings; the work is done by
functions of text, which the self-test feeds."""

import itertools
import pathlib
import re
import subprocess

BYTES_MOST = 2_000_000
KERNEL_CALLS = {"memcpy", "memset", "memmove"}
FORBIDDEN = re.compile(
    r"^(?:v?f?printf|puts|f?putc(?:har)?|fwrite|fopen|perror|exit|_exit|abort|__assert_fail"
    r"|system|__v?f?printf_chk"
    r"|stdout|stderr)$"
)
# What multiplies in each set's products: of bytes, and of 16 bits in Winograd's points.
MULTIPLIES = {
    "avx2": r"vpmaddwd|vpmaddubsw",
    "avxvnni": r"vpdpbusds?|vpdpwssd",
    "avx512vnni": r"vpdpbusds?|vpdpwssd",
    "amxint8": r"tdpb[us]sd",
    "neon": r"[su]m(?:ull|lal)2?(?=\s+v)",  # not of addresses
    "dotprod": r"[su]dot",
    "i8mm": r"u?smmla",
}
# Kernels of i8mm whose names do not end with the 8 k of a matrix product.
DOTS_OF_I8MM = r"(?:s|us|su)dot"
MULTIPLY = re.compile(rf"\b(?:{'|'.join([*MULTIPLIES.values(), DOTS_OF_I8MM])})\b")


class Build:
    """A build folder: its library and the objects it was made of."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        config = (self.folder / "build.ninja").read_text(encoding="utf-8", errors="replace")
        prefix = "aarch64-linux-gnu-" if "aarch64-linux-gnu-gcc" in config else ""
        self.nm, self.objdump, self.arm = prefix + "nm", prefix + "objdump", bool(prefix)
        self.library = next(iter(sorted(self.folder.glob("libquernel.so.*.*"))), None)

    def objects(self):
        """(instruction set, object): "" for the baseline."""
        for path in sorted(self.folder.glob("libquernel.*.p/*.o")):
            yield "", path
        for path in sorted(self.folder.glob("kernels/libquernel_*.a.p/*.o")):
            yield re.match(r"libquernel_(\w+)\.a\.p", path.parent.name)[1], path

    def run(self, *command):
        return subprocess.run(
            [str(word) for word in command], capture_output=True, text=True, check=True
        ).stdout

    def names(self, path, *options):
        return [
            line.split()[0].split("@")[0]
            for line in self.run(self.nm, "-P", *options, path).splitlines()
            if line
        ]

    def code(self, path):
        return self.run(self.objdump, "-d", "--no-show-raw-insn", path)


def bad_exports(names):
    return [
        n
        for n in names
        if not n.startswith("quernel_") or n.startswith(("quernel_i_", "quernel_uk_"))
    ]


def exports_its_interface(build):
    if build.library is None:
        yield "there is no libquernel.so"
        return
    for name in bad_exports(build.names(build.library, "-D", "--defined-only")):
        yield f"{build.library.name}: exports {name}"
    for name in build.names(build.library, "-D", "--undefined-only"):
        if FORBIDDEN.match(name):
            yield f"{build.library.name}: uses {name}: it writes to no stream and never exits"
    if build.library.stat().st_size > BYTES_MOST:
        yield f"{build.library.name}: {build.library.stat().st_size} bytes, {BYTES_MOST} at most"


PLUGIN = "engines/onnxruntime/libquernel_onnxruntime.so"
PLUGIN_EXPORTS = {"CreateEpFactories", "ReleaseEpFactory"}
PLUGIN_FORBIDDEN = re.compile(r"^(?:printf|puts|putchar|perror|_?exit|abort|stdout|stderr)$")


def bad_plugin(exported, used):
    """What the plugin exports or lacks against its interface, and what a guest does not call."""
    return sorted(set(exported) ^ PLUGIN_EXPORTS) + [n for n in used if PLUGIN_FORBIDDEN.match(n)]


def plugin_is_a_guest(build):
    plugin = build.folder / PLUGIN
    if plugin.exists():
        exported = build.names(plugin, "-D", "--defined-only")
        used = build.names(plugin, "-D", "--undefined-only")
        for name in bad_plugin(exported, used):
            yield f"{plugin.name}: {name}: it exports two names, writes to no stream, never exits"


def bad_writers(objects):
    """Of (object, names it uses): those that write to a file, but the misses file's."""
    return [name for name, used in objects if "write" in used and name != "src_table_misses.c.o"]


def writes_misses_alone(build):
    objects = [
        (path.name, build.names(path, "--undefined-only"))
        for isa, path in build.objects()
        if not isa
    ]
    for name in bad_writers(objects):
        yield f"{name}: uses write: the library writes nothing but the misses file"


def bad_linkage(names):
    return [n for n in names if not n.startswith("quernel_")]


def keeps_its_prefix(build):
    for _, path in build.objects():
        for name in bad_linkage(build.names(path, "--defined-only", "-g")):
            yield f"{path.name}: {name} has linkage and not our prefix"


def bad_calls(isa, names):
    allowed = KERNEL_CALLS | ({"fmaf"} if isa == "ref" else set())
    return [n for n in names if n not in allowed and not n.startswith("_GLOBAL_OFFSET_TABLE_")]


def has_leaf_kernels(build):
    sanitized = "b_sanitize=" in str(build.folder)
    for isa, path in build.objects():
        if isa and not sanitized:
            for name in bad_calls(isa, build.names(path, "--undefined-only")):
                yield f"{isa}/{path.name}: calls {name}"


TILES = re.compile(r"t(?:dp|ile(?:load|stor|zero))")  # what else they have may be saved anywhere


def is_foreign(isa, text):
    """Whether this instruction belongs to a set above `isa` ("": the baseline)."""
    vex = re.match(r"v[a-z]", text) and re.search(r"%[xyz]mm", text)
    wide = re.search(r"%zmm|%k[0-7]|%[xy]mm(?:1[6-9]|2\d|3[01])\b", text)
    beyond = {
        "": vex or wide,
        "ref": vex or wide,
        "avx2": wide or "vpdp" in text,
        "avxvnni": wide or text.startswith("vpdp"),  # the VEX form is written {vex} vpdp…
    }
    return bool(beyond.get(isa) or (isa != "amxint8" and TILES.match(text)))


def is_foreign_arm(isa, text):
    """The same of AArch64, whose words x86 does not have."""
    dot, matrix = re.match(r"[su]dot\b", text), re.match(r"(?:us|su)dot\b|u?[su]mmla\b", text)
    return bool((matrix and isa != "i8mm") or (dot and isa not in ("dotprod", "i8mm")))


def leaks(isa, code):
    """Instructions that this instruction set does not have."""
    texts = [line.split("\t", 1)[-1].strip() for line in code.splitlines() if "\t" in line]
    return [text for text in texts if is_foreign(isa, text) or is_foreign_arm(isa, text)]


def stays_within_its_isa(build):
    for isa, path in build.objects():
        found = leaks(isa, build.code(path))
        if found:
            yield (
                f"{isa or 'baseline'}: {path.name}: {len(found)} instructions of another set, "
                f"first: {found[0]}"
            )


def functions(code):
    """{name: [(address, text)]} of a disassembly."""
    found, current = {}, None
    for line in code.splitlines():
        head = re.match(r"^[0-9a-f]+ <([^>]+)>:", line)
        body = re.match(r"^\s*([0-9a-f]+):\s+(.*)$", line)
        if head:
            current = found.setdefault(head[1], [])
        elif body and current is not None:
            current.append((int(body[1], 16), body[2].strip()))
    return found


def loop_spans(instructions):
    """(first, last) instruction of the loops: what a jump backwards spans."""
    addresses = {address: i for i, (address, _) in enumerate(instructions)}
    spans = []
    for i, (_, text) in enumerate(instructions):
        jump = re.match(
            r"(?:j\w+|b|b\.\w+|cbn?z|tbn?z)\s+(?:\w+,\s*)*(?:#\d+,\s*)?([0-9a-f]+)\b", text
        )
        if jump and int(jump[1], 16) in addresses and addresses[int(jump[1], 16)] <= i:
            spans.append((addresses[int(jump[1], 16)], i))
    return spans


def innermost(spans):
    """Those that hold no other."""
    return [s for s in spans if not any(o != s and s[0] <= o[0] and o[1] <= s[1] for o in spans)]


def inner_loops(instructions):
    """Bodies of loops that hold no other loop and do multiply."""
    inner = innermost(loop_spans(instructions))
    bodies = [[text for _, text in instructions[a : b + 1]] for a, b in inner]
    return [body for body in bodies if any(MULTIPLY.search(text) for text in body)]


def spills(body):
    """Stores of vector registers to the stack."""
    return [
        t
        for t in body
        if re.match(r"v?mov\w*\s+%[xyz]mm\d+,.*\(%r[sb]p", t)
        or re.match(r"st[rp]\s+q\d+.*\[(?:sp|x29)", t)
    ]


def keeps_accumulators(build):
    for isa, path in build.objects():
        if isa in ("", "ref") or not re.search("gem|conv", path.name):
            continue
        loops = [
            (name, body)
            for name, text in functions(build.code(path)).items()
            for body in inner_loops(text)
        ]
        if not loops:
            yield f"{isa}/{path.name}: no inner loop that multiplies was found"
        for name, body in loops:
            if spills(body):
                yield f"{isa}/{path.name}: {name}: {len(spills(body))} spills in the inner loop"


def multiply_of(isa, kernel):
    """What multiplies in a kernel's inner loops, or None where it multiplies nothing."""
    if not re.search(r"gem[mv]|conv|depthwise", kernel):
        return None
    by_dots = isa == "i8mm" and not re.search(r"\dx8\b", kernel)
    own = DOTS_OF_I8MM if by_dots else MULTIPLIES[isa]
    return re.compile(rf"\b(?:{own})\b")


def strange_products(isa, kernel, loops):
    """What is wrong with {(function, number): body} of a kernel's inner loops that multiply."""
    own = multiply_of(isa, kernel)
    if own and not any(map(own.search, itertools.chain(*loops.values()))):
        yield f"no inner loop has {own.pattern}"
    # A depthwise kernel may take windows that its own instruction does not suit in another way.
    for (function, _), body in loops.items() if own and "depthwise" not in kernel else ():
        if not any(map(own.search, body)):
            yield f"{function}: an inner loop multiplies without {own.pattern}"


def multiplies_by_its_set(build):
    for isa, path in build.objects():
        if isa not in ("", "ref"):
            code = functions(build.code(path)) if multiply_of(isa, path.name) else {}
            loops = {
                (name, number): body
                for name, text in code.items()
                for number, body in enumerate(inner_loops(text))
            }
            for finding in strange_products(isa, path.name, loops):
                yield f"{isa}/{path.name}: {finding}"


RULES = [
    exports_its_interface,
    plugin_is_a_guest,
    writes_misses_alone,
    keeps_its_prefix,
    has_leaf_kernels,
    stays_within_its_isa,
    keeps_accumulators,
    multiplies_by_its_set,
]
