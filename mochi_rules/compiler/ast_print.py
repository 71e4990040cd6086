"""The syntax tree as text: one compact s-expression for each statement."""

from __future__ import annotations

from dataclasses import fields

from mochi_rules.compiler import ast

_PLACES = frozenset({"start", "end", "name_start", "path_start", "op_start"})


def print_module(module: ast.Module) -> str:
    """Return the statements of a module, a line each, and before them its package."""
    lines = [f"(Package {module.package})"] if module.package else []
    lines += [print_node(statement) for statement in module.body]
    return "".join(f"{line}\n" for line in lines)


def print_node(node: ast.Node) -> str:
    """Return a node as `(Kind part …)`, its parts in the order of their declaration.

    Names and literals stand for themselves. A part that may be missing is written `part=…`, or
    left out; a flag is written by its name when it is set; places are left out.
    """
    match node:
        case ast.Name():
            return node.name
        case ast.IntLit() | ast.FloatLit():
            return repr(node.value)
        case ast.BoolLit():
            return str(node.value).lower()
        case ast.StringLit():
            return _quoted(node.value.decode("utf-8", "backslashreplace"))
        case ast.NoneLit():
            return "none"
    parts = [type(node).__name__]
    for name, missing in _parts(type(node)):
        value = getattr(node, name)
        if value is None or value is False or (value == "" and name != "op"):
            continue
        shown = name if value is True else _print_part(value)
        parts.append(f"{name}={shown}" if missing else shown)
    return f"({' '.join(parts)})"


def _parts(kind: type[ast.Node]) -> list[tuple[str, bool]]:
    """Return the names of the parts that the parser fills, and whether each may be None."""
    return [
        (part.name, "None" in str(part.type))
        for part in fields(kind)
        if part.init and part.name not in _PLACES
    ]


def _print_part(value: object) -> str:
    if isinstance(value, ast.Node):
        return print_node(value)
    if isinstance(value, list):
        return f"[{' '.join(map(_print_part, value))}]"
    if isinstance(value, tuple):
        return f"({' '.join(map(_print_part, value))})"
    text = str(value)
    return text if text.isidentifier() or not text[0].isalnum() else _quoted(text)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
