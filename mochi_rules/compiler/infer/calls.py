"""Calls: of functions, closures, builtins, and of what other modules give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.base.suggest import did_you_mean
from mochi_rules.compiler.infer.cells import NUMBERS, PERHAPS, Cell
from mochi_rules.compiler.infer.loops import iterate
from mochi_rules.compiler.infer.methods import check_count, check_most, method_call
from mochi_rules.compiler.names.builtins import (
    BUILTINS,
    FOREIGN_ARITY,
    FOREIGN_MODULES,
    FOREIGN_VALUES,
    KINDS,
    accepted,
    takes,
)
from mochi_rules.compiler.names.symbols import (
    Builtin,
    ForeignModule,
    Function,
    ModuleScope,
    Null,
    Struct,
    Variable,
)
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mochi_rules.compiler.infer.context import ExpressionRules, Inference


_DEFINITE = frozenset({"int", "float", "bool", "string", "list", "map", "fun"})


def _call(inference: Inference, node: ast.Call) -> Cell:
    """Infer a call."""
    callee = node.callee
    if isinstance(callee, ast.Name):
        symbol = callee.decl
        if isinstance(symbol, Function):
            return _direct(inference, node, symbol)
        if isinstance(symbol, Builtin):
            return _builtin(inference, node, symbol.name)
        if isinstance(symbol, Struct):
            return _constructor(inference, node, symbol)
        if isinstance(symbol, (Null, ModuleScope, ForeignModule)):
            inference.error("T004", f"`{callee.name}` is not callable", callee)
            return Cell("any")
        if symbol is None:
            for arg in node.args:
                inference.expression(arg)
            return Cell("any")
    elif isinstance(callee, ast.Field):
        return _member_call(inference, node, callee)
    return _value_call(inference, node, inference.expression(callee))


def _direct(inference: Inference, node: ast.Call, function: Function) -> Cell:
    args, params = node.args, function.params
    for arg, param in zip(args, params, strict=False):
        inference.give(arg, inference.variable(param))
    if len(args) > len(params):
        message = f"too many arguments: expected {len(params)}, got {len(args)}"
        inference.error("T006", message, args[len(params)])
        for arg in args[len(params) :]:
            inference.expression(arg)
    if len(args) < len(params):
        if function.receiver is not None:
            message = f"`{function.name}` takes {len(params)} arguments, got {len(args)}"
            inference.error("T006", message, node)
        rest = tuple(param.type for param in params[len(args) :])
        return Cell("fun", (*rest, function.result))
    return function.result  # type: ignore[no-any-return]


def _constructor(inference: Inference, node: ast.Call, struct: Struct) -> Cell:
    cells = list(struct.cells.values())
    if len(node.args) != len(cells):
        message = f"`{struct.name}` has {len(cells)} fields, got {len(node.args)}"
        inference.error("T006", message, node)
    for arg, cell in zip(node.args, cells, strict=False):
        inference.give(arg, cell)
    return Cell("struct", of=struct)


def variant(inference: Inference, node: ast.Expr, struct: Struct) -> Cell:
    """Infer the name of a variant as a value: it has no fields."""
    if struct.cells:
        fields = ", ".join(f"{name}: …" for name in struct.cells)
        message = f"the variant `{struct.name}` needs its fields"
        inference.error("T006", message, node, f"write `{struct.name} {{ {fields} }}`")
    return Cell("struct", of=struct)


def _value_call(inference: Inference, node: ast.Call, callee: Cell) -> Cell:
    inference.expect_all(node.args, callee.find().args[:-1])
    args, result = [inference.expression(arg) for arg in node.args], Cell()
    solver = inference.solver

    def action() -> None:
        cell = callee.find()
        if cell.kind == "fun":
            params = cell.args[:-1]
            for arg, param, place in zip(args, params, node.args, strict=False):
                inference.flow(arg, param, place)
            if len(args) >= len(params):
                solver.flow(cell.args[-1], result)
            else:
                solver.learn(result, "fun", cell.args[len(args) :])
        elif cell.kind == "any":
            for arg in args:
                solver.flow(arg, Cell("any"))
            solver.make_any(result)

    def check(module: ModuleScope) -> None:
        cell = callee.find()
        if cell.kind not in ("fun", "any", ""):
            inference.report(module, "T004", f"type `{callee}` is not callable", node)
        elif cell.kind == "fun":
            check_most(inference, module, node, cell)

    inference.watch(action, callee)
    inference.check_later(check)
    return result


# Members


def member(inference: Inference, node: ast.Field, owner: Any) -> Cell | None:
    """Infer `module.name` as a value; None where the base is an ordinary value."""
    if isinstance(owner, ForeignModule):
        known = FOREIGN_MODULES[owner.path].get(node.name)
        if known and node.name in FOREIGN_VALUES:
            return Cell(known)
        if known:
            assert isinstance(node.base, ast.Name)
            function_as_value(inference, node, f"{node.base.name}.{node.name}")
        else:
            _no_member(inference, node, owner.path, FOREIGN_VALUES)
        return Cell("any")
    if isinstance(owner, ModuleScope):
        return _module_member(inference, node, owner)
    return None


def function_as_value(inference: Inference, node: ast.Expr, name: str) -> None:
    """Report a function of the language itself that is not called."""
    help_ = f"wrap it: `fun(x) => {name}(x)`"
    inference.error("T090", f"`{name}` as a value is not supported", node, help_)


def _module_member(inference: Inference, node: ast.Field, owner: ModuleScope) -> Cell:
    symbol = owner.names.get(node.name)
    if isinstance(symbol, Variable):
        symbol.is_global = True
        return inference.variable(symbol)
    if isinstance(symbol, Function):
        _check_exported(inference, node, symbol, owner)
        return symbol.type  # type: ignore[no-any-return]
    if isinstance(symbol, Struct):
        return variant(inference, node, symbol)
    _no_member(inference, node, owner.source.name, _public_names(owner))
    return Cell("any")


def module_as_value(
    inference: Inference, node: ast.Name, owner: ModuleScope | ForeignModule
) -> None:
    """Report a module where a value is needed."""
    known = _public_names(owner) if isinstance(owner, ModuleScope) else FOREIGN_MODULES[owner.path]
    names = sorted(f"{node.name}.{name}" for name in known)
    help_ = f"use what it has, like `{names[0]}`" if names else ""
    inference.error("T097", f"`{node.name}` is a module, not a value", node, help_)


def _no_member(inference: Inference, node: ast.Field, owner: str, known: Iterable[str]) -> None:
    message = f"module `{owner}` has no `{node.name}`"
    inference.error("T003", message, node, did_you_mean(node.name, known))


def _member_call(inference: Inference, node: ast.Call, callee: ast.Field) -> Cell:
    base = callee.base
    owner = base.decl if isinstance(base, ast.Name) else None
    if isinstance(owner, ModuleScope):
        symbol = owner.names.get(callee.name)
        if isinstance(symbol, Function):
            _check_exported(inference, callee, symbol, owner)
            return _direct(inference, node, symbol)
        if isinstance(symbol, Struct):
            return _constructor(inference, node, symbol)
        return _value_call(inference, node, inference.expression(callee))
    if isinstance(owner, ForeignModule):
        known = FOREIGN_MODULES[owner.path]
        for arg in node.args:
            inference.expression(arg)
        if callee.name not in known or callee.name in FOREIGN_VALUES:
            _no_member(inference, callee, owner.path, known)
        else:
            expected = FOREIGN_ARITY.get(callee.name, 1)
            check_count(inference, inference.function.module, node, expected, expected)
        return Cell(known.get(callee.name, "any"))
    return method_call(inference, node, callee)


def _check_exported(
    inference: Inference, node: ast.Field, function: Function, owner: ModuleScope
) -> None:
    if not _is_exported(function):
        message = f"`{node.name}` is not exported by `{owner.source.name}`"
        help_ = f"write `export fun {node.name}(...)` there"
        inference.error("T003", message, node, help_)


# Builtins


def _builtin(inference: Inference, node: ast.Call, name: str) -> Cell:
    builtin = BUILTINS[name]
    if builtin.result == "append" and len(node.args) == 2:
        inference.expect_all(node.args[1:], inference.expression(node.args[0]).find().args)
    args = [inference.expression(arg) for arg in node.args]
    count = len(args)
    if count < builtin.least or (builtin.most is not None and count > builtin.most):
        message = f"`{name}` takes {takes(builtin.least, builtin.most)}, got {count}"
        inference.error("T006", message, node)
        return Cell("any")
    for position, (arg, cell) in enumerate(zip(node.args, args, strict=True)):
        _check_argument(inference, name, position, count, arg, cell)
    return builtin_result(inference, node, args)


def _check_argument(
    inference: Inference, name: str, position: int, count: int, node: ast.Expr, cell: Cell
) -> None:
    """Report an argument for which a builtin has no answer at all."""
    words = accepted(name, position, count)

    def check(module: ModuleScope) -> None:
        kind = cell.find().kind
        if kind in _DEFINITE and kind not in KINDS[words]:
            which = f"argument {position + 1}" if count > 1 else "the argument"
            message = f"{which} of `{name}` must be {words}, got `{cell}`"
            help_ = "convert it: `str(…)`" if KINDS[words] == {"string"} else ""
            inference.report(module, "T007", message, node, help_)

    if words:
        inference.check_later(check)


def builtin_result(inference: Inference, node: ast.Call, args: list[Cell]) -> Cell:
    """Return the cell of a builtin's result, after the rule of its row."""
    assert isinstance(node.callee, ast.Name)
    rule, result = BUILTINS[node.callee.name].result, Cell()
    match rule:
        case "int" | "float" | "bool" | "string":
            return Cell(rule)
        case "list<string>" | "list<int>":
            return Cell("list", (Cell(rule[5:-1]),))
        case "same":
            return args[0] if args else inference.null()
        case "never":
            return inference.null()
        case "append":
            _append(inference, node, args, result)
        case "concat":
            return all_of(inference, args)
        case "number":
            _number(inference, args, result)
        case "result":
            _reduce(inference, node, args, result)
        case _:
            _part(inference, rule, args[0], result)
    return result


