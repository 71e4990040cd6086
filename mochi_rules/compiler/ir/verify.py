"""Checks the invariants of the IR: what every pass may rely on and must keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.cfg import Flow
from mochi_rules.compiler.ir.function import Branch, Jump, Return
from mochi_rules.compiler.ir.operand_types import type_faults
from mochi_rules.compiler.ir.ownership import ownership_faults
from mochi_rules.compiler.ir.types import VOID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.compiler.ir.function import Block, Function, Program, Value


def verify_program(program: Program, *, counted: bool) -> list[str]:
    """Return what is wrong with a program; `counted` says that reference counts are in it."""
    faults: list[str] = []
    for function in program.functions.values():
        found = verify_function(function, program)
        if counted and not found:
            found = [
                f"{function.name}: {fault}"
                for fault in ownership_faults(function, program.signatures)
            ]
        faults += found
    return faults


def verify_function(function: Function, program: Program | None = None) -> list[str]:
    """Return what is wrong with a function; nothing where it is sound.

    Every block ends; the target of a branch has no parameters and no other predecessor; a jump
    passes one value for each parameter, of its type; what is returned has the result's type;
    every instruction has the signature of its operation; a definition dominates its uses. With
    a program, calls and fields are as it declares them.
    """
    return [f"{function.name}: {fault}" for fault in _faults(function, program)]


def _faults(function: Function, program: Program | None) -> Iterator[str]:
    flow = Flow(function)
    for block in flow.blocks:
        yield from _end_faults(block, function)
        if isinstance(block.end, Branch):
            for target in block.targets:
                if target.params or len(flow.predecessors[target]) != 1:
                    yield "a branch to a block with parameters or other predecessors"
        for value in block.code:
            yield from type_faults(value, program)
    yield from _undominated(function, flow)


def _end_faults(block: Block, function: Function) -> Iterator[str]:
    match block.end:
        case None:
            yield "a block without an end"
        case Jump(target=target, args=args):
            if len(args) != len(target.params):
                yield "a jump with the wrong number of arguments"
            for param, arg in zip(target.params, args, strict=False):
                if param.type is not arg.type:
                    yield f"a jump passes {arg.type} for {param.type}"
        case Branch(condition=condition):
            if condition.type.name != "bool":
                yield f"a branch on {condition.type}"
        case Return(value=value):
            returned = value.type if value else VOID
            if returned is not function.result:
                yield f"returns {returned} for {function.result}"
        case _:
            pass


def _undominated(function: Function, flow: Flow) -> Iterator[str]:
    homes: dict[Value, tuple[Block, int]] = dict.fromkeys(function.params, (function.entry, -1))
    for block in flow.blocks:
        for value in block.params:
            homes[value] = block, -1
        for position, value in enumerate(block.code):
            if value in homes:
                yield f"{value!r} is defined twice"
            homes[value] = block, position
    for block in flow.blocks:
        for position, user, arg in _uses(block):
            home, defined = homes.get(arg, (None, 0))
            if home is block:
                is_known = defined < position
            else:
                is_known = home is not None and flow.dominates(home, block)
            if not is_known:
                yield f"{user} uses {arg!r}, which is not defined there"


def _uses(block: Block) -> Iterator[tuple[int, str, Value]]:
    """Return every use of a value in a block: where, by what, and the value."""
    for position, value in enumerate(block.code):
        for arg in value.args:
            yield position, value.op, arg
    for arg in block.end_operands:
        yield len(block.code), type(block.end).__name__.lower(), arg
