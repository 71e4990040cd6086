"""Which links of a chain are built before the last one; see compiler/syntax/chains.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.ir.types import SCALARS, OptionalType
from mochi_rules.compiler.syntax import ast
from mochi_rules.compiler.syntax.chains import first_link

if TYPE_CHECKING:
    from collections.abc import Container


def chain_links(node: ast.Expr, built: Container[ast.Expr]) -> list[ast.Expr]:
    """Return the links before the last one, `node`, the first link first.

    It is what the last link would begin with: up to a link that is built in a way of its own, or
    was built already.
    """
    links = []
    while (
        (link := first_link(node)) is not None and link not in built and not _is_special(node, link)
    ):
        links.append(link)
        node = link
    links.reverse()
    return links


def is_logical(node: ast.Expr) -> TypeGuard[ast.Binary | ast.Unary]:
    """Return whether an operator is control flow."""
    return isinstance(node, (ast.Binary, ast.Unary)) and node.op in ("&&", "||", "!")


def _is_special(node: ast.Expr, link: ast.Expr) -> bool:
    """Whether a link is a condition, or a number from a map that must be there."""
    if is_logical(node):
        return True
    if not isinstance(node, (ast.Binary, ast.Unary)) or not isinstance(
        link, (ast.Index, ast.Field)
    ):
        return False
    type_ = resolve(link.cell)
    return isinstance(type_, OptionalType) and type_.inner in SCALARS
