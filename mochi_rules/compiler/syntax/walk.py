"""The nodes below a node of the syntax tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import fields
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
