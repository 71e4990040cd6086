"""Builds statements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.ir.types import BOOL, INT, VOID
from mochi_rules.compiler.irbuild.access import load_field, store_element, store_field
from mochi_rules.compiler.irbuild.loops import count, iterate
from mochi_rules.compiler.irbuild.reuse import assign_in_place
from mochi_rules.compiler.syntax import ast
from mochi_rules.compiler.syntax.chains import branches

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.irbuild.context import FunctionBuilder, StatementRules


def _let(b: FunctionBuilder, node: ast.Let) -> None:
    type_ = resolve(node.decl.type)
    value = b.value(node.value, type_) if node.value else b.null(type_)
    b.declare(node.decl, value)


def _assign(b: FunctionBuilder, node: ast.Assign) -> None:
    if assign_in_place(b, node):
        return
    target = node.target
    if isinstance(target, ast.Name):
        value = b.value(node.value, resolve(target.decl.type))
        b.write(target.decl, value)
    elif isinstance(target, ast.Index):
        store_element(b, target, node.value)
    elif isinstance(target, ast.Field):
        store_field(b, target, node.value)


def _return(b: FunctionBuilder, node: ast.Return) -> None:
    result = b.function.result
    if node.value is None:
        b.leave(None if result is VOID else b.null(result))
    else:
        value = b.value(node.value, result)
        b.leave(None if result is VOID else value)


def _if(b: FunctionBuilder, node: ast.If) -> None:
    exits = []
    for branch in branches(node):
        b.at(branch)
        true, false = b.ways(branch.condition)
        b.merge(true)
        b.statements(branch.then)
        exits += b.exits()
        b.merge(false)
    b.statements(branch.otherwise or [])
    b.merge(exits + b.exits())


def _while(b: FunctionBuilder, node: ast.While) -> None:
    loop = b.begin_loop(b.program.resolution.assigned[node])
    true, false = b.ways(node.condition)
    b.merge(true)
    b.statements(node.body)
    b.continue_point(loop)
    b.end_loop(loop, false)


def _for(b: FunctionBuilder, node: ast.For) -> None:
    assigned = b.program.resolution.assigned[node]

    def step(value: Any) -> None:
        b.declare(node.decl, value)
        b.statements(node.body)

    if node.high is None:
        iterate(b, b.expression(node.low), assigned, step)
    else:
        low, high = b.value(node.low, INT), b.value(node.high, INT)
        count(b, low, high, assigned, step)


def _update(b: FunctionBuilder, node: ast.Update) -> None:
    iterate(b, b.expression(node.target), [], lambda row: _update_row(b, row, node))


def _update_row(b: FunctionBuilder, row: Value, node: ast.Update) -> None:
    """Set the fields of one struct; all new values are made from the old ones."""
    struct = b.struct_of(row.type)
    assert struct is not None
    for name, variable in node.fields.items():
        if name in struct.cells:
            b.declare(variable, load_field(b, row, name))
    if node.where is not None:
        true, false = b.ways(node.where)
        b.loops[-1].continues += false
        b.merge(true)
    values = [(name, b.value(value, resolve(struct.cells[name]))) for name, value in node.items]
    for name, value in values:
        attr = b.program.field_attribute(struct, name)
        b.emit("field.store", (row, value), VOID, attr)


def _break(b: FunctionBuilder, node: ast.Break) -> None:
    del node
    b.loops[-1].breaks += b.exits()


def _continue(b: FunctionBuilder, node: ast.Continue) -> None:
    del node
    b.loops[-1].continues += b.exits()


def _expression(b: FunctionBuilder, node: ast.ExprStmt) -> None:
    b.expression(node.value)


def _test(b: FunctionBuilder, node: ast.Test) -> None:
    selected, tests = b.selected, b.program.program.tests
    if selected is None or tests is None:
        b.statements(node.body)
        return
    number = len(tests)
    tests.append(node.name)
    this = b.emit("eq", (selected, b.const(number, INT)), BOOL)
    every = b.emit("lt", (selected, b.const(0, INT)), BOOL)
    chosen, others = b.branch(b.emit("select", (this, this, every), BOOL))
    b.merge(chosen)
    b.statements(node.body)
    b.merge(others + b.exits())


def _expect(b: FunctionBuilder, node: ast.Expect) -> None:
    line, _ = b.source.position(node.start)
    text = b.source.line(line).strip().encode()
    condition = b.as_value(b.ways(node.condition))
    b.at(node)
    b.emit("check.expect", (condition,), VOID, text)


STATEMENTS: StatementRules = {
    ast.Let: _let, ast.Assign: _assign, ast.Return: _return,
    ast.If: _if, ast.While: _while, ast.For: _for, ast.Break: _break,
    ast.Continue: _continue, ast.ExprStmt: _expression,
    ast.Test: _test, ast.Expect: _expect, ast.Update: _update,
}  # fmt: skip
