#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Preprocesses a kernel and makes C of its inline assembly: each instruction becomes a call of
simulated_<instruction> (instructions.h), its operands in reverse order, so that the text that runs
on a real CPU is what is checked.

    translate.py SOURCE RESULT DEPENDENCIES -- COMPILER OPTIONS...

An instruction that nothing defines is an error of the compiler that takes the result; assembly that
this does not understand is one here. What system headers say is left to the second compilation."""

import re
import subprocess
import sys

MARKER = re.compile(r'(# \d+ "([^"]*)")((?: \d)*)$')
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')
OPERAND = re.compile(r'(?:\[(\w+)\]\s*)?((?:"[^"]*"\s*)+)\((.*)\)', re.DOTALL)
VECTOR = re.compile(r"%([xyz])mm(\d+)")
# A variable that is a vector register: a statement that outputs it says so of the register. Lines
# that say where the text is from may lie between the words.
PINNED = re.compile(
    r"\bregister((?:\s|#[^\n]*\n)+\w+(?:\s|#[^\n]*\n)+)(\w+)\s*"
    r'__asm__\s*\(\s*"[xyz]mm"?\s*"?(\d+)"\s*\)'
)
ADDRESS = re.compile(r"(.*?)\((%[^()]*)\)(?:\{1to(\d+)\})?")
REGISTER_BYTES = {"x": 16, "y": 32, "z": 64}
IGNORED = re.compile(r"prefetch|\.p2align$")
JUMPS = {"jz": "!", "je": "!", "jnz": "", "jne": ""}
# Of general registers, by the number of operands; each also leaves its result to a jump behind it.
ARITHMETIC = {
    ("add", 2): "{1} + {0}",
    ("sub", 2): "{1} - {0}",
    ("and", 2): "{1} & {0}",
    ("inc", 1): "{0} + 1",
    ("dec", 1): "{0} - 1",
}


class NotUnderstood(Exception):
    pass


def closing(text, start):
    """Behind the parenthesis that closes the one before `start`."""
    depth, at = 1, start
    while depth:
        literal = LITERAL.match(text, at)
        at = literal.end() if literal else at + 1
        if not literal:
            depth += {"(": 1, ")": -1}.get(text[at - 1], 0)
    return at


def split(text, separator):
    """Splits outside of literals and parentheses."""
    parts, start, at, depth = [], 0, 0, 0
    while at < len(text):
        literal = LITERAL.match(text, at)
        if literal:
            at = literal.end()
            continue
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(text[at], 0)
        if text[at] == separator and depth == 0:
            parts.append(text[start:at].strip())
            start = at + 1
        at += 1
    return [*parts, text[start:].strip()]


def joined(literals):
    return "".join(LITERAL.findall(literals)).replace("\\n", "\n").replace("\\t", " ")


class Bound:
    """An operand of the statement: C's expression by the name or the number in the text."""

    def __init__(self, number, text, is_output):
        found = OPERAND.fullmatch(text)
        if not found:
            raise NotUnderstood(f"operand {text}")
        self.name, self.constraint, expression = found[1], joined(found[2]), f"({found[3]})"
        self.number, self.used = number, False
        letters = set(self.constraint) - set("=+&")
        if letters not in ({"r"}, {"x"}, {"v"}, {"m"}):
            raise NotUnderstood(f"constraint {self.constraint}")
        self.kind = letters.pop()
        local = f"operand_{number}"
        taken = f"&{expression}" if self.kind == "m" else expression
        self.declaration = "" if is_output else f"__auto_type {local} = {taken}; (void){local};"
        self.expression = taken if is_output else local


class Operand:
    """An operand of one instruction: `value` as C takes it, `bytes` of a vector, `cleared`: the
    register whose upper half a write makes zero."""

    def __init__(self, value, size="", kind="", cleared=""):
        self.value, self.bytes, self.kind, self.cleared = value, size, kind, cleared


