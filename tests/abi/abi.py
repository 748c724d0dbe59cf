#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The interface of today against the recorded one, baseline/.

  types     abidiff of a stub library, which defines every function of the headers, with debug
            information: a removed member, a moved one, another enumerator, another argument
  symbols   the library exports what the headers declare, no more and no less
  programs  old_program.c, compiled against the baseline's headers and against grown ones, runs
            with today's library
  itself    mutated headers, each of which must be caught

`abi.py --refresh` records today's interface, for a change that is meant: a sized struct that grew
at its end, a new function, and QUERNEL_API_VERSION with its line.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
HEADERS = ROOT / "include" / "quernel"
BASELINE = HERE / "baseline"
TYPES, FLAT = BASELINE / "quernel.abi", BASELINE / "headers.txt"
SMALL = [
    "--no-show-locs",
    "--no-corpus-path",
    "--no-comp-dir-path",
    "--no-architecture",
    "--no-elf-needed",
    "--type-id-style",
    "hash",
    "--short-locs",
    "--no-parameter-names",
]
TOP = (
    "// SPDX-License-Identifier: Apache-2.0\n"
    "// The public headers as they were recorded, one after another, without comments. "
    "Made by abi.py --refresh.\n"
)
MUTANTS = {
    "a member removed": (
        r"    uint32_t pad_top, pad_left, pad_bottom, pad_right;\n    quernel_quant quant;",
        "    uint32_t pad_top, pad_left, pad_bottom;\n    quernel_quant quant;",
    ),
    "a member moved": (
        r"    int32_t type;\n    int32_t layout;",
        "    int32_t layout;\n    int32_t type;",
    ),
    "an enumerator shifted": (r"QUERNEL_ISA_AVXVNNI = 2", "QUERNEL_ISA_AVXVNNI = 5"),
    "an enumerator of an int32_t member": (
        r"QUERNEL_ACTIVATION_TANH = 10",
        "QUERNEL_ACTIVATION_TANH = 11",
    ),
    "a status": (r"QUERNEL_E_ISA = -12", "QUERNEL_E_ISA = -13"),
    "a frozen struct grown": (r"(\} quernel_quant;)", r"    int32_t more;\n\1"),
    "an argument changed": (r"quernel_set_log\(", "quernel_set_log(int more, "),
    "a function removed": (r"QUERNEL_API size_t quernel_tables_get\([^;]*;", ""),
}
GROWN = (
    r"(    uint32_t out_pad_h, out_pad_w;\n)(\} quernel_conv2d_desc;)",
    r"\1    uint64_t of_a_newer_version[3];\n\2",
)


def flatten(folder=HEADERS):
    """All public headers in the order in which they need one another, without comments, guards
    and includes."""
    texts, done = {p.name: p.read_text(encoding="utf-8") for p in sorted(folder.glob("*.h"))}, []

    def take(name):
        if name in done:
            return
        for wanted in re.findall(r'#include "([^"]+)"', texts[name]):
            take(wanted)
        done.append(name)

    for name in texts:
        take(name)
    body = "".join(bare(texts[name]) for name in done)
    return f"{TOP}#ifndef QUERNEL_H\n#define QUERNEL_H\n{body}#endif\n"


def bare(text):
    text = re.sub(r'^#include ".*\n', "", re.sub(r"[ \t]*//.*", "", text), flags=re.MULTILINE)
    text = re.sub(r"\A\s*#ifndef \w+\n#define \w+\n(.*)#endif\s*\Z", r"\1", text, flags=re.DOTALL)
    return re.sub(r"\n\s*\n+", "\n", text)


def first_sizes(flat):
    """The sizes of first layouts, which never change: {name: bytes}."""
    return dict(re.findall(r"^#define (QUERNEL_\w+_MIN) (\d+)", flat, re.MULTILINE))


def functions(flat):
    """The functions that a header declares: (declaration, name)."""
    declarations = re.findall(r"^QUERNEL_API ([^;]*?)\s*;", flat, re.MULTILINE)
    return [(d, re.search(r"\b(quernel_\w+)\(", d).group(1)) for d in declarations]


def run(*command):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)


