"""Types as written in annotations, casts and declarations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.syntax import ast
from mochi_rules.compiler.syntax.tokens import NAMES

if TYPE_CHECKING:
    from mochi_rules.compiler.syntax.parse_state import Parser

# Tokens that can stand between the `<` and the `>` of type arguments.
_IN_ARGUMENTS = NAMES | frozenset("<>,(){}:?") | {"fun"}
_FOREIGN = {
    "(": "write the type of a function as `fun(int): int`",
    "[": "write the type of a list as `list<int>`",
}
_PLAIN = frozenset({"int", "int64", "float", "bigint", "bigrat", "string", "bool", "unit", "any"})


def type_expr(p: Parser) -> ast.TypeExpr:
    """Type = (FunType | NamedType | RecordType) ["?"]."""
    p.enter()
    kind = p.kinds[p.pos]
    found: ast.TypeExpr
    if kind in NAMES:
        found = _named_type(p)
    elif kind == "fun":
        found = _fun_type(p)
    elif kind == "{":
        found = _record_type(p)
    else:
        p.fail("a type", help=_FOREIGN.get(kind, ""))
    if p.kinds[p.pos] == "[" and p.kinds[p.pos + 1] == "]":
        name = p.source.text[found.start : found.end]
        p.fail("`=`", help=f"write the type of a list as `list<{name}>`")
    if p.accept("?"):
        found.optional = True
        found.end = p.end()
    p.depth -= 1
    return found


def cast_type(p: Parser) -> ast.TypeExpr:
    """Type after `as`, where a `<` may also be a comparison: `x as int < limit`."""
    index = p.pos
    if p.kinds[index] in NAMES and p.kinds[index + 1] == "<" and not _has_arguments(p, index):
        p.pos = index + 1
        return ast.NamedType(p.starts[index], p.ends[index], False, p.values[index], [])
    return type_expr(p)


def _has_arguments(p: Parser, index: int) -> bool:
    """Return whether the `<` after a name opens type arguments: they close, and are types."""
    if p.values[index] in _PLAIN:
        return False
    depth, after_name = 0, True
    while (kind := p.kinds[index + 1]) in _IN_ARGUMENTS:
        if after_name and kind in NAMES:
            return False
        after_name = kind in NAMES
        depth += (kind == "<") - (kind == ">")
        if depth == 0:
            return True
        index += 1
    return False


def _named_type(p: Parser) -> ast.NamedType:
    """NamedType = Ident ["<" Type {"," Type} ">"]."""
    index = p.pos
    p.pos = index + 1
    args = []
    if p.kinds[index + 1] == "<":
        opening = p.take("<")
        args.append(type_expr(p))
        while p.accept(","):
            args.append(type_expr(p))
        p.close_list(">", opening)
    return ast.NamedType(p.starts[index], p.end(), False, p.values[index], args)


def _fun_type(p: Parser) -> ast.FunType:
    """FunType = "fun" "(" [Type {"," Type}] ")" [":" Type]."""
    start = p.starts[p.take("fun")]
    opening = p.take("(")
    params = []
    if p.kinds[p.pos] != ")":
        params.append(type_expr(p))
        while p.accept(","):
            params.append(type_expr(p))
    p.close_list(")", opening)
    result = type_expr(p) if p.accept(":") else None
    return ast.FunType(start, p.end(), False, params, result)


def _record_type(p: Parser) -> ast.RecordType:
    """RecordType = "{" [Field {"," Field}] [","] "}"."""
    opening = p.take("{")
    fields = []
    while p.kinds[p.pos] != "}":
        fields.append(field_decl(p))
        if not p.accept(","):
            break
    p.close_list("}", opening)
    return ast.RecordType(p.starts[opening], p.end(), False, fields)


def field_decl(p: Parser) -> ast.FieldDecl:
    """Field = Ident ":" Type."""
    start = p.starts[p.pos]
    name = p.name("a field name")
    p.take(":")
    found = type_expr(p)
    return ast.FieldDecl(start, found.end, name, found)
