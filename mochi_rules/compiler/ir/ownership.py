"""Checks reference counts: every reference is given away exactly once, on every path.

An object is followed under its first name; aliases are other names of it. The balance of an
object is the number of references that the function holds: one where it is made or comes as a
parameter of a block, one more for each retain, one less for each release and each operation that
takes a reference over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.compiler.ir.cfg import Flow
from mochi_rules.compiler.ir.function import Jump, Return, consumed, result_is

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mochi_rules.compiler.ir.function import Block, Function, Signature, Value

Balances = dict["Value", int]  # without zeros


def ownership_faults(function: Function, signatures: Mapping[str, Signature]) -> Iterator[str]:
    """Return what is wrong with the reference counts of a function that is sound otherwise."""
    at_entry: dict[Block, Balances] = {function.entry: dict.fromkeys(function.taken_params, 1)}
    borrowed = set(function.params) - set(function.taken_params)
    for block in Flow(function).blocks:
        walk = _Walk(signatures, borrowed, dict(at_entry[block]))
        yield from walk.block(block)
        for target in block.targets:
            found = walk.held | {param: 1 for param in target.params if param.type.is_counted}
            known = at_entry.setdefault(target, found)
            for value in known.keys() | found.keys():
                if known.get(value, 0) != found.get(value, 0):
                    yield f"{value!r} is held on one way into a block and not on another"


@dataclass(slots=True)
class _Walk:
    signatures: Mapping[str, Signature]
    params: set[Value]  # of the function, borrowed: the caller keeps them alive
    held: Balances

    def block(self, block: Block) -> Iterator[str]:
        """Follow the instructions of a block."""
        for value in block.code:
            yield from self._uses(value)
            if value.op == "retain":
                self._add(value.args[0], 1)
            elif value.op == "release":
                yield from self._give(value.args[0], "release")
            for number in consumed(value, self.signatures):
                yield from self._give(value.args[number], value.op)
            if value.type.is_counted and result_is(value, self.signatures) == "owned":
                self._add(value, 1)
        if isinstance(block.end, (Jump, Return)):
            for value in block.end_operands:
                yield from self._give(value, "the end of a block")
        if isinstance(block.end, Return):
            for value in self.held:
                yield f"{value!r} is never released"

    def _uses(self, value: Value) -> Iterator[str]:
        for arg in value.args:
            if arg.type.is_counted and not self._is_alive(arg):
                yield f"{value.op} uses {arg!r}, to which no reference is left"

    def _is_alive(self, value: Value) -> bool:
        name = self._first_name(value)
        if self.held.get(name) or name in self.params:
            return True
        match result_is(name, self.signatures):
            case "borrowed":
                return not name.args or self._is_alive(name.args[0])
            case held:
                return held == "static"

    def _first_name(self, value: Value) -> Value:
        while result_is(value, self.signatures) == "alias":
            value = value.args[0]
        return value

    def _give(self, value: Value, taker: str) -> Iterator[str]:
        if not value.type.is_counted or value.op == "null":
            return
        if self._first_name(value) not in self.held:
            yield f"{taker} takes over {value!r}, to which no reference is left"
        else:
            self._add(value, -1)

    def _add(self, value: Value, change: int) -> None:
        name = self._first_name(value)
        self.held[name] = self.held.get(name, 0) + change
        if not self.held[name]:
            del self.held[name]