class Statement:
    """One asm statement."""

    def __init__(self, text, pinned):
        parts = split(text, ":")
        self.text, self.lines = joined(parts[0]), []
        self.is_extended = len(parts) > 1
        outputs, inputs, clobbers = (
            [part for part in split(parts[i], ",") if part] if i < len(parts) else []
            for i in (1, 2, 3)
        )
        self.bound = [
            Bound(i, part, i < len(outputs)) for i, part in enumerate([*outputs, *inputs])
        ]
        self.pinned = {
            pinned[bound.expression[1:-1]]: bound.expression
            for bound in self.bound[: len(outputs)]
            if bound.expression[1:-1] in pinned
        }
        self.clobbered = {joined(name) for name in clobbers} | set(self.pinned)
        self.registers, self.labels = set(), []

    def find(self, word):
        for bound in self.bound:
            if word in (f"%[{bound.name}]", f"%{bound.number}"):
                bound.used = True
                return bound
        raise NotUnderstood(f"operand {word}")

    def general(self, word):
        if word.startswith("$"):
            return f"({word[1:]})"
        bound = self.find(word)
        if bound.kind != "r":
            raise NotUnderstood(f"{word} is no general register")
        return f"(uintptr_t){bound.expression}"

    def address(self, displacement, registers):
        """Of disp(base, index, scale)."""
        base, index, scale = (*registers.split(","), "", "")[:3]
        value = self.general(base) + (f" + ({displacement})" if displacement else "")
        if index:
            value += f" + {self.general(index)} * {scale or 1}"
        return f"(void *)({value})"

    def vector(self, found):
        name = f"xmm{found[2]}"
        if name not in self.clobbered:
            raise NotUnderstood(f"{found[0]} is not among what the statement says it changes")
        self.registers.add(name)
        return Operand(f"&{name}", REGISTER_BYTES[found[1]], "v", name)

    def operand(self, word):
        if word.startswith("$"):
            return Operand(word[1:])
        found = VECTOR.fullmatch(word)
        if found:
            return self.vector(found)
        if word.startswith("%tmm"):
            return Operand(word[4:], kind="t")
        found = ADDRESS.fullmatch(word)
        if found:
            address = self.address(found[1], found[2])
            return Operand(address, kind=f"1to{found[3]}" if found[3] else "m")
        bound = self.find(word)
        if bound.kind == "r":
            return Operand(f"(uintptr_t){bound.expression}", kind="r")
        if bound.kind == "m":
            return Operand(bound.expression, kind="m")
        return Operand(f"&{bound.expression}", f"sizeof {bound.expression}", "v")

    def assign(self, word, value):
        to = self.find(word).expression
        self.lines.append(f"{to} = (__typeof__({to}))({value});")

    def move(self, source, to):
        operand = self.operand(source)
        if operand.kind == "m":
            target = self.find(to).expression
            self.lines.append(f"memcpy(&{target}, {operand.value}, sizeof {target});")
        else:
            self.assign(to, self.general(source))

    def tile(self, name, words):
        """A tile's memory operand is where the first row is, and how far the next ones are."""
        values = []
        for word in reversed(words):
            found = ADDRESS.fullmatch(word)
            if found:
                base, stride = map(self.general, found[2].split(",")[:2])
                values += [f"(void *)({base})", f"(ptrdiff_t)({stride})"]
            else:
                values.append(self.operand(word).value)
        self.lines.append(f"simulated_{name}({', '.join(values)});")

    def vectors(self, name, words):
        operands = [self.operand(word) for word in reversed(words)]
        size = next((o.bytes for o in operands if o.bytes), None)
        if size is None:
            raise NotUnderstood(f"{name}: no vector")
        values = [
            f"simulated_spread({o.value}, {size}, {o.kind[3:]}).bytes"
            if o.kind.startswith("1to")
            else str(o.value)
            for o in operands
        ]
        self.lines.append(f"simulated_{name}({', '.join(values)}, {size});")
        to = operands[0]
        if to.cleared:
            self.lines.append(f"simulated_clear_above({to.value}, {size});")

    def jump(self, name, label):
        if label[:-1] not in self.labels and label[-1] == "b":
            raise NotUnderstood(f"{name} {label}: no such label before it")
        self.lines.append(f"if ({JUMPS[name]}result) goto label_{label[:-1]};")

    def arithmetic(self, name, words):
        values = [self.general(word) for word in words]
        self.assign(words[-1], ARITHMETIC[name, len(words)].format(*values))
        self.lines.append(f"result = {self.general(words[-1])};")

    def instruction(self, line):
        name, _, rest = line.removeprefix("{vex} ").partition(" ")
        words = [re.sub(r"\s", "", word) for word in split(rest, ",")] if rest.strip() else []
        if re.fullmatch(r"\d+:", name):
            if name[:-1] in self.labels:
                raise NotUnderstood(f"label {name} twice")
            self.labels.append(name[:-1])
            self.lines.append(f"label_{name[:-1]}:;")
        elif IGNORED.match(name):
            pass
        elif name in JUMPS:
            self.jump(name, words[0])
        elif (name, len(words)) in ARITHMETIC:
            self.arithmetic(name, words)
        elif name == "test" and words[0] == words[1]:
            self.lines.append(f"result = {self.general(words[0])};")
        elif name == "lea":
            found = ADDRESS.fullmatch(words[0])
            self.assign(words[1], self.address(found[1], found[2]))
        elif name == "mov":
            self.move(*words)
        elif "tile" in name or name.startswith("tdp"):
            self.tile(name, words)
        elif name.startswith("v"):
            self.vectors(name, words)
        else:
            raise NotUnderstood(f"instruction {line}")

    def translated(self):
        text = self.text
        if self.is_extended:
            text = text.replace("%%", "%").replace("%{", "{").replace("%}", "}")
        for line in re.split(r"[\n;]", text):
            if line.strip():
                self.instruction(line.strip())
        if not self.lines and not self.bound:
            return "do {} while (0)"
        begin = [f"__label__ {', '.join(f'label_{name}' for name in self.labels)};"]
        begin = begin if self.labels else []
        begin += [bound.declaration for bound in self.bound if bound.used or bound.kind == "r"]
        begin += [
            f"simulated_register {name} = SIMULATED_UNKNOWN;" for name in sorted(self.registers)
        ]
        if any("result" in line for line in self.lines):
            begin.append("uintptr_t result = 0;")
        end = [
            f"memcpy(&{to}, &{name}, sizeof {to});"
            for name, to in self.pinned.items()
            if name in self.registers
        ]
        return f"do {{ {' '.join([*begin, *self.lines, *end])} }} while (0)"


