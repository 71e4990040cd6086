"""Finds the parameters that a function should take over rather than borrow.

A function that takes over a list may extend it in place, and one that takes over a part need not
retain it, where the call is its caller's last use. So a function takes over what an instruction
of it takes over, calls included; a parameter that it merely returns stays borrowed. Functions that
are called through a value or by C borrow, since their callers do not know them.

Requires that no references are counted yet. Sets `Function.consumes`, and for callers the
signatures of the functions that take something over. As Lean 4 infers it (Ullrich and de Moura,
IFL 2019).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.compiler.ir.function import Jump, Signature, consumed
from mochi_rules.compiler.passes.borrow import is_alias

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.compiler.ir.function import Function, Value
    from mochi_rules.compiler.passes.context import Context

_ADDRESSES = frozenset({"closure.new", "symbol"})  # what makes a value of a function

Param = tuple[str, int]  # of a function: its name, and the number of the parameter


def infer_consumed(context: Context) -> None:
    """Decide for every function which parameters it takes over."""
    finder = _Finder(context)
    if context.program is not None:
        finder.fixed.update(context.program.entries)
    for function in context.functions.values():
        finder.note(function)
    for name, numbers in finder.spread().items():
        function = context.functions[name]
        function.consumes = frozenset(numbers)
        types = tuple(param.type for param in function.params)
        context.signatures[name] = Signature(types, function.result, function.consumes)


@dataclass(slots=True)
class _Finder:
    context: Context
    wanted: dict[Param, None] = field(default_factory=dict)
    passed: dict[Param, list[Param]] = field(default_factory=dict)  # callee's -> its callers'
    fixed: set[str] = field(default_factory=set)  # functions with unknown callers

    def note(self, function: Function) -> None:
        """Note what a function does with its parameters."""
        names = _names_of_params(function)
        for block in function.blocks:
            for value in block.code:
                if value.op in _ADDRESSES:
                    self.fixed.add(value.attr)
                for number in consumed(value, self.context.signatures):
                    if value.args[number] in names:
                        self.wanted[function.name, names[value.args[number]]] = None
                if value.op == "call" and value.attr in self.context.functions:
                    for number, arg in enumerate(value.args):
                        if arg in names:
                            users = self.passed.setdefault((value.attr, number), [])
                            users.append((function.name, names[arg]))

    def spread(self) -> dict[str, list[int]]:
        """Return what each function takes over, by itself or to pass it on."""
        found: dict[Param, None] = {}
        work = list(self.wanted)
        while work:
            param = work.pop()
            if param not in found and param[0] not in self.fixed:
                found[param] = None
                work += self.passed.get(param, ())
        result: dict[str, list[int]] = {}
        for name, number in found:
            result.setdefault(name, []).append(number)
        return result


def _names_of_params(function: Function) -> dict[Value, int]:
    """Return the counted parameters, by number, under all their aliases."""
    users: dict[Value, list[Value]] = {}
    for block in function.blocks:
        for source, name in _renamings(block.end, block.code):
            users.setdefault(source, []).append(name)
    found: dict[Value, int] = {}
    for number, param in enumerate(function.params):
        names = [param] if param.type.is_counted else []
        while names:
            name = names.pop()
            if name not in found:
                found[name] = number
                names += users.get(name, ())
    return found


def _renamings(end: object, code: list[Value]) -> Iterator[tuple[Value, Value]]:
    for value in code:
        if is_alias(value):
            yield value.args[0], value
    if isinstance(end, Jump):
        yield from zip(end.args, end.target.params, strict=True)
