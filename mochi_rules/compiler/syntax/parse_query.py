"""Expressions about data: queries, and those that read, write and generate it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.syntax import ast
from mochi_rules.compiler.syntax.parse_expression import (
    expression,
    field_inits,
    integer,
    name,
    string,
)
from mochi_rules.compiler.syntax.parse_type import type_expr
from mochi_rules.compiler.syntax.tokens import INT, NAMES, STRING

if TYPE_CHECKING:
    from mochi_rules.compiler.syntax.parse_state import Parser

_CLAUSES = frozenset({"from", "join", "left", "right", "outer", "where", "group", "having", "sort",
                      "order", "skip", "take"})  # fmt: skip
_ORDER = "the order is from, join, where, group by, sort by, skip, take, select"


def from_expr(p: Parser) -> ast.Expr:
    """Query, or the name `from`."""
    if p.kinds[p.pos + 1] in NAMES and p.kinds[p.pos + 2] == "in":
        return _query(p)
    return name(p)


def _query(p: Parser) -> ast.Query:
    """Query = From {From} {Join} ["where" Expr] [Group] [Sort] ["skip" Expr] ["take" Expr] Select.

    Sort = ("sort" | "order") "by" Expr; Select = "select" ["distinct"] Expr
    """
    start = p.starts[p.pos]
    sources = [_source(p)]
    while p.kinds[p.pos] == "from":
        sources.append(_source(p))
    joins = []
    while (side := _side(p)) is not None:
        joins.append(_join(p, side))
    where = _clause(p, "where")
    group = _group(p) if p.at_word("group") else None
    sort = None
    if p.accept_word("sort") or p.accept_word("order"):
        p.take_word("by")
        sort = expression(p)
    skip = _clause(p, "skip")
    take = _clause(p, "take")
    if not p.accept_word("select"):
        misplaced = p.kinds[p.pos] in NAMES and p.values[p.pos] in _CLAUSES
        p.fail("`select`", help=_ORDER if misplaced else "")
    distinct = p.at_word("distinct") and p.kinds[p.pos + 1] in p.operands
    p.pos += distinct
    select = expression(p)
    return ast.Query(
        start, p.end(), sources, joins, where, group, sort, skip, take, distinct, select
    )


def _clause(p: Parser, word: str) -> ast.Expr | None:
    """[word Expr]."""
    return expression(p) if p.accept_word(word) else None


def _source(p: Parser) -> ast.QuerySource:
    """From = "from" Ident "in" Expr."""
    start = p.starts[p.pos]
    p.pos += 1
    name_start = p.starts[p.pos]
    variable = p.name("the name of a row")
    p.take("in")
    source = expression(p)
    return ast.QuerySource(start, p.end(), variable, name_start, source)


def _side(p: Parser) -> str | None:
    """Return the side of a join that begins here, "" for an inner one, or None without a join."""
    if p.at_word("join"):
        return ""
    for side in ("left", "right", "outer"):
        if p.at_word(side) and p.at_word("join", ahead=1):
            return side
    return None


def _join(p: Parser, side: str) -> ast.QueryJoin:
    """Join = ["left" | "right" | "outer"] "join" ["from"] Ident "in" Expr "on" Expr."""
    start = p.starts[p.pos]
    p.pos += 2 if side else 1
    if p.kinds[p.pos] == "from" and p.kinds[p.pos + 1] in NAMES:
        p.pos += 1
    name_start = p.starts[p.pos]
    variable = p.name("the name of a row")
    p.take("in")
    source = expression(p)
    p.take("on")
    condition = expression(p)
    return ast.QueryJoin(start, p.end(), side, variable, name_start, source, condition)


def _group(p: Parser) -> ast.QueryGroup:
    """Group = "group" "by" Expr {"," Expr} "into" Ident ["having" Expr]."""
    start = p.starts[p.pos]
    p.take_word("group")
    p.take_word("by")
    keys = [expression(p)]
    while p.accept(","):
        keys.append(expression(p))
    p.take_word("into")
    variable = p.name("the name of the group")
    having = _clause(p, "having")
    return ast.QueryGroup(start, p.end(), keys, variable, having)


# Logic


def query_expr(p: Parser) -> ast.Expr:
    """LogicQuery = "query" Predicate on one line, or the name `query`.

    Upstream lets a line break stand between the two, which turns `let q = query` before
    `print(q)` into a query of the predicate `print`.
    """
    index = p.pos
    if p.kinds[index + 1] in NAMES and p.kinds[index + 2] == "(" and not p.begins_line(index + 1):
        p.pos = index + 1
        found = predicate(p)
        return ast.LogicQuery(p.starts[index], p.end(), found)
    return name(p)


def predicate(p: Parser) -> ast.Predicate:
    """Predicate = Ident "(" [Term {"," Term}] ")"."""
    start = p.starts[p.pos]
    called = p.name("the name of a predicate")
    opening = p.take("(")
    terms = []
    if p.kinds[p.pos] != ")":
        terms.append(_term(p))
        while p.accept(","):
            terms.append(_term(p))
    p.close_list(")", opening)
    return ast.Predicate(start, p.end(), called, terms)


def _term(p: Parser) -> ast.Expr:
    """Term = Ident | String | Int."""
    kind = p.kinds[p.pos]
    if kind == STRING:
        return string(p)
    if kind == INT:
        return integer(p)
    start = p.starts[p.pos]
    variable = p.name("a variable, a string or an integer")
    return ast.Name(start, p.end(), variable)


# Input and output


def generate_expr(p: Parser) -> ast.Generate:
    """Generate = "generate" Ident "{" [Ident ":" Expr {"," Ident ":" Expr}] [","] "}"."""
    start = p.starts[p.take("generate")]
    kind = p.name("what to generate", "P999")
    items = [(item.name, item.value) for item in field_inits(p)]
    return ast.Generate(start, p.end(), kind, items)


def fetch_expr(p: Parser) -> ast.Fetch:
    """Fetch = "fetch" Expr ["with" Expr]."""
    start = p.starts[p.take("fetch")]
    url = expression(p)
    options = options_clause(p)
    return ast.Fetch(start, p.end(), url, options)


def load_expr(p: Parser) -> ast.Load:
    """Load = "load" [String] "as" Type ["with" Expr]. Emits: P062."""
    first = p.take("load")
    path = _path(p, first) if p.kinds[p.pos] == STRING else None
    p.take("as")
    row = type_expr(p)
    options = options_clause(p)
    return ast.Load(p.starts[first], p.end(), path, row, options)


def save_expr(p: Parser) -> ast.Save:
    """Save = "save" Expr ["to" String] ["with" Expr]. Emits: P062."""
    first = p.take("save")
    value = expression(p)
    path = _path(p, first) if p.accept_word("to") else None
    options = options_clause(p)
    return ast.Save(p.starts[first], p.end(), value, path, options)


def options_clause(p: Parser) -> ast.Expr | None:
    """["with" Expr]."""
    return _clause(p, "with")


def _path(p: Parser, first: int) -> str:
    """String, of a statement that begins at the token `first`; not empty."""
    path = p.string("a path in double quotes")
    if not path:
        remedy = "leave the path out for standard input and output"
        p.report("P062", "the path is empty", p.span(first, p.pos - 1), remedy)
    return path
