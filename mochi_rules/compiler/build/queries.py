"""Builds queries as loops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.compiler import ast

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.build.function import FunctionBuilder
    from mochi_rules.compiler.ir import Value


class QueryBuilder:
    """What a query becomes."""

    def __init__(self, builder: FunctionBuilder) -> None:
        self.b = builder
        self.handlers: dict[type, Callable[[Any], Value]] = {ast.Query: self._query}

    def _query(self, node: ast.Query) -> Value:
        raise NotImplementedError
