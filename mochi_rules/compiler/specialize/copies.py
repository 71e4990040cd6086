"""Copies of functions in the trees of a program, as the parser makes them."""

from __future__ import annotations

from copy import copy as shallow_copy
from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import dataclass, fields
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from mochi_rules.compiler.names.symbols import ModuleScope


@dataclass(frozen=True, slots=True)
class Place:
    """A call or a function in the text: `start` and `end` in a module, by its number.

    Where it is in a copy, `copy` is the name of that.
    """

    module: int
    copy: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the function `of` for some calls, in copies too; its name is no identifier."""

    name: str
    of: Place
    calls: tuple[Place, ...]


def insert(modules: list[ModuleScope], copies: Iterable[Copy]) -> None:
    """Put each copy behind its function, and let its calls name it."""
    nodes: dict[Place, Any] = {}
    for module in modules:
        nodes.update((place, node) for place, node, _ in walk(module.number, module.tree.body))
    for item in copies:
        body = modules[item.of.module].tree.body
        decl = nodes[item.of]
        made = _copied(decl)
        made.name = item.name
        body.insert(body.index(decl) + 1, made)
        nodes.update((place, node) for place, node, _ in walk(item.of.module, [made], item.name))
    for item in copies:
        for place in item.calls:
            nodes[place].callee.name = item.name


def walk(
    module: int, body: list[ast.Stmt], copy: str = ""
) -> Iterator[tuple[Place, ast.Node, ast.FunDecl | None]]:
    """Yield the calls and the functions of a top level, with the function that each is in."""
    for statement in body:
        around = statement if isinstance(statement, ast.FunDecl) else None
        waiting: list[Any] = [statement]
        while waiting:
            node = waiting.pop()
            if isinstance(node, (list, tuple)):
                waiting += reversed(node)
            elif isinstance(node, ast.Node):
                if isinstance(node, (ast.Call, ast.FunDecl)):
                    yield Place(module, copy, node.start, node.end), node, around
                waiting += [getattr(node, name) for name in reversed(_parts(node))]


_ANY = frozenset({"any"})
_PARTS: dict[type, tuple[str, ...]] = {}


def _parts(node: ast.Node) -> tuple[str, ...]:
    """Return the names of what the parser puts into a node."""
    kind = type(node)
    if kind not in _PARTS:
        _PARTS[kind] = tuple(one.name for one in fields(node) if one.init)
    return _PARTS[kind]


def _copied(root: ast.FunDecl) -> ast.FunDecl:
    """Return a copy of a function, in which no declaration says `any`.

    Whatever goes there decides: a copy is for values of some types.
    """
    made = shallow_copy(root)
    waiting: list[ast.Node] = [made]

    def part(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return type(value)(map(part, value))
        if isinstance(value, dict):
            return dict(value)
        if not isinstance(value, ast.Node) or isinstance(value, ast.TypeExpr):
            return value
        waiting.append(shallow_copy(value))
        return waiting[-1]

    while waiting:
        node = waiting.pop()
        for one in fields(node):
            setattr(node, one.name, part(getattr(node, one.name)))
        match node:
            case ast.Let() | ast.Param() if mentions(node.type, _ANY):
                node.type = None
            case ast.FunDecl() if mentions(node.result, _ANY):
                node.result = None
    return made


def mentions(node: ast.TypeExpr | None, names: Collection[str]) -> bool:
    """Whether a written type, or a part of it, has one of some names."""
    match node:
        case ast.NamedType():
            return node.name in names or any(mentions(arg, names) for arg in node.args)
        case ast.FunType():
            return any(mentions(part, names) for part in (*node.params, node.result))
    return False