def all_of(inference: Inference, lists: Iterable[Cell]) -> Cell:
    """Return the cell of a list of the elements of lists; null is an empty one."""
    result = Cell("list", (Cell(),))
    for cell in lists:
        _flow_without_null(inference, cell, result)
    return result


def _flow_without_null(inference: Inference, source: Cell, target: Cell) -> None:
    def action() -> None:
        cell = source.find()
        if cell.kind:
            inference.solver.learn(target, cell.kind, cell.args, cell.of)

    inference.solver.watch(action, source)


def _append(inference: Inference, node: ast.Call, args: list[Cell], result: Cell) -> None:
    """The value flows last: where the elements are declared, it is what differs."""
    element = Cell()
    inference.solver.learn(result, "list", (element,))
    _flow_without_null(inference, args[0], result)

    def store() -> None:
        items = args[0].find()
        place = items.args[0] if items.kind == "list" else element
        inference.flow(args[1], place, node.args[1])

    inference.watch(store)


def _number(inference: Inference, args: list[Cell], result: Cell) -> None:
    """Int or float after the arguments, or after the elements of the only one."""

    def action() -> None:
        for arg in args:
            cell = arg.find()
            items = getattr(cell.of, "items", None)
            cell = cell if items is None else items.find()
            if cell.kind == "list":
                _number_of(inference, cell.args[0], result)
            else:
                _number_of(inference, cell, result)

    inference.solver.watch(action, *args)


