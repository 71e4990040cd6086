"""Inference: functions and statements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.compiler.infer.cells import NULL, Cell
from mochi_rules.compiler.infer.reach import always_leaves, returns_value
from mochi_rules.compiler.names.symbols import Struct
from mochi_rules.compiler.syntax import ast
from mochi_rules.compiler.syntax.chains import branches

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.infer.program import Inference
    from mochi_rules.compiler.names.symbols import Function, ModuleScope


class StatementRules:
    """What each statement says about types."""

    def __init__(self, inference: Inference) -> None:
        self.inference = inference
        self.solver = inference.solver
        self.handlers: dict[type, Callable[[Any], None]] = {
            ast.Let: self._let, ast.Assign: self._assign, ast.FunDecl: self._fun_decl,
            ast.Return: self._return, ast.If: self._if, ast.While: self._while,
            ast.For: self._for, ast.Test: self._test, ast.StructDecl: self._methods,
            ast.ExprStmt: self._expression, ast.Expect: self._expect, ast.Update: self._update,
        }  # fmt: skip

    def declare(self, function: Function) -> None:
        """Give a function's parameters and result their cells."""
        decl, annotations = function.decl, self.inference.annotations
        if decl is None:
            function.result = Cell()
            return
        for param in function.params:
            self.inference.variable(param)
        function.result = annotations.cell(decl.result, function.module)
        args = (*(param.type for param in function.params), function.result)
        function.type = Cell("fun", args)
        self.inference.limit_depth(function.type, function.module, decl)
        if function.receiver is not None:
            for name, variable in function.fields.items():
                variable.type = Cell()
                self.solver.flow(function.receiver.cells[name], variable.type)
        if not always_leaves(decl.body) and returns_value(decl.body):
            self.solver.make_nullable(function.result, NULL)

    def walk(self, function: Function) -> None:
        """Infer the body of a function."""
        inference = self.inference
        outer, inference.function = inference.function, function
        assert function.decl is not None
        inference.block(function.decl.body)
        inference.function = outer

    def _fun_decl(self, node: ast.FunDecl) -> None:
        if node.info is not None:
            self.walk(node.info)

    def _methods(self, node: ast.StructDecl) -> None:
        struct = self.inference.function.module.types[node.name]
        assert isinstance(struct, Struct)
        for method in struct.methods.values():
            self.walk(method)

    def _expression(self, node: ast.ExprStmt) -> None:
        self.inference.expression(node.value)

    def _expect(self, node: ast.Expect) -> None:
        self.inference.expression(node.condition)

    def _test(self, node: ast.Test) -> None:
        self.inference.block(node.body)

    def _let(self, node: ast.Let) -> None:
        inference = self.inference
        cell = inference.variable(node.decl)
        inference.limit_depth(cell, inference.function.module, node)
        if node.type is not None and node.decl.annotation is not node.type:
            written = inference.annotations.cell(node.type, inference.function.module)
            inference.flow(written, cell, node)
        if node.value is None or node.decl.is_used_early:
            self.solver.make_nullable(cell, NULL)
        if node.value is not None:
            inference.flow(inference.expression(node.value), cell, node.value)

    def _assign(self, node: ast.Assign) -> None:
        inference = self.inference
        value = inference.expression(node.value)
        target = node.target
        if isinstance(target, ast.Name):
            if target.decl is not None:
                target.cell = inference.variable(target.decl)
                inference.flow(value, target.cell, node.value)
        elif isinstance(target, ast.Index):
            inference.access.store_element(target, value)
        elif isinstance(target, ast.Field):
            inference.access.store_field(target, value)

    def _return(self, node: ast.Return) -> None:
        if node.value is not None:
            value = self.inference.expression(node.value)
            self.inference.flow(value, self.inference.function.result, node.value)

    def _if(self, node: ast.If) -> None:
        for branch in branches(node):
            self.inference.expression(branch.condition)
            self.inference.block(branch.then)
        self.inference.block(branch.otherwise or [])

    def _while(self, node: ast.While) -> None:
        self.inference.expression(node.condition)
        self.inference.block(node.body)

    def _for(self, node: ast.For) -> None:
        inference = self.inference
        low, variable = inference.expression(node.low), inference.variable(node.decl)
        if node.high is None:
            self.iterate(low, variable, node.low)
        else:
            inference.expression(node.high)
            self.solver.learn(variable, "int")
        inference.block(node.body)

    def _update(self, node: ast.Update) -> None:
        inference, element = self.inference, Cell()
        self.iterate(inference.expression(node.target), element, node.target)
        variables = {name: inference.variable(field) for name, field in node.fields.items()}
        values = [(name, inference.expression(value), value) for name, value in node.items]
        if node.where is not None:
            inference.expression(node.where)

        def action() -> None:
            contents = element.find().contents
            for name, cell in contents.items():
                if name in variables:
                    self.solver.flow(cell, variables[name])
            for name, value, place in values:
                if name in contents:
                    inference.flow(value, contents[name], place)

        def check(module: ModuleScope) -> None:
            cell = element.find()
            for name, _, place in values:
                if name not in cell.contents:
                    message = f"unknown field `{name}` on `{element}`"
                    inference.report(module, "T026", message, place)

        self.solver.watch(action, element)
        inference.check_later(check)

    def iterate(self, collection: Cell, variable: Cell, node: ast.Expr) -> None:
        """Say that a variable takes the elements of a collection.

        Emits: T022.
        """
        solver = self.solver

        def action() -> None:
            cell = collection.find()
            if cell.kind in {"list", "map"}:
                solver.flow(cell.args[0], variable)
            elif cell.kind == "struct" and cell.of.items is not None:  # type: ignore[union-attr]
                solver.flow(cell.of.items.find().args[0], variable)  # type: ignore[union-attr]
            elif cell.kind in ("string", "any"):
                solver.learn(variable, cell.kind)

        def check(module: ModuleScope) -> None:
            if collection.find().kind in ("int", "float", "bool", "fun"):
                message = f"cannot iterate over type `{collection}`"
                self.inference.report(module, "T022", message, node)

        solver.watch(action, collection)
        self.inference.check_later(check)
