# SPDX-License-Identifier: Apache-2.0
"""A kernel's revision (krev in kernels.def) must rise when its code changes: tuning rows live as
long as it is equal.

The code is the kernel's file and everything of ours that it includes, without comments and spacing,
so that the hash is the same for every compiler. krev.txt records the hash that goes with each
revision."""

import hashlib
import posixpath
import re

import source

RECORD = "tests/lint/krev.txt"


def _strip(text):
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)
    return " ".join(re.sub(r"//[^\n]*", " ", text).split())


def _resolve(path, wanted, texts):
    for candidate in (
        posixpath.normpath(posixpath.join(posixpath.dirname(path), wanted)),
        wanted,
        "src/" + wanted,
    ):
        if candidate in texts:
            return candidate
    return None


def _closure(path, texts, seen):
    if path in seen:
        return
    seen.append(path)
    for wanted in source.includes(texts[path]):
        found = _resolve(path, wanted, texts)
        # The contract and the public headers change without changing what a kernel computes.
        if found and found not in ("kernels/ukr.h",) and not found.startswith("include/"):
            _closure(found, texts, seen)


def hashes(texts):
    """{kernel: (krev, hash)}"""
    found = {}
    for _, name, isa, revision in source.kernel_lines(texts.get("kernels/kernels.def", "")):
        function, files = f"quernel_uk_{name}_{isa}", []
        for path in sorted(texts):
            if (
                path.startswith("kernels/")
                and f"/{isa}/" in path
                and path.endswith(".c")
                and function in texts[path]
            ):
                _closure(path, texts, files)
        digest = hashlib.sha256("\n".join(_strip(texts[p]) for p in files).encode()).hexdigest()[
            :16
        ]
        found[function] = (revision, digest)
    return found


def recorded(texts):
    rows = [
        line.split()
        for line in texts.get(RECORD, "").splitlines()
        if line and not line.startswith("#")
    ]
    return {row[0]: (row[1], row[2]) for row in rows if len(row) == 3}


def check(texts):
    known = recorded(texts)
    for kernel, (revision, digest) in hashes(texts).items():
        if kernel not in known:
            yield f"{RECORD}: {kernel} is not recorded: ./dev lint --refresh-krev"
        elif known[kernel][1] != digest and known[kernel][0] == revision:
            yield (
                f"kernels/kernels.def: {kernel}: its code changed and its krev ({revision}) did not"
            )
        elif known[kernel] != (revision, digest):
            yield f"{RECORD}: {kernel} is out of date: ./dev lint --refresh-krev"


def refresh(texts, root):
    """Records all kernels; refuses those whose code changed under the same revision."""
    known, now, stale = recorded(texts), hashes(texts), 0
    for kernel, (revision, digest) in now.items():
        if kernel in known and known[kernel][0] == revision and known[kernel][1] != digest:
            print(f"{kernel}: its code changed: raise its krev in kernels/kernels.def first")
            stale += 1
    if stale:
        return 1
    lines = [
        "# SPDX-License-Identifier: Apache-2.0",
        "# kernel, krev, hash of its code; written by ./dev lint --refresh-krev",
    ]
    lines += [f"{kernel} {revision} {digest}" for kernel, (revision, digest) in sorted(now.items())]
    (root / RECORD).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0
