"""Expressions with branches: `if`, `match` and function literals; and functions in general."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.syntax import ast
from mochi_rules.compiler.syntax.parse_expression import expression, header
from mochi_rules.compiler.syntax.parse_state import block
from mochi_rules.compiler.syntax.parse_type import type_expr
from mochi_rules.compiler.syntax.tokens import END, KEYWORDS, NAMES

if TYPE_CHECKING:
    from mochi_rules.compiler.syntax.parse_state import Parser

# What ends the search for the `:` after the first key of a map literal.
_NO_KEY = (KEYWORDS - {"true", "false", "none", "in"}) | {"{", "}", "=", "=>", END}
_LITERALS = (ast.IntLit, ast.FloatLit, ast.StringLit, ast.BoolLit, ast.NoneLit)
_PATTERNS = "a pattern is a literal, a name, `_`, or a variant of patterns: `Node(left, _)`"


def opens_map(p: Parser) -> bool:
    """Return whether the `{` here begins a map literal, not a block or a branch.

    It does when it is empty, or when a `:` follows the first thing in it. The search ends at the
    next brace, so that all of them together look at a token once.
    """
    index, depth = p.pos + 1, 0
    if p.kinds[index] == "}":
        return True
    while (kind := p.kinds[index]) not in _NO_KEY:
        if kind == ":" and not depth:
            return True
        depth += (kind in {"(", "["}) - (kind in {")", "]"})
        index += 1
    return False


# if


def if_expr(p: Parser) -> ast.Expr:
    """IfExpr = "if" Expr Then ["else" (IfExpr | "{" Expr "}" | Expr)]."""
    start = p.starts[p.take("if")]
    return if_expr_after(p, start, header(p))


def if_expr_after(p: Parser, start: int, condition: ast.Expr) -> ast.IfExpr:
    """Read what follows the first condition of an IfExpr that begins at the offset `start`."""
    branches = [(start, condition, _then(p))]
    otherwise: ast.Expr | None = None
    while p.accept("else"):
        if p.kinds[p.pos] != "if":
            otherwise = _otherwise(p)
            break
        start = p.starts[p.take("if")]
        condition = header(p)
        branches.append((start, condition, _then(p)))
    end = p.end()
    start, condition, then = branches.pop()
    found = ast.IfExpr(start, end, condition, then, otherwise)
    for start, condition, then in reversed(branches):
        found = ast.IfExpr(start, end, condition, then, found)
    return found


def _then(p: Parser) -> ast.Expr:
    """Then = "{" Expr "}" | "then" Expr."""
    if p.accept("then"):
        return expression(p)
    return _braced(p)


def _otherwise(p: Parser) -> ast.Expr:
    """Otherwise = "{" Expr "}" | Expr."""
    if p.kinds[p.pos] != "{" or opens_map(p):
        return expression(p)
    return _braced(p)


def _braced(p: Parser) -> ast.Expr:
    """Braced = "{" Expr "}"."""
    opening = p.take("{")
    found = expression(p)
    if p.kinds[p.pos] not in {"}", END}:
        p.fail("`}`", "P001", "an `if` expression has one expression in each branch")
    p.close("}", opening)
    return found


# match


def match_expr(p: Parser) -> ast.Match:
    """Match = "match" Expr "{" {Arm} "}"."""
    start = p.starts[p.take("match")]
    subject = header(p)
    opening = p.take("{")
    arms = []
    while p.kinds[p.pos] not in {"}", END}:
        arms.append(_arm(p))
    p.close("}", opening)
    return ast.Match(start, p.end(), subject, arms)


def _arm(p: Parser) -> ast.MatchArm:
    """Arm = Pattern "=>" (Expr | Block). Emits: P061."""
    first = p.pos
    start = p.starts[first]
    pattern = _pattern(p)
    p.take("=>", "write an arm for each of the patterns" if p.kinds[p.pos] in {"|", ","} else "")
    kind = p.kinds[p.pos]
    if kind == "{" and not opens_map(p):
        body = block(p)
        return ast.MatchArm(start, p.end(), pattern, None, body)
    if kind == "}":
        remedy = "write a value after the `=>`, or `{}`"
        p.report("P061", "match arm without a value", p.span(first, p.pos - 1), remedy)
        return ast.MatchArm(start, p.end(), pattern, ast.NoneLit(start, p.end()), None)
    value = expression(p)
    return ast.MatchArm(start, p.end(), pattern, value, None)


def _pattern(p: Parser) -> ast.Expr:
    """Pattern = Literal | Ident | Ident "(" [Pattern {"," Pattern}] ")" | "(" Pattern ")".

    Emits: P063.
    """
    first = p.pos
    if p.kinds[first] == ",":
        p.fail("a pattern or `}`", help="arms are not separated by commas")
    pattern = expression(p)
    if not _is_pattern(pattern):
        p.report("P063", "this is not a pattern", p.span(first, p.pos - 1), _PATTERNS)
    return pattern


def _is_pattern(found: ast.Expr) -> bool:
    if isinstance(found, ast.Call):
        return isinstance(found.callee, ast.Name) and all(map(_is_pattern, found.args))
    return isinstance(found, (ast.Name, *_LITERALS))


# Functions


def fun_expr(p: Parser) -> ast.FunExpr:
    """FunExpr = "fun" Signature (Block | "=>" Expr)."""
    start = p.starts[p.take("fun")]
    found = ast.FunDecl(start, start, "", start, *signature(p), [], False)
    if p.accept("=>"):
        begin = p.starts[p.pos]
        value = expression(p)
        found.body = [ast.Return(begin, p.end(), value)]
    else:
        found.body = block(p)
    found.end = p.end()
    return ast.FunExpr(start, found.end, found)


def fun_decl(p: Parser) -> ast.FunDecl:
    """Fun = ["export"] "fun" Ident Signature Block."""
    start = p.starts[p.pos]
    exported = p.accept("export")
    p.take("fun")
    name_start = p.starts[p.pos]
    name = p.name("the name of a function")
    found = ast.FunDecl(start, start, name, name_start, *signature(p), [], exported)
    if p.kinds[p.pos] == "=>":
        p.fail("`{`", "P001", "a named function has a block: `{ return … }`")
    found.body = block(p)
    found.end = p.end()
    return found


_Signature = tuple[list[str], list[ast.Param], ast.TypeExpr | None, list[str]]


def signature(p: Parser) -> _Signature:
    """Signature = ["<" Names ">"] Params [":" Type] ["!" Names]; Names = Ident {"," Ident}."""
    type_params: list[str] = []
    if p.kinds[p.pos] == "<":
        opening = p.take("<")
        type_params = _names(p, "a type parameter")
        p.close_list(">", opening)
    taken = params(p)
    result = type_expr(p) if p.accept(":") else None
    effects = _names(p, "an effect") if p.accept("!") else []
    return type_params, taken, result, effects


def params(p: Parser) -> list[ast.Param]:
    """Params = "(" [Param {"," Param}] ")"."""
    opening = p.take("(")
    found = []
    if p.kinds[p.pos] != ")":
        found.append(_param(p))
        while p.accept(","):
            found.append(_param(p))
    if found and p.kinds[p.pos] in NAMES:
        p.fail("`,` or `)`", "P052", f"write the type after a colon: `{found[-1].name}: int`")
    if found and p.kinds[p.pos] == "=":
        p.fail("`,` or `)`", "P052", "a parameter has no default value")
    p.close_list(")", opening)
    return found


def _param(p: Parser) -> ast.Param:
    """Param = Ident [":" Type]."""
    start = p.starts[p.pos]
    name = p.name("the name of a parameter")
    found = type_expr(p) if p.accept(":") else None
    return ast.Param(start, p.end(), name, found)


def _names(p: Parser, what: str) -> list[str]:
    names = [p.name(what)]
    while p.accept(","):
        names.append(p.name(what))
    return names
