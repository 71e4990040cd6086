"""Expressions: operators, postfixes, names and literals."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from mochi_rules.compiler.syntax import ast
from mochi_rules.compiler.syntax.limits import MAX_NESTING
from mochi_rules.compiler.syntax.parse_state import SyntaxFault
from mochi_rules.compiler.syntax.parse_type import cast_type
from mochi_rules.compiler.syntax.tokens import KEYWORDS, LEVELS, NAMES

if TYPE_CHECKING:
    from mochi_rules.compiler.syntax.parse_state import Parser

_POSTFIXES = frozenset({"(", "[", ".", "?", "as"})
_SLICE_STOPS = frozenset({":", ":-", "]"})
_TYPE_STARTS = NAMES | {"fun", "{"}
# What follows `Name {}` in a header when that is a struct literal and not a name and a body.
_AFTER_EMPTY_STRUCT = (frozenset(LEVELS) - NAMES) | frozenset("{([.?") | {"..", "then"}


def expression(p: Parser) -> ast.Expr:
    """Expr = Unary {BinOp ["all"] Unary}."""
    p.depth += 1
    if p.depth > MAX_NESTING:
        p.too_deep()
    start = p.starts[p.pos]
    found = operand(p)
    if p.kinds[p.pos] in LEVELS:
        found = binary(p, found, start)
    p.depth -= 1
    return found


def header(p: Parser) -> ast.Expr:
    """Expr before the `{` of a body, where `Name {}` is a name and an empty body.

    Upstream takes those braces for a struct literal and then misses the body, so that no program
    it accepts has the two readings: with a body to come, `if x == Leaf {} { … }`, the literal is
    meant here too.
    """
    outer = p.header
    p.header = p.depth + 1
    found = expression(p)
    p.header = outer
    return found


def binary(p: Parser, left: ast.Expr, start: int) -> ast.Expr:
    """{BinOp ["all"] Unary}, after a first operand that begins at the offset `start`.

    Operators wait on a stack until one that binds no tighter follows.
    """
    kinds, starts, ends = p.kinds, p.starts, p.ends
    waiting: list[tuple[int, str, int, ast.Expr, int]] = []
    while True:
        index = p.pos
        operator = kinds[index]
        level = LEVELS.get(operator, 0)
        if operator in NAMES and not _operates(p, index):
            level = 0
        while waiting and waiting[-1][0] >= level:
            _, waited, place, first, begin = waiting.pop()
            left = ast.Binary(begin, ends[index - 1], waited, place, first, left)
            start = begin
        if level == 0:
            return left
        if kinds[index + 1] == "all" and operator == "union":
            operator = "union all"
            index += 1
        p.pos = index + 1
        waiting.append((level, operator, starts[index], left, start))
        start = starts[index + 1]
        left = operand(p)


def _operates(p: Parser, index: int) -> bool:
    """Return whether an operand follows the contextual word; else it is the name of a variable."""
    following = p.kinds[index + 1]
    return following == "all" or following in p.operands


def operand(p: Parser) -> ast.Expr:
    """Unary = {"-" | "!"} Postfix; Postfix = Primary {Postfix}."""
    index = p.pos
    found = p.operands.get(p.kinds[index], no_operand)(p)
    if p.kinds[p.pos] in _POSTFIXES:
        return postfix(p, found, p.starts[index])
    return found


def no_operand(p: Parser) -> ast.Expr:
    """Report a token that no expression begins with. Emits: P056, P999."""
    p.fail("an expression", "P056" if p.kinds[p.pos] == "let" else "P999")


def negation(p: Parser) -> ast.Expr:
    """{"-" | "!"} Postfix."""
    first = p.pos
    while p.kinds[p.pos] in {"-", "!"}:
        p.pos += 1
    last = p.pos
    found = operand(p)
    for index in range(last - 1, first - 1, -1):
        found = ast.Unary(p.starts[index], p.end(), p.kinds[index], found)
    return found


# Postfixes


def postfix(p: Parser, found: ast.Expr, start: int) -> ast.Expr:
    """{Arguments | IndexOp | "." Ident | "?" "." Ident | "?" "[" Expr "]" | "as" Type}."""
    kinds = p.kinds
    while (kind := kinds[p.pos]) in _POSTFIXES:
        index = p.pos
        if kind == "(":
            args = arguments(p)
            found = ast.Call(start, p.ends[p.pos - 1], found, args)
        elif kind == ".":
            found = _field(p, found, start, safe=False)
        elif kind == "[":
            found = _index(p, found, start)
        elif kind == "?":
            found = _safe(p, found, start)
        elif kinds[index + 1] in _TYPE_STARTS:
            p.pos = index + 1
            target = cast_type(p)
            found = ast.Cast(start, target.end, found, target)
        else:
            return found
    return found


def arguments(p: Parser) -> list[ast.Expr]:
    """Arguments = "(" [Expr {"," Expr}] ")"."""
    opening = p.pos
    p.pos = opening + 1
    args = []
    if p.kinds[opening + 1] != ")":
        args.append(expression(p))
        while p.kinds[p.pos] == ",":
            p.pos += 1
            args.append(expression(p))
    p.close_list(")", opening)
    return args


def _field(p: Parser, base: ast.Expr, start: int, *, safe: bool) -> ast.Field:
    """Field = "." Ident. Emits: P055."""
    index = p.pos + 1
    if p.kinds[index] not in NAMES:
        _no_field(p, index)
    p.pos = index + 1
    return ast.Field(start, p.ends[index], base, p.values[index], p.starts[index], safe)


def _no_field(p: Parser, index: int) -> NoReturn:
    message = f"expected a field name after `.`, got {p.describe(index)}"
    remedy = f'write `["{p.kinds[index]}"]`' if p.is_reserved(index) else ""
    p.report("P055", message, p.span(index - 1), remedy)
    raise SyntaxFault


def _safe(p: Parser, base: ast.Expr, start: int) -> ast.Expr:
    """Safe = "?" (Field | "[" Expr "]"). Emits: P055, P999."""
    following = p.kinds[p.pos + 1]
    if following == ".":
        p.pos += 1
        return _field(p, base, start, safe=True)
    if following != "[":
        p.fail("an operator or the next statement")
    opening = p.pos + 1
    p.pos = opening + 1
    key = expression(p)
    p.close("]", opening)
    return ast.Index(start, p.end(), base, key, True)


def _index(p: Parser, base: ast.Expr, start: int) -> ast.Expr:
    """IndexOp = "[" [Expr] [":" [Expr] [":" [Expr]]] "]"; `:-` counts as `:` `-`. Emits: P060."""
    opening = p.pos
    p.pos = opening + 1
    kinds = p.kinds
    low = high = step = None
    if kinds[p.pos] not in _SLICE_STOPS:
        low = expression(p)
        if kinds[p.pos] == "]":
            p.pos += 1
            return ast.Index(start, p.ends[p.pos - 1], base, low, False)
    if _colon(p):
        if kinds[p.pos] not in _SLICE_STOPS:
            high = expression(p)
        if _colon(p) and kinds[p.pos] != "]":
            step = expression(p)
    p.close("]", opening)
    if low is high is step is None:
        remedy = "write `xs[i]`, or `xs[low:high]` with at least one of the two"
        p.report("P060", "nothing between the brackets", p.span(opening, p.pos - 1), remedy)
        return ast.Index(start, p.end(), base, ast.NoneLit(start, p.end()), False)
    return ast.Slice(start, p.end(), base, low, high, step)


def _colon(p: Parser) -> bool:
    """Step over a `:`, and over the first half of a `:-`."""
    index = p.pos
    if p.kinds[index] == ":-":
        p.kinds[index] = "-"
        p.starts[index] += 1
        return True
    return p.accept(":")


# Names and literals


def name(p: Parser) -> ast.Expr:
    """Ident, or StructLit."""
    index = p.pos
    if p.kinds[index + 1] == "{" and _is_struct(p, index):
        return _struct(p)
    p.pos = index + 1
    return ast.Name(p.starts[index], p.ends[index], p.values[index])


def _is_struct(p: Parser, index: int) -> bool:
    """Return whether `Name {` begins a struct literal: the braces are empty, or a field follows."""
    following = p.kinds[index + 2]
    if following == "}":
        return p.header != p.depth or p.kinds[index + 3] in _AFTER_EMPTY_STRUCT
    return following in NAMES and p.kinds[index + 3] == ":"


def _struct(p: Parser) -> ast.StructLit:
    """StructLit = Ident Fields."""
    index = p.pos
    p.pos = index + 1
    fields = field_inits(p)
    return ast.StructLit(p.starts[index], p.end(), p.values[index], fields)


def field_inits(p: Parser) -> list[ast.FieldInit]:
    """Fields = "{" [Ident ":" Expr {"," Ident ":" Expr}] [","] "}"."""
    opening = p.take("{")
    fields = []
    while p.kinds[p.pos] != "}":
        start = p.starts[p.pos]
        field = p.name("a field name")
        p.take(":")
        value = expression(p)
        fields.append(ast.FieldInit(start, p.end(), field, value))
        if not p.accept(","):
            break
    p.close_list("}", opening)
    return fields


def map_literal(p: Parser) -> ast.MapLit:
    """MapLit = "{" [Expr ":" Expr {"," Expr ":" Expr}] [","] "}"."""
    opening = p.take("{")
    items = []
    while p.kinds[p.pos] != "}":
        key = _key(p)
        p.take(":")
        items.append((key, expression(p)))
        if not p.accept(","):
            break
    p.close_list("}", opening)
    return ast.MapLit(p.starts[opening], p.end(), items)


def _key(p: Parser) -> ast.Expr:
    """Expr; a bare name stands for its own text. Emits: P030."""
    index = p.pos
    kind = p.kinds[index]
    if kind in NAMES and p.kinds[index + 1] == ":":
        p.pos = index + 1
        return ast.StringLit(p.starts[index], p.ends[index], p.values[index].encode())
    if kind in KEYWORDS and p.kinds[index + 1] == ":" and kind not in p.operands:
        p.fail("a key", "P030", f'quote it: `"{kind}"`')
    return expression(p)


def list_literal(p: Parser) -> ast.ListLit:
    """ListLit = "[" [Expr {"," Expr}] [","] "]"."""
    opening = p.pos
    p.pos = opening + 1
    items = []
    while p.kinds[p.pos] != "]":
        items.append(expression(p))
        if p.kinds[p.pos] != ",":
            break
        p.pos += 1
    p.close_list("]", opening)
    return ast.ListLit(p.starts[opening], p.end(), items)


def group(p: Parser) -> ast.Expr:
    """Group = "(" Expr ")"; the parentheses leave no trace but in the spans around."""
    opening = p.pos
    p.pos = opening + 1
    found = expression(p)
    p.close(")", opening)
    return found


def integer(p: Parser) -> ast.IntLit:
    """Read an Int."""
    index = p.pos
    p.pos = index + 1
    return ast.IntLit(p.starts[index], p.ends[index], p.values[index])


def floating(p: Parser) -> ast.FloatLit:
    """Read a Float."""
    index = p.pos
    p.pos = index + 1
    return ast.FloatLit(p.starts[index], p.ends[index], p.values[index])


def string(p: Parser) -> ast.StringLit:
    """Read a String."""
    index = p.pos
    p.pos = index + 1
    return ast.StringLit(p.starts[index], p.ends[index], p.values[index])


def boolean(p: Parser) -> ast.BoolLit:
    """Bool = "true" | "false"."""
    index = p.pos
    p.pos = index + 1
    return ast.BoolLit(p.starts[index], p.ends[index], p.kinds[index] == "true")


def none(p: Parser) -> ast.NoneLit:
    """None = "none"."""
    index = p.pos
    p.pos = index + 1
    return ast.NoneLit(p.starts[index], p.ends[index])
