"""The nodes below a node of the syntax tree, and the variables that they mention."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from mochi_rules.compiler.names.symbols import Variable
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from collections.abc import Iterator


def nodes_of(*roots: object) -> Iterator[ast.Node]:
    """Yield some nodes and all nodes below them; lists of nodes and None may be among them."""
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (list, tuple)):
            waiting += node
        elif isinstance(node, ast.Node):
            yield node
            waiting += [getattr(node, slot.name) for slot in fields(node)]


def variables_of(*roots: object) -> set[Variable]:
    """Return the variables that some nodes mention."""
    return {
        node.decl
        for node in nodes_of(*roots)
        if isinstance(node, ast.Name) and isinstance(node.decl, Variable)
    }
