"""Builds functions in SSA form from structured source: what both front ends share.

An environment maps the variables in scope to their current values. Where control flow joins, a
variable whose values differ becomes a parameter of the joining block; at the head of a loop, so
does every variable that the loop assigns. Source has no goto, so nothing is ever patched later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.compiler.ir.environment import Environment
from mochi_rules.compiler.ir.function import Block, Branch, Jump, Return, Site, Unreachable, Value
from mochi_rules.compiler.ir.types import BOOL, VOID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mochi_rules.compiler.ir.function import Function
    from mochi_rules.compiler.ir.types import Type

Ways = tuple[list["Exit"], list["Exit"]]  # where control goes when true, and when false


@dataclass(slots=True)
class Exit:
    """A place that control flow leaves: a block without an end, and the environment there."""

    block: Block
    env: Environment


@dataclass(slots=True)
class Loop:
    """A loop under construction. `keys` are the variables its header has as parameters."""

    header: Block
    keys: list[Any]
    breaks: list[Exit] = field(default_factory=list)
    continues: list[Exit] = field(default_factory=list)


class SsaBuilder:
    """The current place in a function; `block` is None where no control flow arrives."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.block: Block | None = None
        self.env = Environment()
        self.loops: list[Loop] = []
        self.site: Site | None = None
        self._continue_in(Block())

    # Instructions

    def emit(
        self, op: str, args: Iterable[Value] = (), type_: Type = VOID, attr: Any = None
    ) -> Value:
        """Append an instruction; where nothing arrives it goes nowhere."""
        value = Value(op, tuple(args), type_, attr, self.site)
        if self.block is not None:
            self.block.code.append(value)
        return value

    def const(self, value: Any, type_: Type) -> Value:
        """Return a constant."""
        return self.emit("const", (), type_, value)

    # Control flow

    def leave(self, value: Value | None) -> None:
        """Return from the function."""
        self._end(Return(value, self.site))

    def stop(self) -> None:
        """Record that the instruction before never returns."""
        self._end(Unreachable())

    def exits(self) -> list[Exit]:
        """Leave the current place, to be merged later."""
        if self.block is None:
            return []
        exit_ = Exit(self.block, self.env)
        self.block = None
        return [exit_]

    def branch(self, condition: Value, *, likely: bool | None = None) -> Ways:
        """End the block with a branch; return where it goes when true and when false."""
        if self.block is None:
            return [], []
        if condition.op == "const":
            here = self.exits()
            return (here, []) if condition.attr else ([], here)
        then, otherwise = self._new_block(), self._new_block()
        env = self.env
        self._end(Branch(condition, then, otherwise, likely))
        return [Exit(then, env)], [Exit(otherwise, Environment(env))]

    def merge(self, exits: list[Exit]) -> None:
        """Go on where all the exits meet."""
        if not exits:
            self.block = None
            return
        if len(exits) == 1:
            self.block, self.env = exits[0].block, exits[0].env
            return
        target = self._new_block()
        first, *others = (exit_.env for exit_ in exits)
        merged = Environment(first)
        changed = []
        for key in first.differences(others):
            value = first.get(key)
            if value is None:
                continue
            if all(key in other for other in others):
                changed.append(key)
                merged[key] = self._new_param(target, key, value)
            else:
                merged.pop(key)
        for exit_ in exits:
            exit_.block.end = Jump(target, [exit_.env[key] for key in changed])
        self.block, self.env = target, merged

    def choose(
        self, ways: Ways,
        then: Callable[[], Value], otherwise: Callable[[], Value],
    ) -> Value:  # fmt: skip
        """Return the value of one of two computations, by the way that control flow took."""
        return self.choose_first([(lambda: ways, then)], otherwise)

    def choose_first(
        self, cases: Iterable[tuple[Callable[[], Ways], Callable[[], Value]]],
        otherwise: Callable[[], Value],
    ) -> Value:  # fmt: skip
        """Return the value of the first case whose condition holds, or else of the last way."""
        exits: list[Exit] = []
        values: list[Value] = []
        unreached: Value | None = None

        def take(compute: Callable[[], Value]) -> None:
            nonlocal unreached
            value = compute()
            if self.block is None:
                unreached = value if unreached is None else unreached
            else:
                values.append(value)
                exits.extend(self.exits())

        for condition, compute in cases:
            true, false = condition()
            self.merge(true)
            take(compute)
            self.merge(false)
        take(otherwise)
        self.merge(exits)
        if not values:
            assert unreached is not None
            return unreached
        return self._joined(exits, values)

    def _joined(self, exits: list[Exit], values: list[Value]) -> Value:
        """Return what is one of some values, by the exit that control flow took to get here."""
        first = values[0]
        if all(value is first for value in values):
            return first
        assert self.block is not None
        param = self._new_param(self.block, None, first)
        for exit_, value in zip(exits, values, strict=True):
            assert isinstance(exit_.block.end, Jump)
            exit_.block.end.args.append(value)
        return param

    def begin_loop(self, keys: Iterable[Any]) -> Loop:
        """Start a loop; `keys` are the variables that it may assign."""
        header = Block(self.site)
        loop = Loop(header, [key for key in keys if key in self.env])
        self.loops.append(loop)
        if self.block is None:
            return loop
        args = [self.env[key] for key in loop.keys]
        env = Environment(self.env)
        for key in loop.keys:
            env[key] = self._new_param(header, key, self.env[key])
        self._end(Jump(header, args))
        self._continue_in(header)
        self.env = env
        return loop

    def continue_point(self, loop: Loop) -> None:
        """Go on where `continue` leads: the end of the body."""
        self.merge(loop.continues + self.exits())

    def end_loop(self, loop: Loop, exits: list[Exit]) -> None:
        """Jump back to the start, and continue after the loop; `exits` leave it besides `break`."""
        if self.block is not None:
            self._end(Jump(loop.header, [self.env[key] for key in loop.keys]))
        self.loops.pop()
        self.merge(exits + loop.breaks)

    def short_circuit(
        self, op: str, left: Ways,
        right: Callable[[], Ways],
    ) -> Ways:  # fmt: skip
        """Combine the ways of `left && right` or `left || right`."""
        true, false = left
        if op == "&&":
            self.merge(true)
            true, more = right()
            false.extend(more)
        else:
            self.merge(false)
            more, false = right()
            true.extend(more)
        return true, false

    def as_value(self, ways: Ways) -> Value:
        """Turn the ways of a condition into a bool."""
        return self.choose(ways, lambda: self.const(1, BOOL), lambda: self.const(0, BOOL))

    # Inside

    def _end(self, end: Jump | Branch | Return | Unreachable) -> None:
        if self.block is not None:
            self.block.end = end
            self.block = None

    def _new_block(self) -> Block:
        block = Block()
        self.function.blocks.append(block)
        return block

    def _continue_in(self, block: Block) -> None:
        self.function.blocks.append(block)
        self.block = block

    def _new_param(self, block: Block, key: Any, like: Value) -> Value:
        param = Value("param", (), like.type, name=getattr(key, "name", ""))
        block.params.append(param)
        return param
