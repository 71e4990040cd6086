"""Instruction selection: the framework. The lowering of each operation is in operations.py.

A value with a single use in its own block is not put into a local: it is computed on the wasm
stack where it is used. It is deferred at most to an operation whose effects conflict with its own,
and then goes into a local after all.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import dataclass, replace
from mochi_rules.compiler.ir.cfg import Flow
from mochi_rules.compiler.ir.function import effects_of
from mochi_rules.compiler.ir.ops import CONSTANTS, PURE
from mochi_rules.compiler.ir.types import VOID, WORD
from mochi_rules.compiler.lower import object_layout as layout
from mochi_rules.compiler.lower.structure import Structurer
from mochi_rules.wasm.stretch import join_stretches
from mochi_rules.wasm.types import FuncType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mochi_rules.compiler.ir.function import (
        Block,
        Function,
        Jump,
        Return,
        Site,
        StructLayout,
        Value,
    )
    from mochi_rules.compiler.ir.ops import Effects
    from mochi_rules.compiler.ir.types import Type

    Handler = Callable[["Selector", Value], None]

Instruction = tuple[Any, ...]

_NO_CODE = frozenset({"index.known"})  # they are their first argument
SITE_LINE_BITS = 20
_DEEPEST = 60  # operations in operations that wait for one use: pushing them is recursive


@dataclass(frozen=True, slots=True)
class Relocation:
    """A word that only the linker knows: the instruction at `position` will push it.

    Kinds and keys: "string" and its bytes, "table" or "function" and its name, "struct" and its
    type's name, "closure" and the types of its captures.
    """

    position: int
    kind: str
    key: Any


@dataclass(slots=True, eq=False)
class Selected:
    """A function as wasm, and what it needs of the rest of the program.

    `relocations` are places in `body`, `calls` the functions that it calls, and `globals` the
    variables that it uses with their types.
    """

    params: list[str]
    results: list[str]
    locals: list[str]
    body: list[Instruction]
    relocations: list[Relocation]
    calls: list[str]
    globals: dict[str, Type]
    uses_table: bool

    def join(self) -> None:
        """Encode what is the same in every module."""
        alone = {place.position for place in self.relocations}
        self.body, moved = join_stretches(self.body, alone)
        self.relocations = [
            replace(place, position=moved[place.position]) for place in self.relocations
        ]


@dataclass(frozen=True, slots=True)
class _Tree:
    """A value that waits, with those among its operands that do: their effects but PURE."""

    effects: frozenset[Effects]
    depth: int


@cache
def _alone(effects: Effects) -> frozenset[Effects]:
    return frozenset() if effects is PURE else frozenset((effects,))


class Selector:
    """Turns one function into wasm instructions and locals."""

    def __init__(
        self, function: Function, structs: Mapping[str, StructLayout],
        handlers: dict[str, Handler], *, counts_objects: bool = False,
    ) -> None:  # fmt: skip
        self.function = function
        self.structs = structs
        self.handlers = handlers
        self.counts_objects = counts_objects
        self.body: list[Instruction] = []
        self.locals: list[str] = []
        self.relocations: list[Relocation] = []
        self.calls: dict[str, None] = {}
        self.globals: dict[str, Type] = {}
        self.uses_table = False
        self.local_of: dict[Value, int] = {
            param: number for number, param in enumerate(function.params)
        }
        self.single_use: dict[Value, Block] = {}
        self.uses: dict[Value, int] = {}
        self.deferred: dict[Value, _Tree] = {}
        self.waiting: dict[frozenset[Effects], dict[Value, None]] = {}  # roots, by their effects
        self.marked: Site | None = None
        self.shapes: dict[str, tuple[list[int], int]] = {}

    def run(self) -> Selected:
        """Select the whole function."""
        flow = Flow(self.function)
        for block in reversed(flow.blocks):
            self._count_uses(block)
        Structurer(flow, self).run(self.function.entry)
        if self.body[-1][0] not in ("unreachable", "return"):
            self.raw("unreachable")
        return Selected(
            [layout.machine_type(param.type) for param in self.function.params],
            list(layout.results_of(self.function.result)),
            self.locals,
            self.body,
            self.relocations,
            list(self.calls),
            self.globals,
            self.uses_table,
        )

    # What handlers use

    def raw(self, *instruction: Any) -> None:
        """Append a wasm instruction; a `local.set` with a `local.get` of it is one `local.tee`."""
        body = self.body
        if instruction[0] == "local.get" and body and body[-1] == ("local.set", instruction[1]):
            body[-1] = ("local.tee", instruction[1])
        else:
            body.append(instruction)

    def new_local(self, machine: str) -> int:
        """Make a local of a wasm type; return its index."""
        self.locals.append(machine)
        return len(self.function.params) + len(self.locals) - 1

    def push(self, value: Value) -> None:
        """Push a value: compute it here, or read its local."""
        if value.op in CONSTANTS:
            self.handlers[value.op](self, value)
        elif self._take(value):
            self._mark(value.site)
            self.handlers[value.op](self, value)
        else:
            self.raw("local.get", self._local(value))

    def hold(self, value: Value) -> int:
        """Return a local that holds a value."""
        if value in self.deferred or value.op in CONSTANTS:
            self.push(value)
            return self.hold_top(layout.machine_type(value.type))
        return self._local(value)

    def operand_of(self, value: Value) -> Value | None:
        """Return the operand of a value that need not be computed, or None: it has to be."""
        [operand] = value.args
        return operand if self._take(value) or operand in self.local_of else None

    def hold_top(self, machine: str) -> int:
        """Pop the top of the stack into a fresh local."""
        local = self.new_local(machine)
        self.raw("local.set", local)
        return local

    def call(self, name: str) -> None:
        """Call a function."""
        self.calls[name] = None
        self.raw("call", name)

    def address(self, kind: str, key: Any) -> None:
        """Push a word that the linker fills in."""
        self.relocations.append(Relocation(len(self.body), kind, key))
        self.raw("i32.const", 0)

    def call_indirect(self, params: tuple[str, ...], result: Type) -> None:
        """Call the function whose table index is on the stack, over its arguments."""
        self.uses_table = True
        self.raw("call_indirect", FuncType(params, layout.results_of(result)))

    def struct_shape(self, struct: str) -> tuple[list[int], int]:
        """Return the offsets of a struct's fields, and its size."""
        if struct not in self.shapes:
            types = tuple(type_ for _, type_ in self.structs[struct].fields)
            self.shapes[struct] = layout.struct_shape(types)
        return self.shapes[struct]

    def site(self, site: Site | None) -> None:
        """Push a place in the sources, packed into a word."""
        packed = site.file << SITE_LINE_BITS | site.line if site else 0
        self.raw("i32.const", packed)

    def count_object(self) -> None:
        """Count a new object, where the program checks that it frees all of them."""
        if self.counts_objects:
            self.globals["live_objects"] = WORD
            self.raw("global.get", "live_objects")
            self.raw("i32.const", 1)
            self.raw("i32.add")
            self.raw("global.set", "live_objects")

    def is_constant(self, value: Value) -> bool:
        """Whether a value is repeated at every use."""
        return value.op in CONSTANTS

    def const_of(self, value: Value) -> Any:
        """Return the value of a constant, or None."""
        return value.attr if value.op == "const" else None

    def split_sum(self, index: Value, least: int, most: int) -> tuple[Value, int]:
        """Return an index without a constant that is added to it, and the constant, or 0.

        Only where the constant is in range, and what it is added to can be pushed.
        """
        total = index.args[0] if index.op in _NO_CODE else index
        change = self.const_of(total.args[1]) if total.op == "add" else None
        if change is None or not least <= change <= most:
            return index, 0
        base = total.args[0]
        if base not in self.local_of and not (index in self.deferred and total in self.deferred):
            return index, 0
        self._take(index)
        self._take(total)
        return base, change

    # What structure.py uses

    def begin_loop(self, block: Block) -> None:
        """Mark the line of the loop that a block heads: limits are checked at its start."""
        self._mark(next((value.site for value in block.code if value.site), block.site))

    def block_code(self, block: Block) -> None:
        """Emit the instructions of a block; those that can wait, wait."""
        for value in block.code:
            if value.op in CONSTANTS or self._is_dead(value):
                continue
            effects = effects_of(value)
            if effects is not PURE:
                self._flush(value, effects)
            is_used_here = self.uses.get(value) == 1 and self.single_use[value] is block
            if is_used_here and effects.is_movable and value.has_result:
                tree = self._tree(value, effects)
                if tree.depth <= _DEEPEST:
                    self._defer(value, tree)
                    continue
            self._emit(value)

    def condition(self, value: Value, *, negated: bool) -> None:
        """Push a condition, negated if asked for."""
        if value.op == "not" and self._take(value):
            self.condition(value.args[0], negated=not negated)
            return
        self.push(value)
        if negated:
            self.raw("i32.eqz")

    def pass_arguments(self, jump: Jump) -> None:
        """Set the target's parameters, all at once."""
        moves = [
            (param, arg) for param, arg in zip(jump.target.params, jump.args, strict=True)
            if self.local_of.get(arg) is None or arg is not param
        ]  # fmt: skip
        for _, arg in moves:
            self.push(arg)
        for param, _ in reversed(moves):
            self.raw("local.set", self._local(param))

    def pass_below(self, jump: Jump) -> None:
        """Set the target's parameters, below a condition on the stack."""
        condition = self.hold_top("i32")
        self.pass_arguments(jump)
        self.raw("local.get", condition)

    def leave(self, end: Return) -> None:
        """Return."""
        self._mark(end.site)
        if end.value is not None:
            self.push(end.value)
        self.raw("return")

    # Details

    def _count_uses(self, block: Block) -> None:
        """Count the uses in a block, from its end on: what has none itself uses nothing."""
        for arg in block.end_operands:
            self._use(arg, block)
        for value in reversed(block.code):
            if not self._is_dead(value):
                for arg in value.args[: 1 if value.op in _NO_CODE else None]:
                    self._use(arg, block)

    def _is_dead(self, value: Value) -> bool:
        """Whether a value is not computed, because nothing uses it."""
        if value in self.uses or not value.has_result:
            return False
        effects = effects_of(value)
        return effects.is_movable and effects.is_removable

    def _use(self, value: Value, block: Block) -> None:
        self.uses[value] = self.uses.get(value, 0) + 1
        self.single_use[value] = block

    def _local(self, value: Value) -> int:
        local = self.local_of.get(value)
        if local is None:
            local = self.local_of[value] = self.new_local(layout.machine_type(value.type))
        return local

    def _mark(self, site: Site | None) -> None:
        """Mark the line that the next instructions come from."""
        if site is not self.marked and site is not None and site != self.marked:
            self.marked = site
            self.body.append(("loc", site.file, site.line))

    def _emit(self, value: Value) -> None:
        self._mark(value.site)
        self.handlers[value.op](self, value)
        if value.type is not VOID:
            if value in self.uses:
                self.raw("local.set", self._local(value))
            else:
                self.raw("drop")

    # Values that wait for their use

    def _tree(self, value: Value, effects: Effects) -> _Tree:
        found = _alone(effects)
        depth = 0
        for arg in value.args:
            operand = self.deferred.get(arg)
            if operand is not None:
                found |= operand.effects
                depth = max(depth, operand.depth)
        return _Tree(found, depth + 1)

    def _defer(self, value: Value, tree: _Tree) -> None:
        """Defer a value, together with its deferred operands."""
        for arg in value.args:
            if arg in self.deferred:
                self.waiting.get(self.deferred[arg].effects, {}).pop(arg, None)
        self.deferred[value] = tree
        if tree.effects:
            self.waiting.setdefault(tree.effects, {})[value] = None

    def _take(self, value: Value) -> bool:
        """End the deferral of a value; return whether it was deferred."""
        tree = self.deferred.pop(value, None)
        if tree is None:
            return False
        self.waiting.get(tree.effects, {}).pop(value, None)
        return True

    def _flush(self, effect: Value, effects: Effects) -> None:
        """Compute deferred values that must not pass an instruction, except its own operands."""
        operands = None
        for found, values in self.waiting.items():
            if values and any(own.conflicts(effects) for own in found):
                operands = operands or frozenset(effect.args)
                for value in [value for value in values if value not in operands]:
                    self._take(value)
                    self._emit(value)
