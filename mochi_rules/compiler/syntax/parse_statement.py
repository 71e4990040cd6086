"""Statements that run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from mochi_rules.base.span import Span
from mochi_rules.compiler.syntax import ast
from mochi_rules.compiler.syntax.has_effect import has_effect
from mochi_rules.compiler.syntax.parse_control import fun_decl, if_expr_after, opens_map
from mochi_rules.compiler.syntax.parse_expression import (
    binary,
    expression,
    header,
    map_literal,
    operand,
)
from mochi_rules.compiler.syntax.parse_query import options_clause
from mochi_rules.compiler.syntax.parse_state import block
from mochi_rules.compiler.syntax.parse_type import type_expr
from mochi_rules.compiler.syntax.tokens import LEVELS, NAMES, STRING

if TYPE_CHECKING:
    from mochi_rules.compiler.syntax.parse_state import Parser

_BRACKETS = frozenset({"{", "[", "("})
_NO_STATEMENT = {
    "=": "compare with `==`; an assignment is a statement, not a value",
    ")": "remove it",
    "]": "remove it",
    "else": "an `else` follows the `}` of an `if`",
}
_ONE_VARIABLE = "a `for` has one variable; read the value of a key with `m[k]`"
_LOOP = "write `for i in 0..10 { … }`, or a `while`"


def no_statement(p: Parser) -> ast.Stmt:
    """Report a token that no statement begins with. Emits: P055, P999."""
    kind = p.kinds[p.pos]
    p.fail("a statement", "P055" if kind == "." else "P999", _NO_STATEMENT.get(kind, ""))


def let(p: Parser) -> ast.Let:
    """Let = ("let" | "var") Ident [":" Type] ["=" Expr]. Emits: P031."""
    index = p.pos
    p.pos = index + 1
    kinds = p.kinds
    if kinds[index + 1] not in NAMES:
        _no_variable(p)
    p.pos = index + 2
    annotation = value = None
    if kinds[index + 2] == ":":
        p.pos = index + 3
        annotation = type_expr(p)
    if kinds[p.pos] == "=":
        p.pos += 1
        value = expression(p)
    start, name_start, name = p.starts[index], p.starts[index + 1], p.values[index + 1]
    mutable = kinds[index] == "var"
    return ast.Let(start, p.ends[p.pos - 1], name, name_start, annotation, value, mutable)


def _no_variable(p: Parser) -> NoReturn:
    kind = p.kinds[p.pos]
    remedy = "bind each part with its own `let`" if kind in _BRACKETS else ""
    p.fail("the name of a variable", "P056" if kind == "let" else "P031", remedy)


def name_statement(p: Parser) -> ast.Stmt:
    """Assign = Target "=" Expr; Target = Ident {IndexOp | "." Ident}; or an ExprStmt."""
    index = p.pos
    start = p.starts[index]
    target = operand(p)
    kind = p.kinds[p.pos]
    if kind == "=":
        if not _is_target(target):
            remedy = "a variable, an element `x[i]` and a field `x.f` can be assigned to"
            p.report("P999", "cannot assign to this", p.span(index, p.pos - 1), remedy)
        p.pos += 1
        value = expression(p)
        return ast.Assign(start, p.ends[p.pos - 1], target, value)
    if kind in LEVELS:
        target = binary(p, target, start)
    return _expr_stmt(p, index, target)


def _is_target(found: ast.Expr) -> bool:
    while isinstance(found, (ast.Index, ast.Field)) and not found.safe:
        found = found.base
    return isinstance(found, ast.Name)


def expr_stmt(p: Parser) -> ast.ExprStmt:
    """ExprStmt = Expr."""
    first = p.pos
    return _expr_stmt(p, first, expression(p))


def _expr_stmt(p: Parser, first: int, value: ast.Expr) -> ast.ExprStmt:
    """Emits: P065, as a warning, for a value that nothing reads."""
    start = p.starts[first]
    if type(value) is not ast.Call and not has_effect(value):
        remedy = p.habit(first) or "remove it, or bind it with `let _ = …`"
        p.warn("P065", "the value of this expression is not used", p.span(first, p.pos - 1), remedy)
    return ast.ExprStmt(start, p.ends[p.pos - 1], value)


def brace(p: Parser) -> ast.ExprStmt:
    """Read an ExprStmt that begins with a MapLit; blocks do not stand alone. Emits: P999."""
    if not opens_map(p):
        p.fail("a statement")
    return expr_stmt(p)


def fun(p: Parser) -> ast.Stmt:
    """Fun, or an ExprStmt that begins with a FunExpr."""
    if p.kinds[p.pos + 1] in {"(", "<"}:
        return expr_stmt(p)
    return fun_decl(p)


def return_(p: Parser) -> ast.Return:
    """Return = "return" [Expr]."""
    index = p.pos
    p.pos = index + 1
    kind = p.kinds[index + 1]
    value = None
    if kind in p.operands and not (kind == "fun" and p.kinds[index + 2] in NAMES):
        value = expression(p)
    return ast.Return(p.starts[index], p.ends[p.pos - 1], value)


def if_(p: Parser) -> ast.Stmt:
    """If = "if" Expr Block ["else" (If | Block)]; with `then`, an ExprStmt."""
    first = p.take("if")
    start = p.starts[first]
    condition = header(p)
    if p.kinds[p.pos] == "then":
        return _expr_stmt(p, first, if_expr_after(p, start, condition))
    branches = [(start, condition, block(p))]
    otherwise: list[ast.Stmt] | None = None
    while p.accept("else"):
        if p.kinds[p.pos] != "if":
            otherwise = block(p)
            break
        start = p.starts[p.take("if")]
        condition = header(p)
        branches.append((start, condition, block(p)))
    end = p.end()
    start, condition, then = branches.pop()
    found = ast.If(start, end, condition, then, otherwise)
    for start, condition, then in reversed(branches):
        found = ast.If(start, end, condition, then, [found])
    return found


def while_(p: Parser) -> ast.While:
    """While = "while" Expr Block."""
    start = p.starts[p.take("while")]
    condition = header(p)
    body = block(p)
    return ast.While(start, p.end(), condition, body)


def for_(p: Parser) -> ast.For:
    """For = "for" Ident "in" Expr [".." Expr] Block."""
    start = p.starts[p.take("for")]
    name_start = p.starts[p.pos]
    name = p.name("the name of a variable", help=_LOOP if p.kinds[p.pos] == "(" else "")
    p.take("in", _ONE_VARIABLE if p.kinds[p.pos] == "," else "")
    low = header(p)
    high = header(p) if p.accept("..") else None
    body = block(p)
    return ast.For(start, p.end(), name, name_start, low, high, body)


def break_(p: Parser) -> ast.Break:
    """Break = "break"."""
    index = p.take("break")
    return ast.Break(p.starts[index], p.ends[index])


def continue_(p: Parser) -> ast.Continue:
    """Continue = "continue"."""
    index = p.take("continue")
    return ast.Continue(p.starts[index], p.ends[index])


def expect(p: Parser) -> ast.Expect:
    """Expect = "expect" Expr."""
    start = p.starts[p.take("expect")]
    condition = expression(p)
    return ast.Expect(start, p.end(), condition)


def test(p: Parser) -> ast.Test:
    """Test = "test" String Block."""
    start = p.starts[p.take("test")]
    name = p.string("the name of the test, a string")
    body = block(p)
    return ast.Test(start, p.end(), name, body)


def bench(p: Parser) -> ast.Stmt:
    """Bench = "bench" String Block."""
    if p.kinds[p.pos + 1] != STRING:
        return name_statement(p)
    start = p.starts[p.take("bench")]
    name = p.string("the name of the benchmark, a string")
    body = block(p)
    return ast.Bench(start, p.end(), name, body)


def fetch(p: Parser) -> ast.Stmt:
    """FetchInto = "fetch" Expr "into" Ident ["with" Expr], or an ExprStmt."""
    start = p.starts[p.take("fetch")]
    url = expression(p)
    if not p.accept_word("into"):
        options = options_clause(p)
        return ast.ExprStmt(start, p.end(), ast.Fetch(start, p.end(), url, options))
    name = p.name("the name of a variable")
    options = options_clause(p)
    return ast.FetchInto(start, p.end(), url, name, options)


def update(p: Parser) -> ast.Stmt:
    """Update = "update" Ident "set" MapLit ["where" Expr]. Emits: P999."""
    first = p.pos
    if p.kinds[first + 1] not in NAMES or not p.at_word("set", ahead=2):
        return name_statement(p)
    target = ast.Name(p.starts[first + 1], p.ends[first + 1], p.values[first + 1])
    p.pos = first + 3
    changes = map_literal(p)
    items = []
    for key, value in changes.items:
        if not isinstance(key, ast.StringLit):
            span = Span(p.source, key.start, key.end)
            p.report("P999", "the fields of an update are names", span)
            continue
        items.append((key.value.decode("utf-8", "replace"), value))
    where = expression(p) if p.accept_word("where") else None
    return ast.Update(p.starts[first], p.end(), target, items, where)
