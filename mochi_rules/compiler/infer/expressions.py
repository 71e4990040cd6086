"""Inference: literals, names, operators, casts, conditions, patterns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.base.suggest import did_you_mean
from mochi_rules.compiler.infer.annotations import struct_named
from mochi_rules.compiler.infer.cells import NULL, SCALARS, Cell
from mochi_rules.compiler.names.symbols import Builtin, ForeignModule, Function, Struct, Variable
from mochi_rules.compiler.syntax import ast
from mochi_rules.compiler.syntax.chains import choices

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.infer.program import Inference
    from mochi_rules.compiler.names.symbols import ModuleScope

NUMBERS = ("int", "float")
_COMPOSITES = frozenset({"list", "map", "struct", "union", "fun"})
_CONDITIONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "in", "&&", "||"})
_SETS = frozenset({"list", "any", ""})
_LIST_OPERATORS = frozenset({"union", "union all", "except", "intersect"})


class ExpressionRules:
    """What each of these expressions says about types."""

    def __init__(self, inference: Inference) -> None:
        self.inference = inference
        self.solver = inference.solver
        self.handlers: dict[type, Callable[[Any], Cell]] = {
            ast.IntLit: lambda _: Cell("int"), ast.FloatLit: lambda _: Cell("float"),
            ast.BoolLit: lambda _: Cell("bool"), ast.StringLit: lambda _: Cell("string"),
            ast.NoneLit: lambda _: inference.null(), ast.Name: self._name,
            ast.ListLit: self._list, ast.MapLit: self._map, ast.StructLit: self._struct,
            ast.FunExpr: self._fun_expr, ast.Cast: self._cast, ast.Unary: self._unary,
            ast.Binary: self._binary, ast.IfExpr: self._if_expr, ast.Match: self._match,
        }  # fmt: skip

    def _name(self, node: ast.Name) -> Cell:
        symbol = node.decl
        if isinstance(symbol, Variable):
            return self.inference.variable(symbol)
        if isinstance(symbol, Function):
            return symbol.type  # type: ignore[no-any-return]
        if isinstance(symbol, Struct):  # a variant without fields
            return Cell("struct", of=symbol)
        if isinstance(symbol, (Builtin, ForeignModule)):
            help_ = f"wrap it: `fun(x) => {node.name}(x)`"
            message = f"`{node.name}` as a value is not supported"
            self.inference.error("T090", message, node, help_)
        return self.inference.null()

    def _list(self, node: ast.ListLit) -> Cell:
        element = Cell()
        for item in node.items:
            self.inference.flow(self.inference.expression(item), element, item)
        return Cell("list", (element,))

    def _map(self, node: ast.MapLit) -> Cell:
        key, value = Cell(), Cell()
        for key_node, value_node in node.items:
            self.inference.access.store_key(key_node, self.inference.expression(key_node), key)
            self.inference.flow(self.inference.expression(value_node), value, value_node)
        return Cell("map", (key, value))

    def _struct(self, node: ast.StructLit) -> Cell:
        inference = self.inference
        struct = struct_named(node.name, inference.function.module)
        given = set()
        for item in node.fields:
            value = inference.expression(item.value)
            given.add(item.name)
            if struct is None:
                continue
            if item.name in struct.cells:
                inference.flow(value, struct.cells[item.name], item.value)
            else:
                message = f"unknown field `{item.name}` on `{struct.name}`"
                help_ = did_you_mean(item.name, struct.cells)
                inference.error("T026", message, item, help_)
        if struct is None:
            return Cell("any")
        for name, cell in struct.cells.items():
            if name not in given:
                self.solver.make_nullable(cell, NULL)
        return Cell("struct", of=struct)

    def _fun_expr(self, node: ast.FunExpr) -> Cell:
        self.inference.statements.walk(node.fun.info)
        return node.fun.info.type  # type: ignore[no-any-return]

    def _cast(self, node: ast.Cast) -> Cell:
        operand = self.inference.expression(node.operand)
        cell = self.inference.annotations.cell(node.type, self.inference.function.module)
        if cell.kind == "any":
            self.solver.flow(operand, cell)
        elif cell.kind in _COMPOSITES:  # what it has may be seen as any in the copy
            self.solver.escape_when_known(operand)

        def check(module: ModuleScope) -> None:
            if operand.find().kind in SCALARS and cell.find().kind in _COMPOSITES:
                message = f"invalid cast: `{operand}` to `{cell}`"
                self.inference.report(module, "T046", message, node)

        self.inference.check_later(check)
        return cell

    def _unary(self, node: ast.Unary) -> Cell:
        operand = self.inference.expression(node.operand)
        if node.op == "!":
            return Cell("bool")
        result = Cell()

        def action() -> None:
            kind = operand.find().kind
            if kind in ("int", "float", "any"):
                self.solver.learn(result, kind)

        def check(module: ModuleScope) -> None:
            if operand.find().kind not in ("int", "float", "any", ""):
                message = f"operator `-` cannot be used on type `{operand}`"
                self.inference.report(module, "T020", message, node)

        self.solver.watch(action, operand)
        self.inference.check_later(check)
        return result

    def _binary(self, node: ast.Binary) -> Cell:
        left = self.inference.expression(node.left)
        right = self.inference.expression(node.right)
        if node.op in _CONDITIONS:
            return Cell("bool")
        result = Cell()
        if node.op in _LIST_OPERATORS:
            return self._set_operation(node, left, right)
        if node.op == "??":
            self.solver.flow(left, result)
            self.solver.flow(right, result)
            return result

        def action() -> None:
            self._arithmetic(node.op, left.find(), right.find(), result)

        def check(module: ModuleScope) -> None:
            if not _works(node.op, left.find(), right.find()):
                self._refuse(module, node, left, right)

        self.solver.watch(action, left, right)
        self.inference.check_later(check)
        return result

    def _set_operation(self, node: ast.Binary, left: Cell, right: Cell) -> Cell:
        """Lists, of which null is an empty one, and groups."""
        calls = self.inference.calls

        def check(module: ModuleScope) -> None:
            if not {left.find().kind, right.find().kind} <= _SETS:
                self._refuse(module, node, left, right)

        self.inference.check_later(check)
        return calls.all_of((left, right))

    def _refuse(self, module: ModuleScope, node: ast.Binary, left: Cell, right: Cell) -> None:
        message = f"operator `{node.op}` cannot be used on types `{left}` and `{right}`"
        self.inference.report(module, "T020", message, node)

    def _arithmetic(self, op: str, left: Cell, right: Cell, result: Cell) -> None:
        solver, kinds = self.solver, (left.kind, right.kind)
        if op == "+" and "string" in kinds:
            solver.learn(result, "string")
        elif op == "+" and kinds == ("list", "list"):
            solver.flow(left, result)
            solver.flow(right, result)
        elif "any" in kinds:
            solver.learn(result, "any")
        elif kinds[0] in NUMBERS and kinds[1] in NUMBERS:
            solver.learn(result, "float" if "float" in kinds else "int")

    def _if_expr(self, node: ast.IfExpr) -> Cell:
        result, inference = Cell(), self.inference
        for choice in choices(node):
            choice.cell = result
            inference.expression(choice.condition)
            inference.flow(inference.expression(choice.then), result, choice.then)
        otherwise = choice.otherwise
        cell = inference.expression(otherwise) if otherwise else inference.null()
        inference.flow(cell, result, otherwise or node)
        return result

    def _match(self, node: ast.Match) -> Cell:
        inference = self.inference
        subject, result = inference.expression(node.subject), Cell()
        has_default = False
        for arm in node.arms:
            self._pattern(arm.pattern)
            has_default |= isinstance(arm.pattern, ast.Name) and arm.pattern.name == "_"
            if arm.value is not None:
                inference.flow(inference.expression(arm.value), result, arm.value)
            if arm.block is not None:
                inference.block(arm.block)
                inference.flow(inference.null(), result, arm)
        if not has_default:
            self._find_gaps(node, subject, result)
        return result

    def _find_gaps(self, node: ast.Match, subject: Cell, result: Cell) -> None:
        """A match that covers all variants, or both bools, never gives null by itself."""
        patterns = [arm.pattern for arm in node.arms]
        bools = {pattern.value for pattern in patterns if isinstance(pattern, ast.BoolLit)}
        variants = {_variant_of(pattern) for pattern in patterns}

        def action() -> None:
            cell = subject.find()
            union: Any = cell.of if cell.kind == "union" else getattr(cell.of, "union", None)
            is_covered = union is not None and variants >= set(union.variants)
            if cell.kind and not is_covered and bools != {True, False}:
                self.solver.make_nullable(result, NULL)

        self.solver.watch(action, subject)

    def _pattern(self, node: ast.Expr) -> None:
        if isinstance(node, ast.Name) and node.name == "_":
            return
        if not isinstance(node, ast.Call) or not isinstance(node.callee, ast.Name):
            self.inference.expression(node)
            return
        struct = node.callee.decl
        if not isinstance(struct, Struct):
            return
        for arg, cell in zip(node.args, struct.cells.values(), strict=False):
            if isinstance(arg, ast.Name) and isinstance(arg.decl, Variable):
                self.solver.flow(cell, self.inference.variable(arg.decl))
                arg.cell = arg.decl.type
            else:
                self._pattern(arg)


def _variant_of(pattern: ast.Expr) -> Any:
    callee = pattern.callee if isinstance(pattern, ast.Call) else pattern
    return callee.decl if isinstance(callee, ast.Name) else None


def _works(op: str, left: Cell, right: Cell) -> bool:
    """Whether an arithmetic operator makes sense of two kinds."""
    kinds = (left.kind, right.kind)
    if "any" in kinds or "" in kinds:
        return True
    if op == "+" and ("string" in kinds or kinds == ("list", "list")):
        return True
    return kinds[0] in NUMBERS and kinds[1] in NUMBERS