def checked(*command):
    done = run(*command)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def describe(flat, gcc, folder):
    """The interface of one flat header as libabigail's text."""
    source, library, types = folder / "stub.c", folder / "libquernel.so.0", folder / "types.abi"
    (folder / "quernel.h").write_text(flat, encoding="utf-8")
    stubs = "".join(
        f"{declaration} {{ __builtin_trap(); }}\n" for declaration, _ in functions(flat)
    )
    enums = "".join(
        f"enum {name} the_{name};\n"
        for name in re.findall(r"^typedef enum (\w+)", flat, re.MULTILINE)
    )
    source.write_text('#include "quernel.h"\n' + stubs + enums, encoding="utf-8")
    shared = ["-shared", "-fPIC", "-Wl,-soname,libquernel.so.0"]
    checked(gcc, "-g", "-O0", "-w", *shared, "-o", library, source)
    checked("abidw", *SMALL, "--out-file", types, library)
    text = types.read_text(encoding="utf-8").replace(str(folder) + "/", "")
    types.write_text(text, encoding="utf-8")
    return types


def difference(flat, gcc):
    """What abidiff says of a flat header against the baseline; empty where nothing differs."""
    with tempfile.TemporaryDirectory(prefix="quernel-abi-") as folder:
        types = describe(flat, gcc, pathlib.Path(folder))
        done = run("abidiff", "--no-architecture", "--no-show-locs", TYPES, types)
        return done.stdout + done.stderr if done.returncode else ""


def refresh(gcc):
    BASELINE.mkdir(exist_ok=True)
    flat = flatten()
    FLAT.write_text(flat, encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="quernel-abi-") as folder:
        shutil.copy(describe(flat, gcc, pathlib.Path(folder)), TYPES)
    where = f"{FLAT.relative_to(ROOT)}, {TYPES.relative_to(ROOT)}"
    print(f"recorded {len(functions(flat))} functions: {where}")


def check_types(gcc):
    flat, recorded = flatten(), first_sizes(FLAT.read_text(encoding="utf-8"))
    said, today = difference(flat, gcc), first_sizes(flat)
    if not recorded:
        return ["no first layout was found in the recorded header"]
    wrong = [
        f"{name}: {today.get(name)}: was published as {size}"
        for name, size in recorded.items()
        if today.get(name) != size
    ]
    return wrong + (
        [f"differs from the recorded interface; where that is meant: abi.py --refresh\n{said}"]
        if said
        else []
    )


def check_symbols(library):
    exported = {
        line.split()[-1].split("@")[0]
        for line in checked("nm", "-D", "--defined-only", library).splitlines()
    }
    declared = {name for _, name in functions(flatten())}
    beyond, lacking = sorted(exported - declared), sorted(declared - exported)
    if not beyond and not lacking:
        return []
    return [f"{library}: exports {beyond} beyond the headers, lacks {lacking}"]


def run_program(flat, what, library, gcc):
    with tempfile.TemporaryDirectory(prefix="quernel-abi-") as scratch:
        folder = pathlib.Path(scratch)
        (folder / "quernel.h").write_text(flat, encoding="utf-8")
        program = folder / "program"
        sources = ["-I", folder, HERE / "old_program.c", library, "-lm"]
        rpath = f"-Wl,-rpath,{pathlib.Path(library).resolve().parent}"
        checked(gcc, "-O1", "-Wall", *sources, rpath, "-o", program)
        done = run(program)
        if done.returncode == 0:
            return []
        return [f"{what}: exit {done.returncode}\n{done.stdout}{done.stderr}"]


def check_programs(library, gcc):
    recorded = FLAT.read_text(encoding="utf-8")
    grown, count = re.subn(*GROWN, recorded)
    if not count:
        return ["the struct that is to grow was not found in the recorded header"]
    return [
        *run_program(recorded, "a program of the baseline", library, gcc),
        *run_program(grown, "a program of a newer version", library, gcc),
    ]


def check_itself(gcc):
    flat, missed = flatten(), []
    for what, (pattern, replacement) in MUTANTS.items():
        mutant, count = re.subn(pattern, replacement, flat)
        if not count:
            missed.append(f"{what}: the text to change was not found")
        elif not difference(mutant, gcc):
            missed.append(f"{what}: not caught")
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", nargs="?", help="libquernel.so of this tree")
    parser.add_argument("--refresh", action="store_true", help="record today's interface")
    parser.add_argument("--gcc", default="gcc")
    options = parser.parse_args()
    if not shutil.which("abidw"):
        print("abi: skipped: needs abigail-tools")
        return 77
    if options.refresh:
        refresh(options.gcc)
        return 0
    if not options.library:
        parser.error("which library? (build/libquernel.so)")
    checks = {
        "types": check_types(options.gcc),
        "symbols": check_symbols(options.library),
        "programs": check_programs(options.library, options.gcc),
        "itself": check_itself(options.gcc),
    }
    for name, wrong in checks.items():
        print(*(f"{name}: {line}" for line in wrong or ["ok"]), sep="\n")
    failed = sum(bool(wrong) for wrong in checks.values())
    print(f"{len(checks) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
