"""The variables that nodes of the syntax tree mention."""

from __future__ import annotations

from mochi_rules.compiler.names.symbols import Variable
from mochi_rules.compiler.syntax import ast
from mochi_rules.compiler.syntax.walk import nodes_of


def variables_of(*roots: object) -> set[Variable]:
    """Return the variables that some nodes mention."""
    return {
        node.decl
        for node in nodes_of(*roots)
        if isinstance(node, ast.Name) and isinstance(node.decl, Variable)
    }
