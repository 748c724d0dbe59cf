#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Walks the library's static call graph along the way of a descriptor, and of a run.

Create: from quernel_conv2d_create on, calls in the order of their lines; a function's own calls
are followed the first time that it is met. The rooms are the folders of src/, and kernels/; inline
functions belong to the folder of their header. base, cpu, registry and pack are tools, which any
room takes values from: they are left out. A call turns back where it enters a room other than that
of the call before it, and the walk has been there already.

Run: the fewest calls from quernel_operator_run to a product's kernel, which `multiply` calls. What
quernel_operator_run calls of a product is op/product.c's run; what run_wrapped calls is run_task,
on whatever thread.

gcc writes the graph (-fcallgraph-info, without optimization), so that this needs no build, and runs
on any checkout: name its root. Closes with "N passed, N failed, N skipped"."""

import argparse
import collections
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
GRAPH = "-fcallgraph-info"
NODE = re.compile(r'^node: \{ title: "([^"]+)" label: "([^"\\]+)\\n([^"\\]+):(\d+):\d+')
EDGE = re.compile(
    r'^edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)" label: "[^"]*?:(\d+):(\d+)"'
)


def graph_of(source, root, folder):
    """The lines that gcc says of one source: functions, and calls with their positions."""
    out = pathlib.Path(folder) / (source.relative_to(root).as_posix().replace("/", "_") + ".o")
    includes = [f"-I{root / part}" for part in ("", "src", "include")]
    flags = ["-std=gnu11", "-O0", "-w", GRAPH, *definitions(root), *includes]
    subprocess.run(["gcc", *flags, "-c", source, "-o", out], check=True, capture_output=True)
    return out.with_suffix(".ci").read_text(encoding="utf-8").splitlines()


def definitions(root):
    """What the build says on its command line: here, that every instruction set is compiled."""
    isas = (root / "src" / "cpu" / "isas.def").read_text(encoding="utf-8")
    have = sorted(set(re.findall(r"\bQUERNEL_HAVE_\w+", isas)))
    return ['-DQUERNEL_SYSCONFDIR=""', *(f"-D{name}=1" for name in have)]


def gcc_lacks():
    """Why no graph can be had here; empty where it can."""
    if not shutil.which("gcc"):
        return "needs gcc"
    with tempfile.TemporaryDirectory() as folder:
        command = ["gcc", GRAPH, "-x", "c", "-c", os.devnull, "-o", f"{folder}/nothing.o"]
        done = subprocess.run(command, capture_output=True, check=False)
    return f"needs a gcc that knows {GRAPH} (10 or newer)" if done.returncode else ""


class Graph:
    def __init__(self, root):
        self.file, self.calls = {}, collections.defaultdict(dict)
        sources = [p for p in sorted((root / "src").rglob("*.c")) if p.name != "cpu_arm.c"]
        with (
            tempfile.TemporaryDirectory() as folder,
            concurrent.futures.ThreadPoolExecutor(2) as pool,
        ):
            for lines in pool.map(lambda p: graph_of(p, root, folder), sources):
                for line in lines:
                    self.take(line, root)

    def take(self, line, root):
        node, edge = NODE.match(line), EDGE.match(line)
        if node and (node[1] not in self.file or node[3].endswith(".c")):
            where = pathlib.Path(node[3])
            self.file[node[1]] = (
                where.relative_to(root).as_posix() if where.is_relative_to(root) else node[3]
            )
        if edge:
            self.calls[edge[1]][(int(edge[3]), int(edge[4]), edge[2])] = edge[2]

    def called_by(self, name):
        return [callee for _, callee in sorted(self.calls[name].items())]


TOOLS = {"base", "cpu", "registry", "pack"}
# A reader of create looks into another folder again at most so often, and follows a run to its
# arithmetic in one sitting.
TURNS_MAX, RUN_MAX = 25, 10


def room_of(graph, name):
    parts = graph.file.get(name, "").split("/")
    room = parts[1] if parts[0] == "src" else parts[0]
    return None if room in TOOLS or parts[0] not in ("src", "kernels") else room


def steps(graph, name, met):
    """(caller, callee) in the order of the walk."""
    for callee in graph.called_by(name):
        if room_of(graph, callee):
            yield name, callee
        if room_of(graph, callee) and callee not in met:
            met.add(callee)
            yield from steps(graph, callee, met)


def turns(graph, first):
    """Calls that enter a room where the walk has been, from another one."""
    before = room_of(graph, first)
    visited = {before}
    for caller, callee in steps(graph, first, {first}):
        room = room_of(graph, callee)
        if room != before and room in visited:
            yield before, room, caller, callee
        visited.add(room)
        before = room


def handed(graph, name):
    """What is called through a pointer."""
    if short(name) == "run_wrapped":
        return [title for title in graph.file if short(title) == "run_task"]
    if name == "quernel_operator_run":
        return [title for title in graph.file if title.endswith("op/product.c:run")]
    return []


def run_depth(graph):
    """Calls from a run to a product's kernel."""
    depth, queue = {"quernel_operator_run": 0}, ["quernel_operator_run"]
    for name in queue:
        if short(name) == "multiply":
            return depth[name] + 1
        for callee in graph.called_by(name) + handed(graph, name):
            if callee not in depth:
                depth[callee] = depth[name] + 1
                queue.append(callee)
    raise LookupError("no way from quernel_operator_run to multiply")


def short(name):
    return name.rsplit(":", 1)[-1]


def judge_create(graph):
    turned = list(turns(graph, "quernel_conv2d_create"))
    for before, room, caller, callee in turned:
        print(f"{before} -> {room}: {short(caller)} calls {short(callee)}")
    print(f"create turns back {len(turned)} times ({TURNS_MAX} at most)")
    yield len(turned) <= TURNS_MAX


def judge_run(graph):
    calls = run_depth(graph)
    print(f"run: {calls} calls to a product's kernel ({RUN_MAX} at most)")
    yield calls <= RUN_MAX


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", nargs="?", type=pathlib.Path, default=ROOT)
    root = parser.parse_args().root.resolve()
    lacking = gcc_lacks()
    if lacking:
        print(f"skipped: call paths: {lacking}")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    graph = Graph(root)
    failed = [*judge_create(graph), *judge_run(graph)].count(False)
    print(f"{2 - failed} passed, {failed} failed, 0 skipped")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
