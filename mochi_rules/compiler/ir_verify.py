"""Checks the invariants of the IR: what every pass may rely on and must keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir import Branch, Jump, Return
from mochi_rules.compiler.ir_flow import Flow
from mochi_rules.compiler.ops import OPS
from mochi_rules.compiler.types import VOID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.compiler.ir import Block, Function, Program, Value


def verify_program(program: Program) -> list[str]:
    """Return what is wrong with a program: in its functions, and in the calls between them."""
    faults: list[str] = []
    for function in program.functions.values():
        faults += verify_function(function)
        calls = [v for block in function.blocks for v in block.code if v.op == "call"]
        for call in calls:
            callee = program.functions.get(call.attr)
            if callee is not None and not _fits(call, callee):
                faults.append(f"{function.name}: a call that does not fit {callee.name}")
    return faults


def _fits(call: Value, callee: Function) -> bool:
    params = [param.type for param in callee.params]
    return [arg.type for arg in call.args] == params and call.type is callee.result


def verify_function(function: Function) -> list[str]:
    """Return what is wrong with a function; nothing where it is sound.

    Every operation exists and has its number of arguments; every block ends; a jump passes one
    value for each parameter, of its type; what is returned has the result's type; the target of a
    branch has no parameters and no other predecessor; a definition dominates its uses.
    """
    return [f"{function.name}: {fault}" for fault in _faults(function)]


def _faults(function: Function) -> Iterator[str]:
    flow = Flow(function)
    predecessors: dict[Block, int] = {}
    for block in flow.blocks:
        for target in block.targets:
            predecessors[target] = predecessors.get(target, 0) + 1
    for block in flow.blocks:
        yield from _end_faults(block, function)
        if isinstance(block.end, Branch):
            for target in block.targets:
                if target.params or predecessors[target] != 1:
                    yield "a branch to a block with parameters or other predecessors"
        yield from _arities(block)
    yield from _undominated(function, flow.dominated)


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
        case Return(value=value):
            returned = value.type if value else VOID
            if returned is not function.result:
                yield f"returns {returned} for {function.result}"
        case _:
            pass


def _arities(block: Block) -> Iterator[str]:
    for value in block.code:
        op = OPS.get(value.op)
        if op is None:
            yield f"unknown operation {value.op}"
        elif op.arity is not None and op.arity != len(value.args):
            yield f"{value.op} with {len(value.args)} arguments"


def _undominated(function: Function, dominated: dict[Block, list[Block]]) -> Iterator[str]:
    """Walk the dominator tree with the values that are defined on the way."""
    stack: list[tuple[Block, frozenset[Value]]] = [(function.entry, frozenset(function.params))]
    while stack:
        block, known = stack.pop()
        defined = set(known) | set(block.params)
        for value in block.code:
            for arg in value.args:
                if arg not in defined:
                    yield f"{value.op} uses {arg!r}, which is not defined there"
            defined.add(value)
        used = block.end.args if isinstance(block.end, Jump) else []
        for arg in used:
            if arg not in defined:
                yield f"a jump passes {arg!r}, which is not defined there"
        inherited = frozenset(defined)
        stack += [(child, inherited) for child in dominated[block]]
