"""Tokens to the syntax tree: the tables of the grammar, and the whole file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.syntax import (
    ast,
)
from mochi_rules.compiler.syntax import (
    parse_control as parser_control,
)
from mochi_rules.compiler.syntax import (
    parse_declaration as parser_decl,
)
from mochi_rules.compiler.syntax import (
    parse_expression as parser_expr,
)
from mochi_rules.compiler.syntax import (
    parse_query as parser_query,
)
from mochi_rules.compiler.syntax import (
    parse_statement as parser_stmt,
)
from mochi_rules.compiler.syntax.lexer import tokenize
from mochi_rules.compiler.syntax.parse_state import Parser, SyntaxFault, statements
from mochi_rules.compiler.syntax.tokens import END, FLOAT, INT, KINDS, NAMES, STRING

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.base.diagnostic import Diagnostics
    from mochi_rules.base.span import Source

# A Primary is a StructLit | Query | LogicQuery | IfExpr | Ident | ListLit | MapLit | FunExpr
# | Match | Generate | Fetch | Load | Save | Literal | Group
_OPERANDS: dict[str, Callable[[Parser], ast.Expr]] = {
    **dict.fromkeys(NAMES, parser_expr.name),
    "from": parser_query.from_expr,
    "query": parser_query.query_expr,
    INT: parser_expr.integer,
    FLOAT: parser_expr.floating,
    STRING: parser_expr.string,
    "true": parser_expr.boolean,
    "false": parser_expr.boolean,
    "none": parser_expr.none,
    "(": parser_expr.group,
    "[": parser_expr.list_literal,
    "{": parser_expr.map_literal,
    "-": parser_expr.negation,
    "!": parser_expr.negation,
    "if": parser_control.if_expr,
    "match": parser_control.match_expr,
    "fun": parser_control.fun_expr,
    "generate": parser_query.generate_expr,
    "fetch": parser_query.fetch_expr,
    "load": parser_query.load_expr,
    "save": parser_query.save_expr,
}

# A Stmt is a Test | Bench | Expect | Agent | Stream | Model | Import | TypeDecl | Extern | Fact
# | Rule | On | Emit | Let | Assign | Fun | Return | If | While | For | Break | Continue
# | FetchInto | Update | ExprStmt
_STATEMENTS: dict[str, Callable[[Parser], ast.Stmt]] = {
    **dict.fromkeys(KINDS, parser_stmt.no_statement),
    **dict.fromkeys(_OPERANDS, parser_stmt.expr_stmt),
    **dict.fromkeys(NAMES, parser_stmt.name_statement),
    "let": parser_stmt.let,
    "var": parser_stmt.let,
    "{": parser_stmt.brace,
    "fun": parser_stmt.fun,
    "return": parser_stmt.return_,
    "if": parser_stmt.if_,
    "while": parser_stmt.while_,
    "for": parser_stmt.for_,
    "break": parser_stmt.break_,
    "continue": parser_stmt.continue_,
    "expect": parser_stmt.expect,
    "test": parser_stmt.test,
    "bench": parser_stmt.bench,
    "fetch": parser_stmt.fetch,
    "update": parser_stmt.update,
    "type": parser_decl.type_decl,
    "import": parser_decl.import_,
    "export": parser_decl.export,
    "extern": parser_decl.extern,
    "agent": parser_decl.agent,
    "on": parser_decl.on,
    "stream": parser_decl.stream,
    "emit": parser_decl.emit,
    "model": parser_decl.model,
    "fact": parser_decl.fact,
    "rule": parser_decl.rule,
}


def parse_module(source: Source, diagnostics: Diagnostics) -> ast.Module:
    """Parse a source; what cannot be understood is reported and left out of the tree.

    Program = ["package" Ident] {Stmt}. A source with a string or comment without an end gives an
    empty module. Emits: every P code.
    """
    before = len(diagnostics.items)
    tokens = tokenize(source, diagnostics)
    if not tokens.complete:
        return ast.Module(source, "", [])
    errors = len(diagnostics.items) - before
    p = Parser(source, tokens, diagnostics, _OPERANDS, _STATEMENTS, errors)
    body: list[ast.Stmt] = []
    package = ""
    try:
        package = _package(p)
        while p.kinds[p.pos] != END:
            body += statements(p)
            if p.kinds[p.pos] != END:
                _stray_brace(p)
    except RecursionError:  # only when the stack was nearly full before
        p.report_too_deep()
    p.flush()
    return ast.Module(source, package, body)


def _package(p: Parser) -> str:
    """["package" Ident]."""
    try:
        return p.name("the name of the package") if p.accept("package") else ""
    except SyntaxFault:
        p.recover(0)
        return ""


def _stray_brace(p: Parser) -> None:
    """Step over a `}` that closes nothing; after another error it is likely no fault."""
    if not p.errors:
        p.report("P001", "unmatched `}`", p.span(p.pos), "remove it")
    p.pos += 1
