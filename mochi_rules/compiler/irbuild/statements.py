"""Builds statements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.ir.types import BOOL, INT, VOID
from mochi_rules.compiler.irbuild.loops import count, iterate
from mochi_rules.compiler.irbuild.reuse import assign_in_place
from mochi_rules.compiler.syntax import ast
from mochi_rules.compiler.syntax.chains import branches

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.irbuild.function import FunctionBuilder


class StatementBuilder:
    """What each statement becomes."""

    def __init__(self, builder: FunctionBuilder) -> None:
        self.b = builder
        self.handlers: dict[type, Callable[[Any], None]] = {
            ast.Let: self._let, ast.Assign: self._assign, ast.Return: self._return,
            ast.If: self._if, ast.While: self._while, ast.For: self._for, ast.Break: self._break,
            ast.Continue: self._continue, ast.ExprStmt: self._expression,
            ast.Test: self._test, ast.Expect: self._expect, ast.Update: self._update,
        }  # fmt: skip

    def body(self, body: list[ast.Stmt]) -> None:
        """Build statements up to the first that control never passes."""
        for statement in body:
            if self.b.block is None:
                return
            handler = self.handlers.get(type(statement))
            if handler:
                self.b.at(statement)
                handler(statement)

    def _let(self, node: ast.Let) -> None:
        type_ = resolve(node.decl.type)
        value = self.b.value(node.value, type_) if node.value else self.b.null(type_)
        self.b.declare(node.decl, value)

    def _assign(self, node: ast.Assign) -> None:
        if assign_in_place(self.b, node):
            return
        target = node.target
        if isinstance(target, ast.Name):
            value = self.b.value(node.value, resolve(target.decl.type))
            self.b.write(target.decl, value)
        elif isinstance(target, ast.Index):
            self.b.access.store_element(target, node.value)
        elif isinstance(target, ast.Field):
            self.b.access.store_field(target, node.value)

    def _return(self, node: ast.Return) -> None:
        result = self.b.function.result
        if node.value is None:
            self.b.leave(None if result is VOID else self.b.null(result))
        else:
            value = self.b.value(node.value, result)
            self.b.leave(None if result is VOID else value)

    def _if(self, node: ast.If) -> None:
        exits = []
        for branch in branches(node):
            self.b.at(branch)
            true, false = self.b.ways(branch.condition)
            self.b.merge(true)
            self.body(branch.then)
            exits += self.b.exits()
            self.b.merge(false)
        self.body(branch.otherwise or [])
        self.b.merge(exits + self.b.exits())

    def _while(self, node: ast.While) -> None:
        loop = self.b.begin_loop(self.b.program.resolution.assigned[node])
        true, false = self.b.ways(node.condition)
        self.b.merge(true)
        self.body(node.body)
        self.b.continue_point(loop)
        self.b.end_loop(loop, false)

    def _for(self, node: ast.For) -> None:
        assigned = self.b.program.resolution.assigned[node]

        def step(value: Any) -> None:
            self.b.declare(node.decl, value)
            self.body(node.body)

        if node.high is None:
            iterate(self.b, self.b.expression(node.low), assigned, step)
        else:
            low, high = self.b.value(node.low, INT), self.b.value(node.high, INT)
            count(self.b, low, high, assigned, step)

    def _update(self, node: ast.Update) -> None:
        iterate(self.b, self.b.expression(node.target), [], lambda row: self._update_row(row, node))

    def _update_row(self, row: Value, node: ast.Update) -> None:
        """Set the fields of one struct; all new values are made from the old ones."""
        b = self.b
        struct = b.struct_of(row.type)
        assert struct is not None
        for name, variable in node.fields.items():
            if name in struct.cells:
                b.declare(variable, b.access.field(row, name))
        if node.where is not None:
            true, false = b.ways(node.where)
            b.loops[-1].continues += false
            b.merge(true)
        values = [(name, b.value(value, resolve(struct.cells[name]))) for name, value in node.items]
        for name, value in values:
            attr = b.program.field_attribute(struct, name)
            b.emit("field.store", (row, value), VOID, attr)

    def _break(self, node: ast.Break) -> None:
        del node
        self.b.loops[-1].breaks += self.b.exits()

    def _continue(self, node: ast.Continue) -> None:
        del node
        self.b.loops[-1].continues += self.b.exits()

    def _expression(self, node: ast.ExprStmt) -> None:
        self.b.expression(node.value)

    def _test(self, node: ast.Test) -> None:
        selected, tests = self.b.selected, self.b.program.program.tests
        if selected is None or tests is None:
            self.body(node.body)
            return
        number = len(tests)
        tests.append(node.name)
        this = self.b.emit("eq", (selected, self.b.const(number, INT)), BOOL)
        every = self.b.emit("lt", (selected, self.b.const(0, INT)), BOOL)
        chosen, others = self.b.branch(self.b.emit("select", (this, this, every), BOOL))
        self.b.merge(chosen)
        self.body(node.body)
        self.b.merge(others + self.b.exits())

    def _expect(self, node: ast.Expect) -> None:
        line, _ = self.b.source.position(node.start)
        text = self.b.source.line(line).strip().encode()
        condition = self.b.as_value(self.b.ways(node.condition))
        self.b.at(node)
        self.b.emit("check.expect", (condition,), VOID, text)
