"""Builds match expressions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.ir.types import ANY, BOOL, STRING, OptionalType, StructType, UnionType
from mochi_rules.compiler.names.symbols import Struct, Variable
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.ir.builder import Ways
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.irbuild.function import FunctionBuilder


class PatternBuilder:
    """What a match becomes: its arms tested in order."""

    def __init__(self, builder: FunctionBuilder) -> None:
        self.b = builder
        self.handlers: dict[type, Callable[[Any], Value]] = {ast.Match: self._match}

    def _match(self, node: ast.Match) -> Value:
        b, type_ = self.b, resolve(node.cell)
        subject = b.expression(node.subject)
        cases = [
            (partial(self._test, subject, arm.pattern), partial(self._arm, arm, type_))
            for arm in node.arms
        ]
        return b.choose_first(cases, lambda: b.null(type_))

    def _arm(self, arm: ast.MatchArm, type_: Any) -> Value:
        b = self.b
        if arm.block is not None:
            b.statements.body(arm.block)
        return b.value(arm.value, type_) if arm.value is not None else b.null(type_)

    def _test(self, subject: Value, pattern: ast.Expr) -> Ways:
        """Branch on whether a value matches; bind the variables of the pattern where it does."""
        b = self.b
        if isinstance(pattern, ast.Name) and pattern.name == "_":
            return b.exits(), []
        if isinstance(pattern, ast.Name) and isinstance(pattern.decl, Struct):
            return b.branch(self._is_variant(subject, pattern.decl))
        if (
            isinstance(pattern, ast.Call)
            and isinstance(pattern.callee, ast.Name)
            and isinstance(pattern.callee.decl, Struct)
        ):
            return self._destructure(subject, pattern, pattern.callee.decl)
        return b.branch(b.operators.equal(subject, b.expression(pattern)))

    def _is_variant(self, subject: Value, struct: Struct) -> Value:
        b, type_ = self.b, subject.type
        name = b.program.struct_name(struct)
        if isinstance(type_, StructType):
            return b.const(int(type_ is b.program.struct_type(struct)), BOOL)
        if isinstance(type_, (UnionType, OptionalType)) or type_ is ANY:
            return b.emit("struct.is", (subject,), BOOL, name)
        return b.const(0, BOOL)

    def _destructure(self, subject: Value, pattern: ast.Call, struct: Struct) -> Ways:
        b = self.b
        true, false = b.branch(self._is_variant(subject, struct))
        b.merge(true)
        value = b.emit("any.cast", (subject,), b.program.struct_type(struct))
        for arg, name in zip(pattern.args, struct.cells, strict=False):
            if b.block is None:
                break
            if isinstance(arg, ast.Name) and arg.name == "_":
                continue
            field = b.access.field(value, name)
            if isinstance(arg, ast.Name) and isinstance(arg.decl, Variable):
                b.declare(arg.decl, field)
            else:
                inner, more = self._test(field, arg)
                false += more
                b.merge(inner)
        return b.exits(), false


__all__ = ["STRING", "PatternBuilder"]
