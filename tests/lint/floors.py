# SPDX-License-Identifier: Apache-2.0
"""README's drawing of the floors is the truth: it names the folders of src/ from top to bottom,
CONTRIBUTING's list and the lint's own list agree with it, and what really is included makes no
circle of folders."""

import re

import source


def drawn(readme):
    """Floors in the drawing, from bottom to top."""
    rows = [row for row in readme.splitlines() if "│" in row]
    return [floor for row in reversed(rows) for floor in reversed(re.findall(r"\bsrc/(\w+)", row))]


def listed(contributing):
    """Floors in CONTRIBUTING's list, from bottom to top."""
    found = re.search(r"its own floor and those below it:\s*([\w,\s]+)\.", contributing)
    return re.findall(r"\w+", found[1]) if found else []


def edges(texts):
    """{(folder, included folder): a file that does it} of src/."""
    found = {}
    for path, text in texts.items():
        if path.startswith("src/") and path.endswith((".c", ".h")):
            for wanted in source.includes(text):
                pair = (path.split("/")[1], wanted.split("/")[0])
                if "/" in wanted and pair[0] != pair[1] and pair[1] in source.FLOORS:
                    found.setdefault(pair, path)
    return found


def circle(pairs):
    """Folders that include each other, in their order, or []."""

    def walk(folder, way):
        if folder in way:
            return [*way[way.index(folder) :], folder]
        return next(
            filter(None, (walk(b, [*way, folder]) for a, b in sorted(pairs) if a == folder)), []
        )

    return next(filter(None, (walk(start, []) for start in sorted({a for a, _ in pairs}))), [])


def draws_the_floors(texts):
    folders = {path.split("/")[1] for path in texts if re.match(r"src/\w+/.*\.[ch]$", path)}
    for where, floors in (
        ("README.md's drawing", drawn(texts.get("README.md", ""))),
        ("CONTRIBUTING.md's list", listed(texts.get("CONTRIBUTING.md", ""))),
    ):
        if floors != source.FLOORS:
            yield (
                f"{where}: {' '.join(floors) or 'nothing'} from bottom to top; "
                f"the lint holds {' '.join(source.FLOORS)}"
            )
    for folder in sorted(folders ^ set(source.FLOORS)):
        yield f"src/{folder}: is in the tree or in the list of floors (source.py), not in both"


def has_no_circle(texts):
    found = edges(texts)
    way = circle(set(found))
    if way:
        files = ", ".join(found[pair] for pair in zip(way, way[1:]))
        yield f"src: {' → '.join(way)} include each other: {files}"


RULES = [draws_the_floors, has_no_circle]