def _number_of(inference: Inference, cell: Cell, result: Cell) -> None:
    def action() -> None:
        kind = cell.find().kind
        if kind in ("any", "string") or kind in NUMBERS:
            inference.solver.learn(result, kind)

    inference.solver.watch(action, cell)


def _reduce(inference: Inference, node: ast.Call, args: list[Cell], result: Cell) -> None:
    items, function, initial = args
    element, solver = Cell(), inference.solver
    iterate(inference, items, element, node.args[0])
    solver.flow(initial, result)

    def action() -> None:
        cell = function.find()
        if cell.kind == "fun" and len(cell.args) == 3:
            for source, target in zip((result, element), cell.args, strict=False):
                inference.flow(source, target, node)
            solver.flow(cell.args[-1], result)
        elif cell.kind == "any":
            solver.flow(element, Cell("any"))
            solver.make_any(result)

    def check(module: ModuleScope) -> None:
        cell = function.find()
        if cell.kind == "fun" and len(cell.args) != 3:
            message = f"expected a function of 2 arguments, got one of {len(cell.args) - 1}"
            inference.report(module, "T008", message, node.args[1])
        elif cell.kind not in ("fun", "any", ""):
            message = f"type `{function}` is not callable"
            inference.report(module, "T004", message, node.args[1])

    inference.watch(action, function)
    inference.check_later(check)


def _part(inference: Inference, rule: str, whole: Cell, result: Cell) -> None:
    """The element, keys or values of a container."""
    solver = inference.solver

    def action() -> None:
        cell = whole.find()
        if rule == "element" and cell.kind == "list":
            solver.flow(cell.args[0], result)
            solver.make_nullable(result, PERHAPS)
        elif rule == "element" and cell.kind:
            solver.escape(cell)
            solver.learn(result, "any")
        elif cell.kind == "map":
            solver.learn(result, "list", (cell.args[rule == "values"],))
        elif cell.kind:
            solver.escape(cell)
            solver.learn(result, "list", (Cell("any"),))

    solver.watch(action, whole)


def _public_names(module: ModuleScope) -> list[str]:
    return [
        name
        for name, symbol in module.names.items()
        if isinstance(symbol, (Variable, Struct))
        or (isinstance(symbol, Function) and _is_exported(symbol))
    ]


def _is_exported(function: Function) -> bool:
    return function.decl is not None and function.decl.exported


EXPRESSIONS: ExpressionRules = {ast.Call: _call}
