# SPDX-License-Identifier: Apache-2.0
"""C text without a compiler: comments and strings taken out, functions found by their braces."""

import re

TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|//[^\n]*|/\*.*?\*/', re.DOTALL)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
# What opens braces at the top without being a function: their insides are looked at.
TRANSPARENT = re.compile(r'(?:extern\s+"[^"]*"|namespace(?:\s+\w+)?)\s*$')


def _blank(match):
    """The same lines and columns, without what stood there."""
    return re.sub(r"[^\n]", " ", match[0])


def without_comments(text):
    return TOKEN.sub(lambda m: m[0] if m[0][0] in "\"'" else _blank(m), text)


def comments(text):
    """Numbers of the lines that hold a comment, or a part of one."""
    found = set()
    for match in TOKEN.finditer(text):
        if match[0][0] == "/":
            first = text.count("\n", 0, match.start()) + 1
            found.update(range(first, first + match[0].count("\n") + 1))
    return found


def literals(text):
    """(line, text) of every string and character, its quotes included."""
    for match in TOKEN.finditer(text):
        if match[0][0] != "/":
            yield text.count("\n", 0, match.start()) + 1, match[0]


def code(text):
    """Comments and directives blanked; strings stay strings, but hold no brace."""
    plain = TOKEN.sub(
        lambda m: _blank(m) if m[0][0] == "/" else re.sub(r"[{}()#;]", " ", m[0]), text
    )
    return DIRECTIVE.sub(_blank, plain)


def _function_name(head):
    """The name that a top-level `{` belongs to, or None: `head` is the text before it."""
    if "=" in re.sub(r"\([^()]*\)", "", head) or not re.search(
        r"\)\s*(?:const|noexcept|__attribute__\s*)?\s*$", head
    ):
        return None
    plain = re.sub(r"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)", "", head)
    found = re.search(r"([\w:~]+)\s*\(", plain)
    return found[1] if found else None


def functions(text):
    """(name, first line, last line) of each function's definition, its signature included."""
    plain, found, depth, start, opened = code(text), [], 0, 0, None
    for match in re.finditer(r"[{};]", plain):
        at, mark = match.start(), match[0]
        if mark == "{":
            if depth == 0 and TRANSPARENT.search(plain[start:at]):
                start = at + 1
                continue
            if depth == 0:
                head = plain[start:at]
                first = plain.count("\n", 0, at - len(head.lstrip())) + 1
                opened = (_function_name(head), first)
            depth += 1
        elif mark == "}":
            depth = max(depth - 1, 0)
            if depth == 0:
                if opened and opened[0]:
                    found.append((*opened, plain.count("\n", 0, at) + 1))
                opened, start = None, at + 1
        elif depth == 0:
            start = at + 1
    return found
