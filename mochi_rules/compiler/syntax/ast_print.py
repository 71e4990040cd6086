"""The syntax tree as text: one s-expression for each statement."""

from __future__ import annotations

import json

from mochi_rules.base.dataclass import fields
from mochi_rules.compiler.syntax import ast

_PLACES = frozenset({"start", "end", "name_start", "path_start", "op_start"})


def print_module(module: ast.Module) -> str:
    """Return the statements of a module, a line each, and before them its package."""
    lines = [f"(Package {module.package})"] if module.package else []
    lines += [print_node(statement) for statement in module.body]
    return "".join(f"{line}\n" for line in lines)


def print_node(node: ast.Node) -> str:
    """Return a node as `(Kind part …)`, its parts in the order of their declaration.

    Names, literals and plain types stand for themselves. A part that may be missing is written
    `part=…`, or left out; a flag is written by its name when it is set; places are left out.
    """
    written: list[str] = []
    waiting: list[object] = [node]  # what is to be written, the last first; no depth is too deep
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            written.append(item)
        elif isinstance(item, list):
            waiting += reversed(["[", *_spaced(item), "]"])
        elif isinstance(item, tuple):
            waiting += reversed(["(", *_spaced(item), ")"])
        elif isinstance(item, ast.Node):
            leaf = _leaf(item)
            waiting += reversed(_parts(item)) if leaf is None else [leaf]
    return "".join(written)


def _parts(node: ast.Node) -> list[object]:
    parts: list[object] = ["(", type(node).__name__]
    for part in fields(node):
        value = getattr(node, part.name)
        if not part.init or part.name in _PLACES or value is None or value is False or value == "":
            continue
        parts.append(" ")
        if "None" in str(part.type):
            parts.append(f"{part.name}=")
        if value is True:
            parts.append(part.name)
        else:
            parts.append(value if part.name == "op" else _shown(value))
    return [*parts, ")"]


def _shown(value: object) -> object:
    """Return a part as print_node takes it: the strings in it quoted where they are not words."""
    if isinstance(value, list):
        return [_shown(item) for item in value]
    if isinstance(value, tuple):
        return tuple(_shown(item) for item in value)
    if isinstance(value, str) and not value.isidentifier():
        return _quoted(value)
    return value


def _spaced(items: list[object] | tuple[object, ...]) -> list[object]:
    return [part for item in items for part in (" ", item)][1:]


def _leaf(node: ast.Node) -> str | None:
    """Return the text of a node that stands for itself."""
    match node:
        case ast.Name(name=name):
            return name
        case ast.StringLit(value=encoded):
            return _quoted(encoded.decode("utf-8", "backslashreplace"))
        case ast.IntLit(value=value) | ast.FloatLit(value=value) | ast.BoolLit(value=value):
            return repr(value).lower()
        case ast.NamedType(name=name, args=[]):
            return f"{name}?" if node.optional else name
    return "none" if isinstance(node, ast.NoneLit) else None


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
