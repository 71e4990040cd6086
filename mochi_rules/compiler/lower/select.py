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
from mochi_rules.wasm import module as wasm
from mochi_rules.wasm.instruction import CODES
from mochi_rules.wasm.leb128 import encode_unsigned
from mochi_rules.wasm.opcodes import OPCODES
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
    from mochi_rules.wasm.module import Piece
    from mochi_rules.wasm.template import Template

    Handler = Callable[["Selector", Value], None]


class _OfLocals(dict[int, bytes]):
    """The codes of an instruction for each local."""

    def __init__(self, mnemonic: str) -> None:
        self._opcode = OPCODES[mnemonic].code

    def __missing__(self, local: int) -> bytes:
        code = self[local] = self._opcode + encode_unsigned(local)
        return code


_GET, _SET = map(_OfLocals, ("local.get", "local.set"))
_TEE = OPCODES["local.tee"].code[0]
_NO_CODE = frozenset({"index.known", "natural.known"})  # they are their first argument
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

    `relocations` are places in its body, `calls` the functions that it calls, and `globals` the
    variables that it uses with their types.
    """

    function: wasm.Function
    relocations: list[Relocation]
    calls: list[str]
    globals: dict[str, Type]
    uses_table: bool

    def join(self) -> None:
        """Join neighbors that are bytes."""
        joined: list[Piece] = []
        moved: dict[int, int] = {}
        for position, piece in enumerate(self.function.body):
            moved[position] = len(joined)
            last = joined[-1] if joined else None
            if isinstance(piece, bytes) and isinstance(last, bytes):
                joined[-1] = last + piece
            else:
                joined.append(piece)
        self.function.body = joined
        self.relocations = [
            replace(place, position=moved[place.position]) for place in self.relocations
        ]


# A value that waits, with those among its operands that do: their effects but PURE, and its depth.
_Tree = tuple[frozenset["Effects"], int]


def _is_removable(value: Value) -> bool:
    """Whether a value is not computed where nothing uses it."""
    if value.type is VOID:
        return False
    effects = effects_of(value)
    return effects.is_movable and effects.is_removable


@cache
def _alone(effects: Effects) -> frozenset[Effects]:
    return frozenset() if effects is PURE else frozenset((effects,))


@cache
def _conflict(found: frozenset[Effects], effects: Effects) -> bool:
    return any(own.conflicts(effects) for own in found)


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
        self.body: list[Piece] = []
        self.code = bytearray()  # what comes behind the body
        self.set_end = -1  # where in the code the last `local.set` ends
        self.set_local = -1  # and its local
        self.left = -1  # where in the code nothing arrives
        self.locals: list[str] = []
        self.local_count = len(function.params)
        self.relocations: list[Relocation] = []
        self.calls: dict[str, None] = {}
        self.globals: dict[str, Type] = {}
        self.uses_table = False
        self.local_of: dict[Value, int] = {
            param: number for number, param in enumerate(function.params)
        }
        self.used: dict[Value, Block | None] = {}  # in which block; None for several uses
        self.deferred: dict[Value, _Tree] = {}
        self.waiting: dict[frozenset[Effects], dict[Value, None]] = {}  # roots, by their effects
        self.marked: Site | None = None
        self.marked_line = (-1, -1)
        self.shapes: dict[str, tuple[list[int], int]] = {}

    def run(self) -> Selected:
        """Select the whole function."""
        flow = Flow(self.function)
        for block in reversed(flow.blocks):
            self._count_uses(block)
        Structurer(flow, self).run(self.function.entry)
        if self.left != len(self.code):
            self.raw("unreachable")
        self._cut()
        return Selected(
            wasm.Function(
                self.function.name,
                [layout.machine_type(param.type) for param in self.function.params],
                list(layout.results_of(self.function.result)),
                self.locals,
                self.body,
                is_shared=self.function.is_runtime,
            ),
            self.relocations,
            list(self.calls),
            self.globals,
            self.uses_table,
        )

    # What handlers use

    def raw(self, *instruction: Any) -> None:
        """Append a wasm instruction; for locals, see `get` and `set`."""
        self.code += CODES[instruction]

    def name(self, *instruction: Any) -> None:
        """Append a wasm instruction that names something of the module."""
        self._cut()
        self.body.append(instruction)

    def finish(self, mnemonic: str) -> None:
        """Append a wasm instruction behind which nothing runs."""
        self.raw(mnemonic)
        self.left = len(self.code)

    def emit(self, template: Template, *operands: int) -> None:
        """Append the instructions of a template."""
        first, pieces, last = template.known.get(operands) or template.fill(operands)
        if self.set_end == len(self.code) and template.begins_with_get:
            self.get(operands[0])
            first = first[len(_GET[operands[0]]) :]
        self.code += first
        if pieces:
            self._cut()
            self.body += pieces
            self.code += last
            self.calls |= template.calls

    def get(self, local: int) -> None:
        """Push a local; with a `local.set` of it just before, that is a `local.tee`."""
        code = self.code
        if self.set_end == len(code) and self.set_local == local:
            code[-len(_SET[local])] = _TEE
            self.set_end = -1
        else:
            code += _GET[local]

    def set(self, local: int) -> None:
        """Pop the top of the stack into a local."""
        code = self.code
        code += _SET[local]
        self.set_end = len(code)
        self.set_local = local

    def new_local(self, machine: str) -> int:
        """Make a local of a wasm type; return its index."""
        self.locals.append(machine)
        self.local_count += 1
        return self.local_count - 1

    def push(self, value: Value) -> None:
        """Push a value: compute it here, or read its local."""
        op = value.op
        if op in CONSTANTS:
            self.handlers[op](self, value)
        elif value in self.deferred:
            self._take(value)
            self._mark(value.site)
            self.handlers[op](self, value)
        else:
            local = self.local_of.get(value)
            self.get(self._local(value) if local is None else local)

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
        self.set(local)
        return local

    def call(self, name: str) -> None:
        """Call a function."""
        self.calls[name] = None
        self.name("call", name)

    def address(self, kind: str, key: Any) -> None:
        """Push a word that the linker fills in."""
        self.name("i32.const", 0)
        self.relocations.append(Relocation(len(self.body) - 1, kind, key))

    def call_indirect(self, params: tuple[str, ...], result: Type) -> None:
        """Call the function whose table index is on the stack, over its arguments."""
        self.uses_table = True
        self.name("call_indirect", FuncType(params, layout.results_of(result)))

    def struct_shape(self, struct: str) -> tuple[list[int], int]:
        """Return the offsets of a struct's fields, and its size."""
        if struct not in self.shapes:
            types = tuple(type_ for _, type_ in self.structs[struct].fields)
            self.shapes[struct] = layout.struct_shape(types)
        return self.shapes[struct]

    def site(self, site: Site | None) -> None:
        """Push a place in the sources, packed into a word."""
        self.raw("i32.const", self.packed(site))

    def packed(self, site: Site | None) -> int:
        """Return a place in the sources as one word."""
        return site.file << SITE_LINE_BITS | site.line if site else 0

    def count_object(self) -> None:
        """Count a new object, where the program checks that it frees all of them."""
        if self.counts_objects:
            self.globals["live_objects"] = WORD
            self.name("global.get", "live_objects")
            self.raw("i32.const", 1)
            self.raw("i32.add")
            self.name("global.set", "live_objects")

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
        used = self.used
        for value in block.code:
            if value.op in CONSTANTS or (value not in used and _is_removable(value)):
                continue
            effects = effects_of(value)
            if effects is not PURE:
                self._flush(value, effects)
            is_used_here = used.get(value) is block
            if not (is_used_here and effects.is_movable and self._defer(value, effects)):
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
            self.set(self._local(param))

    def pass_below(self, jump: Jump) -> None:
        """Set the target's parameters, below a condition on the stack."""
        condition = self.hold_top("i32")
        self.pass_arguments(jump)
        self.get(condition)

    def leave(self, end: Return) -> None:
        """Return."""
        self._mark(end.site)
        if end.value is not None:
            self.push(end.value)
        self.finish("return")

    # Details

    def _cut(self) -> None:
        """Begin another piece of the body."""
        if self.code:
            self.body.append(bytes(self.code))
            self.code.clear()
            self.set_end = self.left = -1

    def _count_uses(self, block: Block) -> None:
        """Count the uses in a block, from its end on: what has none itself uses nothing."""
        used = self.used
        for arg in block.end_operands:
            used[arg] = None if arg in used else block
        for value in reversed(block.code):
            if value in used or not _is_removable(value):
                for arg in value.args[:1] if value.op in _NO_CODE else value.args:
                    used[arg] = None if arg in used else block

    def _local(self, value: Value) -> int:
        local = self.local_of.get(value)
        if local is None:
            local = self.local_of[value] = self.new_local(layout.machine_type(value.type))
        return local

    def _mark(self, site: Site | None) -> None:
        """Mark the line that the next instructions come from."""
        if site is None or site is self.marked:
            return
        line = (site.file, site.line)
        if line != self.marked_line:
            self.marked_line = line
            self.name("loc", *line)
        self.marked = site

    def _emit(self, value: Value) -> None:
        self._mark(value.site)
        self.handlers[value.op](self, value)
        if value.type is not VOID:
            if value in self.used:
                self.set(self._local(value))
            else:
                self.raw("drop")

    # Values that wait for their use

    def _defer(self, value: Value, effects: Effects) -> bool:
        """Defer a value, together with its deferred operands, unless they are too deep."""
        deferred = self.deferred
        found, depth = _alone(effects), 0
        for arg in value.args:
            if arg in deferred:
                below, height = deferred[arg]
                depth = max(depth, height)
                if below:
                    found |= below
                    self.waiting[below].pop(arg, None)
        if depth >= _DEEPEST:
            return False
        deferred[value] = (found, depth + 1)
        if found:
            self.waiting.setdefault(found, {})[value] = None
        return True

    def _take(self, value: Value) -> bool:
        """End the deferral of a value; return whether it was deferred."""
        tree = self.deferred.pop(value, None)
        if tree is None:
            return False
        if tree[0]:
            self.waiting[tree[0]].pop(value, None)
        return True

    def _flush(self, effect: Value, effects: Effects) -> None:
        """Compute deferred values that must not pass an instruction, except its own operands."""
        operands = None
        for found, values in self.waiting.items():
            if values and _conflict(found, effects):
                operands = operands or frozenset(effect.args)
                for value in [value for value in values if value not in operands]:
                    self._take(value)
                    self._emit(value)
