"""Chains: expressions that are as deep as they are long, such as `a + b + c` or `x.f().g()[0]`.

Each link begins with the chain before it. Whoever walks the tree takes the links one after the
other, so that only what is nested in brackets or blocks needs recursion; the parser limits that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIRST = {
    ast.Binary: "left", ast.Unary: "operand", ast.Cast: "operand", ast.Call: "callee",
    ast.Index: "base", ast.Slice: "base", ast.Field: "base",
}  # fmt: skip


def first_link(node: ast.Node) -> ast.Expr | None:
    """Return the link that an expression begins with; None where it is not a chain.

    A call of a method begins with the receiver: the method's name is part of the call.
    """
    name = _FIRST.get(type(node))
    if name is None:
        return None
    first = getattr(node, name)
    if isinstance(node, ast.Call) and isinstance(first, ast.Field):
        first = first.base
    return first if type(first) in _FIRST else None


def links_before(node: ast.Node) -> list[ast.Expr]:
    """Return the links of a chain that come before its last one, `node`, the first link first."""
    links: list[ast.Expr] = []
    if type(node) not in _FIRST:  # as most are
        return links
    link = first_link(node)
    while link is not None:
        links.append(link)
        link = first_link(link)
    links.reverse()
    return links


def branches(node: ast.If) -> Iterator[ast.If]:
    """Yield an `if` and every `else if` of it."""
    while True:
        yield node
        match node.otherwise:
            case [ast.If() as following]:
                node = following
            case _:
                return


def choices(node: ast.IfExpr) -> Iterator[ast.IfExpr]:
    """Yield an `if` with a value and every `else if` of it."""
    while True:
        yield node
        if not isinstance(node.otherwise, ast.IfExpr):
            return
        node = node.otherwise
