"""Prints the mid-level IR as text: for goldens, and for `--emit ir`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir import Branch, Jump, Return, Value
from mochi_rules.compiler.types import VOID

if TYPE_CHECKING:
    from mochi_rules.compiler.ir import Block, Function, Program

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
        taken: set[str] = set()
        for value in self._definitions():
            base = value.name or "v"
            name, number = base, 0
            while name in taken or (not value.name and number == 0):
                number += 1
                name = f"{base}{number}"
            taken.add(name)
            self.names[value] = name

    def run(self) -> str:
        function = self.function
        params = ", ".join(map(self._declared, function.params))
        result = "" if function.result is VOID else f": {function.result}"
        lines = [f"fun {function.name}({params}){result} {{"]
        for block in function.blocks:
            lines += self._block(block)
        return "\n".join([*lines, "}", ""])

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
        if value.op == "const":
            return str(bool(value.attr)).lower() if value.type.name == "bool" else repr(value.attr)
        if value.op == "null":
            return "null"
        if value.op == "string":
            return _quote(value.attr)
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


def _quote(text: bytes) -> str:
    escaped = text.decode("utf-8", "backslashreplace").replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n") + '"'
