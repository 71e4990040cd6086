"""Which functions are copied, and for which of their calls.

A list has one layout wherever it is seen, so a helper that is called with lists of ints and with
lists of strings makes both lists of `any`. For a trial, each such call gets a copy of the function,
and of those that it calls in turn; calls whose copies have the same types then share one, and the
program is inferred again.

Later stages fill in the trees, so each attempt begins with the text.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass, field, replace
from mochi_rules.base.diagnostic import Diagnostics
from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.infer.program import infer_program
from mochi_rules.compiler.names.resolve import resolve_program
from mochi_rules.compiler.names.symbols import Function, ModuleScope
from mochi_rules.compiler.specialize.copies import Copy, Place, insert, mentions, walk
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from mochi_rules.base.diagnostic import Diagnostic
    from mochi_rules.compiler.infer.cells import Cell
    from mochi_rules.compiler.names.scopes import Resolution

_MAX_COPIES = 4  # of a function, beside itself
_MAX_CALLS = 32  # of a function that is tried
_MAX_TEXT = 20_000  # code points of all copies of a trial


@dataclass(slots=True, eq=False)
class _Vague:
    """A function of the top level with parameters of `any`, or with it.

    `calls` are those of it, `own` those in itself, `inner` those of other such functions in it.
    """

    place: Place
    function: Function
    calls: list[Place] = field(default_factory=list)
    own: list[Place] = field(default_factory=list)
    inner: list[tuple[_Vague, Place]] = field(default_factory=list)

    def holds(self, error: Diagnostic) -> bool:
        """Whether an error is in the text of the function."""
        span, place = error.span, self.place
        if span is None or span.source.name != self.function.module.source.name:
            return False
        return place.start <= span.start < place.end


@dataclass(slots=True, eq=False)
class _Trial:
    """A copy for one call. `around` is the trial whose copy has that call, if one has."""

    item: _Vague
    name: str
    call: Place
    around: _Trial | None
    back: list[Place] = field(default_factory=list)  # calls of it in copies of what it calls

    def copy(self, *calls: Place) -> Copy:
        """Return the copy, for other calls too."""
        own = (replace(place, copy=self.name) for place in self.item.own)
        return Copy(self.name, self.item.place, (self.call, *calls, *self.back, *own))


def specialize(
    load: Callable[[], list[ModuleScope]], resolution: Resolution, *, has_errors: bool = False
) -> Resolution | None:
    """Return a program with copies of functions, inferred; None where none is of use.

    `load` parses the modules. A function whose copies have errors has none: what is wrong with the
    types of a call is reported when it runs. With `has_errors`, the program has errors as it is:
    two calls of a generic function may need two declared types of one list.
    """
    items = _find_vague(resolution, _is_open if has_errors else _is_vague)
    trials = _plan(items)
    if not trials:
        return None
    found, errors = _infer(load, [trial.copy() for trial in trials])
    if found is None:
        trials = _plan([item for item in items if not any(map(item.holds, errors))])
        found, _ = _infer(load, [trial.copy() for trial in trials])
    copies = _choose(trials, found) if found is not None else []
    return _infer(load, copies)[0] if copies else None


def _plan(items: Collection[_Vague]) -> list[_Trial]:
    """Return a trial for each call, and for the calls in copies; callers come first."""
    trials: list[_Trial] = []
    room = _MAX_TEXT
    waiting: list[tuple[_Vague, Place, _Trial | None]] = [
        (item, call, None)
        for item in items
        for call in item.calls
        if 1 < len(item.calls) <= _MAX_CALLS
    ]
    for item, call, around in waiting:  # which grows
        room -= item.place.end - item.place.start
        if room < 0:
            break
        trial = _Trial(item, f"{item.function.name}.{len(trials)}", call, around)
        trials.append(trial)
        for callee, place in item.inner:
            inside = replace(place, copy=trial.name)
            outer: _Trial | None = trial
            while outer is not None and outer.item is not callee:
                outer = outer.around
            if outer is not None:
                outer.back.append(inside)
            elif callee in items:
                waiting.append((callee, inside, trial))
    return trials


def _choose(trials: list[_Trial], found: Resolution) -> list[Copy]:
    """Return a copy for each combination of types that a function is called with."""
    types = {function.name: _types_of(function) for function in found.functions if function.decl}
    made: Counter[_Vague] = Counter()
    groups: dict[tuple[_Vague, str], tuple[_Trial, list[Place]]] = {}
    kept: set[_Trial] = set()
    for trial in trials:
        item, group = trial.item, (trial.item, types[trial.name])
        if trial.around is not None and trial.around not in kept:
            continue
        if group in groups:
            groups[group][1].append(trial.call)
        elif types[trial.name] != _types_of(item.function) and made[item] < _MAX_COPIES:
            made[item] += 1
            groups[group] = (trial, [])
            kept.add(trial)
    names = {"", *(trial.name for trial in kept)}
    copies = [trial.copy(*calls) for trial, calls in groups.values()]
    return [
        replace(copy, calls=tuple(call for call in copy.calls if call.copy in names))
        for copy in copies
    ]


def _types_of(function: Function) -> str:
    cells = (*(param.type for param in function.params), function.result)
    return ", ".join(str(resolve(cell)) for cell in cells)


def _infer(
    load: Callable[[], list[ModuleScope]], copies: list[Copy]
) -> tuple[Resolution | None, tuple[Diagnostic, ...]]:
    """Return the program with copies, or the errors that it has with them."""
    diagnostics = Diagnostics()
    modules = load()
    insert(modules, copies)
    resolution = resolve_program(modules, diagnostics)
    if not diagnostics.errors:
        infer_program(resolution, diagnostics)
    return None if diagnostics.errors else resolution, diagnostics.errors


# What is worth a trial


def _find_vague(resolution: Resolution, test: Callable[[Function], bool]) -> list[_Vague]:
    found: dict[Function | None, _Vague] = {}
    for function in resolution.functions:
        decl = function.decl
        is_nested = function.parent is not None or function.receiver is not None
        if decl is not None and not is_nested and test(function):
            place = Place(function.module.number, "", decl.start, decl.end)
            found[function] = _Vague(place, function)
    for module in resolution.modules if found else ():
        for place, node, around in walk(module.number, module.tree.body):
            item = found.get(_called(node)) if isinstance(node, ast.Call) else None
            if item is None:
                continue
            caller = found.get(around.info) if around is not None else None
            if caller is item:
                item.own.append(place)
                continue
            item.calls.append(place)
            if caller is not None:
                caller.inner.append((item, place))
    return list(found.values())


def _is_vague(function: Function) -> bool:
    """Whether a parameter is of `any`, or of a type with it."""
    return any(_has_any(param.type, frozenset()) for param in function.params)


def _is_open(function: Function) -> bool:
    """Whether a parameter is not declared, or of a type that its calls give."""
    assert function.decl is not None
    names = frozenset({"any", *function.decl.type_params})
    params = function.decl.params
    return any(param.type is None or mentions(param.type, names) for param in params)


def _has_any(cell: Cell, around: frozenset[Cell]) -> bool:
    cell = cell.find()
    inner = around | {cell}
    parts = (arg for arg in cell.args if arg.find() not in inner)
    return cell.kind == "any" or any(_has_any(arg, inner) for arg in parts)


def _called(node: ast.Call) -> Function | None:
    """Return the function that a call names."""
    symbol: object = None
    match node.callee:
        case ast.Name(decl=symbol):
            pass
        case ast.Field(base=ast.Name(decl=ModuleScope() as module), name=name):
            symbol = module.names.get(name)
    return symbol if isinstance(symbol, Function) else None
