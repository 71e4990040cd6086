"""Builds match expressions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.ir.types import ANY, BOOL, OptionalType, StructType, UnionType
from mochi_rules.compiler.irbuild.access import load_field
from mochi_rules.compiler.irbuild.operators import equal
from mochi_rules.compiler.names.symbols import Struct, Variable
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.builder import Ways
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.irbuild.context import ExpressionRules, FunctionBuilder


def _match(b: FunctionBuilder, node: ast.Match) -> Value:
    type_ = resolve(node.cell)
    subject = b.expression(node.subject)
    cases = [
        (partial(_test, b, subject, arm.pattern), partial(_arm, b, arm, type_)) for arm in node.arms
    ]
    return b.choose_first(cases, lambda: b.null(type_))


def _arm(b: FunctionBuilder, arm: ast.MatchArm, type_: Any) -> Value:
    if arm.block is not None:
        b.statements(arm.block)
    return b.value(arm.value, type_) if arm.value is not None else b.null(type_)


def _test(b: FunctionBuilder, subject: Value, pattern: ast.Expr) -> Ways:
    """Branch on whether a value matches; bind the variables of the pattern where it does."""
    if isinstance(pattern, ast.Name) and pattern.name == "_":
        return b.exits(), []
    if isinstance(pattern, ast.Name) and isinstance(pattern.decl, Struct):
        return b.branch(_is_variant(b, subject, pattern.decl))
    if (
        isinstance(pattern, ast.Call)
        and isinstance(pattern.callee, ast.Name)
        and isinstance(pattern.callee.decl, Struct)
    ):
        return _destructure(b, subject, pattern, pattern.callee.decl)
    return b.branch(equal(b, subject, b.expression(pattern)))


def _is_variant(b: FunctionBuilder, subject: Value, struct: Struct) -> Value:
    type_ = subject.type
    name = b.program.struct_name(struct)
    if isinstance(type_, StructType):
        return b.const(int(type_ is b.program.struct_type(struct)), BOOL)
    if isinstance(type_, (UnionType, OptionalType)) or type_ is ANY:
        return b.emit("struct.is", (subject,), BOOL, name)
    return b.const(0, BOOL)


def _destructure(b: FunctionBuilder, subject: Value, pattern: ast.Call, struct: Struct) -> Ways:
    true, false = b.branch(_is_variant(b, subject, struct))
    b.merge(true)
    value = b.emit("any.cast", (subject,), b.program.struct_type(struct))
    for arg, name in zip(pattern.args, struct.cells, strict=False):
        if isinstance(arg, ast.Name) and arg.name == "_":
            continue
        field = load_field(b, value, name)
        if isinstance(arg, ast.Name) and isinstance(arg.decl, Variable):
            b.declare(arg.decl, field)
        else:
            inner, more = _test(b, field, arg)
            false += more
            b.merge(inner)
    return b.exits(), false


EXPRESSIONS: ExpressionRules = {ast.Match: _match}
