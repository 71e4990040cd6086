"""What name resolution finds in a program as a whole: who captures what, and what runs when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.compiler.syntax import ast
from mochi_rules.compiler.syntax.chains import branches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.compiler.names.symbols import Function, ModuleScope, Struct, Variable


@dataclass(slots=True)
class Resolution:
    """A program with its names resolved; modules in the order in which they run."""

    modules: list[ModuleScope]
    functions: list[Function] = field(default_factory=list)
    structs: dict[str, Struct] = field(default_factory=dict)  # by the names of their types
    has_bigint: bool = False  # whether the program names that type
    assigned: dict[ast.Node, dict[Variable, None]] = field(default_factory=dict)  # by loops

    def register(self, struct: Struct) -> Struct:
        """Give a struct a type of its own, whatever others are called."""
        name, number = struct.name, 1
        while name in self.structs:
            number += 1
            name = f"{struct.name}.{number}"
        struct.type_name = name
        self.structs[name] = struct
        return struct


def declarations(body: list[ast.Stmt]) -> Iterator[ast.Stmt]:
    """Yield all statements; types are visible in the whole module wherever they stand."""
    for statement in body:
        yield statement
        match statement:
            case ast.If():
                for branch in branches(statement):
                    yield from declarations(branch.then)
                yield from declarations(branch.otherwise or [])
            case ast.While() | ast.For() | ast.FunDecl() | ast.Test():
                yield from declarations(statement.body)
            case _:
                pass


def spread_captures(functions: list[Function]) -> None:
    """Whoever mentions a nested function captures what that one captures, if not its own."""
    changed = True
    while changed:
        changed = False
        for function in functions:
            for mentioned in function.mentions:
                for variable in mentioned.captures:
                    if variable.owner is not function and variable not in function.captures:
                        function.captures[variable] = None
                        changed = True


def find_early_uses(statements: list[tuple[ast.Stmt, set[Function]]]) -> None:
    """Mark the globals that a call may read before their declaration has run."""
    reached: set[Function] = set()
    used: set[Variable] = set()
    for statement, mentioned in statements:
        work = [function for function in mentioned if function not in reached]
        while work:
            function = work.pop()
            reached.add(function)
            used.update(function.globals)
            work += [other for other in function.mentions if other not in reached]
        if isinstance(statement, ast.Let) and statement.decl in used:
            statement.decl.is_used_early = True


def key_parts(group: ast.QueryGroup) -> dict[str, ast.Expr]:
    """Return the parts of a group's key by name, where the key is a map literal."""
    (key, *more) = group.keys
    if more or not isinstance(key, ast.MapLit):
        return {}
    return {
        name.value.decode(errors="replace"): value
        for name, value in key.items
        if isinstance(name, ast.StringLit)
    }
