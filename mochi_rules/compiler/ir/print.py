"""Prints the mid-level IR as text: for goldens, and for `--emit ir`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.function import Branch, Jump, Return, Value
from mochi_rules.compiler.ir.types import BOOL, VOID, WORD

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Block, Function, Program

_RESERVED = re.compile(r"v\d*|true|false|null|inf|nan")  # what a variable is not called here
_CONTROL = re.compile("[\x00-\x1f\x7f\udc80-\udcff]")
_ESCAPE = re.compile(r"\\(x..|.)")
_ASCII = 0x80
_INLINE = frozenset({"const", "null", "string"})  # shown where they are used


def print_program(program: Program) -> str:
    """Return a program as text: structs, globals, then functions in the order of discovery."""
    parts = []
    for struct in program.structs.values():
        fields = ", ".join(f"{name}: {type_}" for name, type_ in struct.fields)
        parts.append(f"struct {struct.name} {{ {fields} }}\n")
    parts += [f"global {name}: {type_}\n" for name, type_ in program.globals.items()]
    parts += [print_function(function) for function in program.functions.values()]
    return "\n".join(parts)


def print_function(function: Function) -> str:
    """Return a function as text; values are numbered in the order of their definition."""
    return _Printer(function).run()


class _Printer:
    def __init__(self, function: Function) -> None:
        self.function = function
        self.blocks = {block: f"b{number}" for number, block in enumerate(function.blocks)}
        self.names: dict[Value, str] = {}
        self._name_values()

    def run(self) -> str:
        function = self.function
        params = ", ".join(
            ("own " if number in function.consumes else "") + self._declared(param)
            for number, param in enumerate(function.params)
        )
        result = "" if function.result is VOID else f": {function.result}"
        lines = [f"fun {function.name}({params}){result} {{"]
        for block in function.blocks:
            lines += self._block(block)
        return "\n".join([*lines, "}", ""])

    def _name_values(self) -> None:
        """Name every value: as its variable, made unique by a number, or `v` and a number."""
        taken: set[str] = set()
        numbers: dict[str, int] = {}
        for value in self._definitions():
            base = f"{value.name}_" if _RESERVED.fullmatch(value.name) else value.name
            name = base
            while not name or name in taken:
                numbers[base] = numbers.get(base, 0) + 1
                name = f"{base or 'v'}{numbers[base]}"
            taken.add(name)
            self.names[value] = name

    def _definitions(self) -> list[Value]:
        values = list(self.function.params)
        for block in self.function.blocks:
            values += block.params
            values += [v for v in block.code if v.has_result and v.op not in _INLINE]
        return values

    def _block(self, block: Block) -> list[str]:
        params = ", ".join(map(self._declared, block.params))
        lines = [f"{self.blocks[block]}{f'({params})' if params else ''}:"]
        lines += [
            f"  {self._instruction(value)}" for value in block.code if value.op not in _INLINE
        ]
        return [*lines, f"  {self._end(block)}"]

    def _declared(self, value: Value) -> str:
        return f"{self.names[value]}: {value.type}"

    def _instruction(self, value: Value) -> str:
        words = [value.op]
        if value.attr is not None:
            words.append(self._attribute(value.attr))
        text = " ".join(words)
        if value.args:
            text += " " + ", ".join(map(self._use, value.args))
        if not value.has_result:
            return text
        return f"{self._declared(value)} = {text}"

    def _attribute(self, attr: object) -> str:
        if isinstance(attr, bytes):
            return _quote(attr)
        if isinstance(attr, tuple):
            return "[" + " ".join(map(self._attribute, attr)) + "]"
        return str(attr)

    def _use(self, value: Value) -> str:
        match value.op:
            case "const":
                return _constant(value)
            case "null":
                return f"null<{value.type}>"
            case "string":
                return _quote(value.attr) + ("w" if value.type is WORD else "")
            case _:
                return self.names[value]

    def _end(self, block: Block) -> str:
        match block.end:
            case Jump(target=target, args=args):
                passed = ", ".join(map(self._use, args))
                return f"jump {self.blocks[target]}{f'({passed})' if passed else ''}"
            case Branch() as branch:
                sides = f"{self.blocks[branch.then]}, {self.blocks[branch.otherwise]}"
                hint = {True: " likely", False: " unlikely", None: ""}[branch.likely]
                return f"branch {self._use(branch.condition)}, {sides}{hint}"
            case Return(value=value):
                return "return" if value is None else f"return {self._use(value)}"
            case _:
                return "unreachable"


def _constant(value: Value) -> str:
    if value.type is BOOL:
        return "true" if value.attr else "false"
    return f"{value.attr}w" if value.type is WORD else repr(value.attr)


def _quote(text: bytes) -> str:
    """Return a string in quotes; a sign that would not stay on its line is shown in hex."""
    escaped = text.decode("utf-8", "surrogateescape").replace("\\", "\\\\")
    escaped = escaped.replace('"', '\\"').replace("\n", "\\n")
    return '"' + _CONTROL.sub(lambda sign: f"\\x{ord(sign[0]) & 0xFF:02x}", escaped) + '"'


def unquote(text: str) -> bytes:
    """Return the bytes of a quoted text."""
    plain = _ESCAPE.sub(lambda found: _unescaped(found[1]), text[1:-1])
    return plain.encode("utf-8", "surrogateescape")


def _unescaped(sign: str) -> str:
    if sign == "n":
        return "\n"
    if sign[0] == "x":
        byte = int(sign[1:], 16)
        return chr(byte if byte < _ASCII else 0xDC00 + byte)
    return sign
