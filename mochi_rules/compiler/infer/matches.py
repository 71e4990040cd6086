"""Inference: `match`: its arms, its patterns, and which values no arm is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.base.diagnostic import Diagnostic, Label, Severity
from mochi_rules.base.span import Span
from mochi_rules.base.suggest import count_text
from mochi_rules.compiler.infer.cells import NEVER, NULL, Cell
from mochi_rules.compiler.names.symbols import Struct, Variable
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from mochi_rules.compiler.infer.context import ExpressionRules, Inference
    from mochi_rules.compiler.names.symbols import ModuleScope

_ALL = "_"


def _match(inference: Inference, node: ast.Match) -> Cell:
    subject, result = inference.expression(node.subject), inference.expected.get(node) or Cell()
    for arm in node.arms:
        _pattern(inference, arm.pattern)
        if arm.value is not None:
            inference.flow(inference.expression(arm.value), result, arm.value)
        if arm.block is not None:
            inference.block(arm.block)
            inference.flow(inference.null(), result, arm)
    covered = _report_unreachable(inference, node)
    if _ALL not in covered:
        _find_gaps(inference, node, subject, result, covered)
    return result


def _find_gaps(
    inference: Inference, node: ast.Match, subject: Cell, result: Cell, covered: set[Any]
) -> None:
    """Let a match that does not cover all variants, or both bools, give null as well."""

    def action() -> None:
        cell = subject.find()
        union: Any = cell.of if cell.kind == "union" else getattr(cell.of, "union", None)
        is_covered = covered >= {True, False} if union is None else covered >= {*union.variants}
        if cell.kind and not is_covered:
            inference.solver.make_nullable(result, NULL)

    def check(module: ModuleScope) -> None:
        cell = subject.find()
        if cell.kind == "union":
            missing = [each.name for each in cell.of.variants if each not in covered]  # type: ignore[union-attr]
        else:
            values = {True: "true", False: "false"} if cell.kind == "bool" else {}
            missing = [name for value, name in values.items() if value not in covered]
        if missing:
            names = ", ".join(f"`{name}`" for name in missing)
            message = f"this `match` does not cover {names}"
            help_ = f"add `{missing[0]} => …`, or `_ => …` for all others"
            inference.report(module, "T050", message, node.subject, help_, Severity.WARNING)

    inference.solver.watch(action, subject)
    inference.check_later(check)


def is_complete(node: ast.Match) -> bool:
    """Whether some arm of a `match` is always taken; its subject has its final type."""
    covered = {_head(arm.pattern) for arm in node.arms if _matches_all_of_its_head(arm.pattern)}
    cell = node.subject.cell.find() if node.subject.cell else Cell()
    if cell.kind == "union" and cell.nullable == NEVER:
        return covered >= {*cell.of.variants}  # type: ignore[union-attr]
    return _ALL in covered


def _report_unreachable(inference: Inference, node: ast.Match) -> set[Any]:
    """Report the arms for what earlier ones match; return what all of them match for certain."""
    source = inference.function.module.source
    first: dict[Any, ast.Expr] = {}
    for arm in node.arms:
        pattern = arm.pattern
        earlier = first.get(_ALL) or first.get(_head(pattern))
        if earlier is not None:
            span, label = (Span(source, each.start, each.end) for each in (pattern, earlier))
            labels = (Label(label, "this arm matches first"),)
            message = "this arm is never reached"
            warning = Diagnostic("T054", message, span, "", labels, severity=Severity.WARNING)
            inference.diagnostics.add(warning)
        elif _matches_all_of_its_head(pattern):
            first[_head(pattern)] = pattern
    return set(first)


def _head(pattern: ast.Expr) -> Any:
    """Return what a pattern is about: a variant, a literal, or anything; itself if not known."""
    match pattern:
        case ast.Name(name="_"):
            return _ALL
        case ast.Name(decl=Struct() as variant) | ast.Call(callee=ast.Name(decl=variant)):
            return variant
        case ast.BoolLit(value=value):
            return value
        case ast.IntLit(value=value) | ast.StringLit(value=value):
            return type(pattern), value
    return pattern


def _matches_all_of_its_head(pattern: ast.Expr) -> bool:
    args = pattern.args if isinstance(pattern, ast.Call) else []
    return all(
        isinstance(arg, ast.Name) and (arg.name == "_" or isinstance(arg.decl, Variable))
        for arg in args
    )


def _pattern(inference: Inference, node: ast.Expr) -> None:
    if isinstance(node, ast.Name) and (node.name == "_" or isinstance(node.decl, Struct)):
        return
    if not isinstance(node, ast.Call) or not isinstance(node.callee, ast.Name):
        inference.expression(node)
        return
    struct = node.callee.decl
    if not isinstance(struct, Struct):
        return
    if len(node.args) != len(struct.cells):
        fields = count_text(len(struct.cells), "field")
        message = f"`{struct.name}` has {fields}, got {len(node.args)} in this pattern"
        inference.error("T006", message, node, f"write `{struct.name}` alone, or `_` for a field")
    for arg, cell in zip(node.args, struct.cells.values(), strict=False):
        if isinstance(arg, ast.Name) and isinstance(arg.decl, Variable):
            inference.solver.flow(cell, inference.variable(arg.decl))
            arg.cell = arg.decl.type
        else:
            _pattern(inference, arg)


EXPRESSIONS: ExpressionRules = {ast.Match: _match}
