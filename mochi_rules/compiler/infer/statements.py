"""Inference: functions and statements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import Severity
from mochi_rules.base.span import Span
from mochi_rules.compiler.infer.access import store_element, store_field
from mochi_rules.compiler.infer.cells import NULL, Cell
from mochi_rules.compiler.infer.loops import iterate
from mochi_rules.compiler.infer.matches import is_complete
from mochi_rules.compiler.infer.reach import returns_null, returns_value
from mochi_rules.compiler.names.symbols import Builtin
from mochi_rules.compiler.syntax import ast
from mochi_rules.compiler.syntax.chains import branches

if TYPE_CHECKING:
    from mochi_rules.compiler.infer.context import Inference, StatementRules
    from mochi_rules.compiler.names.symbols import Function, ModuleScope


def declare(inference: Inference, function: Function) -> None:
    """Give a function's parameters and result their cells."""
    decl, annotations = function.decl, inference.annotations
    if decl is None:
        function.result = Cell()
        return
    for param in function.params:
        inference.variable(param)
    function.result = annotations.cell(decl.result, function.module)
    args = (*(param.type for param in function.params), function.result)
    function.type = Cell("fun", args)
    inference.limit_depth(function.type, function.module, decl)
    if function.receiver is not None:
        for name, variable in function.fields.items():
            variable.type = Cell()
            inference.solver.flow(function.receiver.cells[name], variable.type)
    if not returns_null(decl.body):
        return
    if returns_value(decl.body):
        inference.solver.make_nullable(function.result, NULL)
    if decl.result is not None and function.result.kind not in ("", "any"):
        result = decl.result
        inference.later.append(lambda: _check_result(inference, function, decl, result))


def _check_result(
    inference: Inference, function: Function, decl: ast.FunDecl, result: ast.TypeExpr
) -> None:
    """Report a function that may end without the value that it declares."""
    if result.optional or not returns_null(decl.body, is_complete):
        return
    name = f"`{decl.name}`" if decl.name else "the function"
    text = Span(function.module.source, result.start, result.end).text
    if returns_value(decl.body):
        message = f"{name} may end without returning its `{text}`"
        help_ = f"end it with a `return`, or declare `{text}?`"
    else:
        message, help_ = f"{name} never returns its `{text}`", "end it with a `return`"
        if decl.body and isinstance(decl.body[-1], ast.ExprStmt):
            last = Span(function.module.source, decl.body[-1].start, decl.body[-1].end).text
            help_ = f"write `return {last}`" if "\n" not in last else help_
    inference.report(function.module, "T010", message, result, help_, Severity.WARNING)


def _fun_decl(inference: Inference, node: ast.FunDecl) -> None:
    if node.info is not None:
        inference.walk(node.info)


def _methods(inference: Inference, node: ast.StructDecl) -> None:
    for method in node.info.methods.values():
        inference.walk(method)


def _expression(inference: Inference, node: ast.ExprStmt) -> None:
    if isinstance(node.value, ast.Name) and isinstance(node.value.decl, Builtin):
        name = node.value.name
        inference.error("T090", f"`{name}` is not called", node, f"write `{name}(…)`")
    else:
        inference.expression(node.value)


def _expect(inference: Inference, node: ast.Expect) -> None:
    condition = inference.expression(node.condition)

    def check(module: ModuleScope) -> None:
        if condition.find().kind not in ("bool", "any", ""):
            message = f"`expect` needs a bool, got `{condition}`"
            inference.report(module, "T011", message, node.condition)

    inference.check_later(check)


def _test(inference: Inference, node: ast.Test) -> None:
    inference.block(node.body)


def _let(inference: Inference, node: ast.Let) -> None:
    cell = inference.variable(node.decl)
    inference.limit_depth(cell, inference.function.module, node)
    if node.type is not None and node.decl.annotation is not node.type:
        written = inference.annotations.cell(node.type, inference.function.module)
        inference.flow(written, cell, node.type)
    if node.value is None or node.decl.is_used_early:
        inference.solver.make_nullable(cell, NULL)
    if node.value is not None:
        inference.give(node.value, cell)


def _assign(inference: Inference, node: ast.Assign) -> None:
    target = node.target
    if isinstance(target, ast.Name):
        target.cell = inference.variable(target.decl) if target.decl is not None else Cell()
        inference.give(node.value, target.cell)
    elif isinstance(target, ast.Index):
        store_element(inference, target, node.value)
    elif isinstance(target, ast.Field):
        store_field(inference, target, node.value)


def _return(inference: Inference, node: ast.Return) -> None:
    if node.value is not None:
        inference.give(node.value, inference.function.result)


def _if(inference: Inference, node: ast.If) -> None:
    for branch in branches(node):
        inference.expression(branch.condition)
        inference.block(branch.then)
    inference.block(branch.otherwise or [])


def _while(inference: Inference, node: ast.While) -> None:
    inference.expression(node.condition)
    inference.block(node.body)


def _for(inference: Inference, node: ast.For) -> None:
    low, variable = inference.expression(node.low), inference.variable(node.decl)
    if node.high is None:
        iterate(inference, low, variable, node.low)
    else:
        inference.expression(node.high)
        inference.solver.learn(variable, "int")
    inference.block(node.body)


def _update(inference: Inference, node: ast.Update) -> None:
    element = Cell()
    iterate(inference, inference.expression(node.target), element, node.target)
    variables = {name: inference.variable(field) for name, field in node.fields.items()}
    values = [(name, inference.expression(value), value) for name, value in node.items]
    if node.where is not None:
        inference.expression(node.where)

    def action() -> None:
        contents = element.find().contents
        for name, cell in contents.items():
            if name in variables:
                inference.solver.flow(cell, variables[name])
        for name, value, place in values:
            if name in contents:
                inference.flow(value, contents[name], place)

    def check(module: ModuleScope) -> None:
        cell = element.find()
        for name, _, place in values:
            if name not in cell.contents:
                message = f"unknown field `{name}` on `{element}`"
                inference.report(module, "T026", message, place)

    inference.watch(action, element)
    inference.check_later(check)


STATEMENTS: StatementRules = {
    ast.Let: _let, ast.Assign: _assign, ast.FunDecl: _fun_decl,
    ast.Return: _return, ast.If: _if, ast.While: _while,
    ast.For: _for, ast.Test: _test, ast.StructDecl: _methods,
    ast.ExprStmt: _expression, ast.Expect: _expect, ast.Update: _update,
}  # fmt: skip