def own_lines(text):
    """The lines of the preprocessed text that are ours; an #include for each system header that
    one of ours includes."""
    in_system = False
    for line in text.splitlines():
        marker = MARKER.match(line)
        if marker:
            flags, was_in_system = marker[3].split(), in_system
            if "1" in flags or "2" in flags:  # else what a system header's macro stands for
                in_system = "3" in flags
            if in_system and not was_in_system:
                yield f"#include <{marker[2].rpartition('/')[2]}>"
            if was_in_system and not in_system:
                line = marker[1]
        if not in_system:
            yield line


def translated(text):
    named = {(found[2], f"xmm{found[3]}") for found in PINNED.finditer(text)}
    pinned = dict(named)
    if len(pinned) != len(named):
        raise NotUnderstood("a variable that is two registers")
    text = PINNED.sub(r"\1\2", text)
    parts, at = [], 0
    for found in re.finditer(r"\b__asm__\b(?:\s*\bvolatile\b)?\s*\(", text):
        end = closing(text, found.end())
        body = re.sub(r"^#.*$", "", text[found.end() : end - 1], flags=re.MULTILINE)
        parts += [text[at : found.start()], Statement(body, pinned).translated()]
        at = end
    return "".join([*parts, text[at:]])


def main():
    source, result, dependencies, _, *compiler = sys.argv[1:]
    command = [*compiler, "-E", "-MD", "-MF", dependencies, "-MT", result, source]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        return done.returncode
    try:
        text = translated("\n".join(own_lines(done.stdout)))
    except NotUnderstood as error:
        print(f"{source}: the simulation does not understand: {error}", file=sys.stderr)
        return 1
    with open(result, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
