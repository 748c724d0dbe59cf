# SPDX-License-Identifier: Apache-2.0
"""A kernel's revision (krev in kernels.def) must rise when its code changes: tuning rows live as
long as it is equal.

The code is the kernel's file and everything of ours that it includes, as tokens: without comments,
spacing, includes and checks of preconditions, our identifiers replaced by the order in which they
first appear. So a rename or a move of files changes no hash; another constant, operator, intrinsic
or order does. krev.txt records the hash of each revision."""

import hashlib
import posixpath
import re

import source

RECORD = "tests/lint/krev.txt"

TOKEN = re.compile(
    r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|[A-Za-z_]\w*|\.?\d(?:[eEpP][+-]|[\w.])*|##|\S'
)
# What is not ours keeps its name: a changed one is changed code. Whatever is left out here only
# makes a rename look like a change, so names that are both follow the pattern.
WORDS = set(
    """auto bool break case char const continue default do double else enum extern float for goto if
inline int long register restrict return short signed sizeof static struct switch typedef union
unsigned void volatile while true false NULL define undef ifdef ifndef endif elif defined pragma
error include GCC unroll asm offsetof always_inline noinline aligned unused target memcpy memset
memmove fmaf isnan isfinite isinf fabsf floorf INFINITY NAN""".split()
)
FOREIGN = re.compile(
    r"_\w+"  # _mm256_…, __m256i, __builtin_…, __attribute__
    r"|u?int\w*_t|\w*size_t|ptrdiff_t|U?INT\w*_(?:MAX|MIN)|SIZE_MAX|FLT_\w+"
    r"|(?:u?int|float|poly)\d+x\d+(?:x\d)?_t"  # NEON's types and intrinsics
    r"|v[a-z0-9]+(?:_[a-z0-9]+)*_[usfp](?:8|16|32|64)(?:_\w+)?"
)
CHECK = re.compile(
    r"^[ \t]*#[ \t]*if[^\n]*\n[ \t]*#[ \t]*error[^\n]*\n[ \t]*#[ \t]*endif[^\n]*$", re.MULTILINE
)


def _tokens(text):
    text = re.sub(r"/\*.*?\*/", " ", text.replace("\\\n", " "), flags=re.DOTALL)
    text = re.sub(r"//[^\n]*", " ", text)
    text = re.sub(r"^[ \t]*#[ \t]*include[^\n]*", "", CHECK.sub("", text), flags=re.MULTILINE)
    return TOKEN.findall(text)


def _ours(token):
    return re.match(r"[A-Za-z_]", token) and token not in WORDS and not FOREIGN.fullmatch(token)


def _normalised(files):
    """All tokens of these texts. A number at the end of an identifier stays: names are pasted
    together with them."""
    order, result = {}, []
    for token in (token for text in files for token in _tokens(text)):
        if _ours(token):
            result.append(
                f"#{order.setdefault(token, len(order))}:{re.search(r'[0-9]*$', token)[0]}"
            )
        elif token[0] == '"' and result and result[-1].endswith('"'):
            result[-1] = result[-1][:-1] + token[1:]  # a text in pieces is one
        else:
            result.append(token)
    return " ".join(result)


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
        digest = hashlib.sha256(_normalised(texts[p] for p in files).encode()).hexdigest()[:16]
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
