"""Reads the text of the mid-level IR: the inverse of ir_print, so that passes have golden pairs.

What the text does not show is lost: places in the source, and constants that nobody uses.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mochi_rules.compiler.ir import types
from mochi_rules.compiler.ir.function import (
    Block,
    Branch,
    Function,
    Jump,
    Return,
    StructLayout,
    Unreachable,
    Value,
)
from mochi_rules.compiler.ir.print import unquote
from mochi_rules.compiler.ir.types import BOOL, FLOAT, INT, STRING, VOID, WORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.compiler.ir.types import Type

_PLAIN = {
    type_.name: type_ for type_ in (
        INT, FLOAT, BOOL, STRING, types.NULL, types.ANY, WORD, types.CELL, VOID,
    )
}  # fmt: skip
# Operations whose attribute is a word; others have bytes or a list, if anything.
_NAMED = frozenset({
    "address", "symbol", "call", "closure.new", "struct.new", "struct.is", "global.load",
    "global.store", "global.vacate", "check.index", "check.upper",
})  # fmt: skip
_HINTED = frozenset({"add.checked", "sub.checked", "mul.checked", "add.wraps", "mul.wraps"})
_HINT = re.compile(r" (up|down|natural)(?= )")
_NUMBERED = re.compile(r"v\d+")
_INTEGER = re.compile(r"-?\d+(w?)")
_FLOATING = re.compile(r"-?(\d+(\.\d+)?(e[+-]?\d+)?|inf)|nan")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_WORD = re.compile(r"[^\s,()]+")
_TYPE_NAME = re.compile(r"[^\s,<>()\[\]?:]+")
_FIELD_NAME = re.compile(r"[^:]+")
_DEFINITION = re.compile(r"([^\s:]+): ")


def parse_function(text: str, unions: frozenset[str] = frozenset()) -> Function:
    """Return a function from its text; ValueError with the line where it is not one.

    Of the types that are not the language's own, `unions` are unions, the others structs.
    """
    return _Parser(text, unions).run()


def parse_struct(text: str) -> StructLayout:
    """Return a struct from its line, `struct NAME { field: type, … }`."""
    line = _Line(text, frozenset())
    line.expect("struct ")
    name = line.match(_TYPE_NAME)
    line.expect(" { ")
    fields = []
    for _ in line.several(" }"):
        field = line.match(_FIELD_NAME)
        line.expect(": ")
        fields.append((field, line.type()))
    return StructLayout(name, fields)


class _Line:
    """A cursor in a line."""

    def __init__(self, text: str, unions: frozenset[str]) -> None:
        self.text = text
        self.unions = unions
        self.at = 0

    def skips(self, sign: str) -> bool:
        """Go past a string if it is next; return whether it was."""
        found = self.text.startswith(sign, self.at)
        self.at += len(sign) * found
        return found

    def expect(self, sign: str) -> None:
        """Go past a string that must be next."""
        if not self.skips(sign):
            raise ValueError(f"`{sign}` expected at `{self.text[self.at :]}`")

    def match(self, pattern: re.Pattern[str]) -> str:
        """Go past what a pattern matches, which may be nothing; return it."""
        found = pattern.match(self.text, self.at)
        if found is None:
            return ""
        self.at = found.end()
        return found[0]

    @property
    def is_done(self) -> bool:
        """Whether nothing is left."""
        return self.at == len(self.text)

    def several(self, end: str) -> Iterator[None]:
        """Stop at each item of a list with commas; go past its end."""
        while not self.skips(end):
            yield
            self.skips(", ")

    def type(self) -> Type:
        """Read a type."""
        if self.skips("("):
            type_ = self.type()
            self.expect(")")
        elif self.skips("list<"):
            type_ = types.list_of(self.type())
            self.expect(">")
        elif self.skips("map<"):
            key = self.type()
            self.expect(", ")
            type_ = types.map_of(key, self.type())
            self.expect(">")
        elif self.skips("fun("):
            params = tuple(self.type() for _ in self.several(")"))
            self.expect(": ")
            type_ = types.fun_of(params, self.type())
        else:
            type_ = self._named()
        return types.optional_of(type_) if self.skips("?") else type_

    def _named(self) -> Type:
        name = self.match(_TYPE_NAME)
        if not name:
            raise ValueError(f"a type expected at `{self.text[self.at :]}`")
        if name in _PLAIN:
            return _PLAIN[name]
        return types.union_of(name) if name in self.unions else types.struct_of(name)

    def attribute(self, op: str) -> Any:
        """Read the attribute of an operation; None where it has none."""
        if op in _NAMED:
            self.expect(" ")
            return self.match(_WORD)
        if op in _HINTED and (hint := self.match(_HINT)):
            return hint.lstrip()
        if op == "check.expect":
            self.expect(" ")
            return unquote(self.match(_STRING))
        if not self.skips(" ["):
            return None
        items = []
        while not self.skips("]"):
            items.append(self._item())
            self.skips(" ")
        return tuple(items)

    def _item(self) -> Any:
        if self.skips("["):
            captures = []
            while not self.skips("]"):
                captures.append(self.type())
                self.skips(" ")
            return tuple(captures)
        word = self.match(re.compile(r"[^\s\]]+"))
        if word in ("True", "False"):
            return word == "True"
        return int(word) if _INTEGER.fullmatch(word) else word


class _Parser:
    def __init__(self, text: str, unions: frozenset[str]) -> None:
        self.lines = text.rstrip("\n").split("\n")
        self.unions = unions
        self.values: dict[str, Value] = {}
        self.blocks: dict[str, Block] = {}

    def run(self) -> Function:
        function = self._head(self._line(self.lines[0]))
        block: Block | None = None
        for number, text in enumerate(self.lines[1:-1], 2):
            try:
                if text.startswith("  "):
                    if block is None:
                        raise ValueError("an instruction before the first block")  # noqa: TRY301
                    self._instruction(self._line(text[2:]), block)
                else:
                    block = self._block(self._line(text))
                    function.blocks.append(block)
            except (ValueError, KeyError) as error:
                raise ValueError(f"line {number}: {error}") from error
        unknown = [name for name, value in self.values.items() if not value.op]
        if unknown or self.lines[-1] != "}":
            raise ValueError(f"never defined: {', '.join(unknown)}" if unknown else "`}` expected")
        return function

    def _line(self, text: str) -> _Line:
        return _Line(text, self.unions)

    def _head(self, line: _Line) -> Function:
        line.expect("fun ")
        name = line.match(_WORD)
        line.expect("(")
        params, taken = [], set()
        for number, _ in enumerate(line.several(")")):
            if line.skips("own "):
                taken.add(number)
            params.append(self._param(line))
        result = line.type() if line.skips(": ") else VOID
        return Function(name, params, result, consumes=frozenset(taken))

    def _block(self, line: _Line) -> Block:
        block = self._block_named(line.match(re.compile(r"b\d+")))
        if line.skips("("):
            block.params = [self._param(line) for _ in line.several(")")]
        line.expect(":")
        return block

    def _block_named(self, name: str) -> Block:
        return self.blocks.setdefault(name, Block())

    def _param(self, line: _Line) -> Value:
        name = line.match(_DEFINITION)[:-2]
        return self._define(name, "param", (), line.type(), None)

    # Values

    def _named(self, name: str) -> Value:
        """Return the value of a name, which may be defined further down."""
        if name not in self.values:
            known = "" if _NUMBERED.fullmatch(name) else name
            self.values[name] = Value("", (), VOID, name=known)
        return self.values[name]

    def _define(self, name: str, op: str, args: tuple[Value, ...], type_: Type, attr: Any) -> Value:
        value = self._named(name)
        if value.op:
            raise ValueError(f"{name} is defined twice")
        value.op, value.args, value.type, value.attr = op, args, type_, attr
        return value

    def _operand(self, line: _Line, block: Block) -> Value:
        constant = self._constant(line)
        if constant is not None:
            block.code.append(constant)
            return constant
        name = line.match(_WORD)
        if not name:
            raise ValueError(f"a value expected at `{line.text[line.at :]}`")
        return self._named(name)

    def _constant(self, line: _Line) -> Value | None:
        text = line.match(_STRING)
        if text:
            return Value("string", (), WORD if line.skips("w") else STRING, unquote(text))
        if line.skips("null<"):
            value = Value("null", (), line.type())
            line.expect(">")
            return value
        start = line.at
        word = line.match(_WORD)
        if word in ("true", "false"):
            return Value("const", (), BOOL, int(word == "true"))
        if _INTEGER.fullmatch(word):
            return Value("const", (), WORD if word[-1] == "w" else INT, int(word.rstrip("w")))
        if _FLOATING.fullmatch(word):
            return Value("const", (), FLOAT, float(word))
        line.at = start
        return None

    # Instructions

    def _instruction(self, line: _Line, block: Block) -> None:
        name = line.match(_DEFINITION)[:-2]
        type_ = VOID
        if name:
            type_ = line.type()
            line.expect(" = ")
        op = line.match(_WORD)
        if op in ("jump", "branch", "return", "unreachable"):
            self._end(op, line, block)
            return
        attr = line.attribute(op)
        args: list[Value] = []
        while not line.is_done:
            line.expect(", " if args else " ")
            args.append(self._operand(line, block))
        value = (
            self._define(name, op, tuple(args), type_, attr) if name
            else Value(op, tuple(args), VOID, attr)
        )  # fmt: skip
        block.code.append(value)

    def _end(self, op: str, line: _Line, block: Block) -> None:
        line.skips(" ")
        if op == "jump":
            target = self._block_named(line.match(_WORD))
            args = []
            if line.skips("("):
                args = [self._operand(line, block) for _ in line.several(")")]
            block.end = Jump(target, args)
        elif op == "branch":
            condition = self._operand(line, block)
            line.expect(", ")
            then = self._block_named(line.match(_WORD))
            line.expect(", ")
            otherwise = self._block_named(line.match(_WORD))
            likely = {"": None, " likely": True, " unlikely": False}[line.text[line.at :]]
            block.end = Branch(condition, then, otherwise, likely)
        elif op == "return":
            block.end = Return(None if line.is_done else self._operand(line, block))
        else:
            block.end = Unreachable()
