"""Declarations: types, imports, externs, and what only the interpreter of upstream knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.suggest import did_you_mean, listing
from mochi_rules.compiler.syntax import ast
from mochi_rules.compiler.syntax.parse_control import fun_decl, params, signature
from mochi_rules.compiler.syntax.parse_expression import expression, field_inits
from mochi_rules.compiler.syntax.parse_query import predicate
from mochi_rules.compiler.syntax.parse_state import block
from mochi_rules.compiler.syntax.parse_statement import let, name_statement
from mochi_rules.compiler.syntax.parse_type import field_decl, type_expr
from mochi_rules.compiler.syntax.tokens import END, NAMES, STRING

if TYPE_CHECKING:
    from mochi_rules.compiler.syntax.parse_state import Parser

_LANGUAGES = ("clj", "clojure", "go", "lua", "python", "typescript", "zig")


# Types


def type_decl(p: Parser) -> ast.Stmt:
    """TypeDecl = "type" Ident (["="] StructBody | "=" (Union | Type))."""
    start = p.starts[p.take("type")]
    name_start = p.starts[p.pos]
    name = p.name("the name of the type")
    if p.kinds[p.pos] == "{" or (p.accept("=") and p.kinds[p.pos] == "{"):
        fields, methods = _struct_body(p)
        return ast.StructDecl(start, p.end(), name, name_start, fields, methods)
    if p.kinds[p.pos - 1] != "=":
        p.fail("`=` or `{`", "P001")
    if p.kinds[p.pos] in NAMES and p.kinds[p.pos + 1] in {"|", "(", "{"}:
        variants = [_variant(p)]
        while p.accept("|"):
            variants.append(_variant(p))
        return ast.UnionDecl(start, p.end(), name, name_start, variants)
    aliased = type_expr(p)
    return ast.AliasDecl(start, p.end(), name, name_start, aliased)


def _struct_body(p: Parser) -> tuple[list[ast.FieldDecl], list[ast.FunDecl]]:
    """StructBody = "{" {(Field | Fun) [","]} "}"."""
    opening = p.take("{")
    fields, methods = [], []
    while p.kinds[p.pos] not in {"}", END}:
        if p.kinds[p.pos] == "fun":
            methods.append(fun_decl(p))
        else:
            fields.append(field_decl(p))
        p.accept(",")
    p.close("}", opening)
    return fields, methods


def _variant(p: Parser) -> ast.Variant:
    """Variant = Ident ["(" Field {"," Field} [","] ")" | "{" {Field [","]} "}"]."""
    start = p.starts[p.pos]
    name = p.name("the name of a variant")
    fields = []
    opening = p.pos
    if p.accept("("):
        while p.kinds[p.pos] != ")":
            fields.append(field_decl(p))
            if not p.accept(","):
                break
        p.close_list(")", opening)
    elif p.accept("{"):
        while p.kinds[p.pos] not in {"}", END}:
            fields.append(field_decl(p))
            p.accept(",")
        p.close("}", opening)
    return ast.Variant(start, p.end(), name, fields)


# Other modules and languages


def export(p: Parser) -> ast.FunDecl:
    """["export"] of a Fun."""
    if p.kinds[p.pos + 1] != "fun":
        p.pos += 1
        remedy = "only functions are exported; importers see all variables and types"
        p.fail("`fun`", help="" if p.kinds[p.pos] == END else remedy)
    return fun_decl(p)


def import_(p: Parser) -> ast.Import:
    """Import = "import" [Ident] String ["as" Ident] ["auto"]. Emits: P064."""
    first = p.take("import")
    language = ""
    if p.kinds[p.pos] in NAMES and p.kinds[p.pos + 1] == STRING:
        language = p.name("a language")
        if language not in _LANGUAGES:
            remedy = did_you_mean(language, _LANGUAGES) or f"known are {listing(_LANGUAGES)}"
            p.report("P064", f"unknown language `{language}`", p.span(first, p.pos - 1), remedy)
    path_start = p.starts[p.pos]
    if p.kinds[p.pos] in NAMES:
        p.fail("the path of a module, a string", help=f'write `import "{p.values[p.pos]}"`')
    path = p.string("the path of a module, a string")
    alias = p.name("a name for the module") if p.accept("as") else ""
    auto = p.accept_word("auto")
    return ast.Import(p.starts[first], p.end(), language, path, path_start, alias, auto)


def extern(p: Parser) -> ast.Extern:
    """Extern = "extern" (("type" | "object") Ident | ("var" | "let") Path ":" Type | ExternFun).

    ExternFun = "fun" Path Params [":" Type]; Path = Ident {"." Ident}
    """
    start = p.starts[p.take("extern")]
    kind = p.values[p.pos]
    found = ast.Extern(start, start, kind, "", [], None)
    if kind in {"type", "object"}:
        p.pos += 1
        found.name = p.name("a name")
    elif kind in {"var", "let"}:
        p.pos += 1
        found.name = _path(p)
        p.take(":")
        found.type = type_expr(p)
    elif kind == "fun":
        p.pos += 1
        found.name = _path(p)
        found.params = params(p)
        found.type = type_expr(p) if p.accept(":") else None
    else:
        p.fail("`type`, `object`, `var`, `let` or `fun`")
    found.end = p.end()
    return found


def _path(p: Parser) -> str:
    parts = [p.name("a name")]
    while p.accept("."):
        parts.append(p.name("a name"))
    return ".".join(parts)


# Interpreted constructs: read to the end, and kept as no more than their name


def agent(p: Parser) -> ast.Interpreted:
    """Agent = "agent" Ident "{" {Let | Assign | On | Intent} "}"."""
    start = p.starts[p.take("agent")]
    name = p.name("the name of the agent")
    opening = p.take("{")
    while p.kinds[p.pos] not in {"}", END}:
        _agent_part(p)
    p.close("}", opening)
    return ast.Interpreted(start, p.end(), "agent", name)


def _agent_part(p: Parser) -> None:
    kind = p.kinds[p.pos]
    if kind in {"let", "var"}:
        let(p)
    elif kind == "on":
        on(p)
    elif kind == "intent":
        _intent(p)
    elif kind in NAMES:
        name_statement(p)
    else:
        p.fail("`let`, `var`, `on`, `intent` or `}`", "P001")


def _intent(p: Parser) -> None:
    """Intent = "intent" Ident Params [":" Type] Block."""
    p.take("intent")
    p.name("the name of the intent")
    signature(p)
    block(p)


def on(p: Parser) -> ast.Interpreted:
    """On = "on" Ident "as" Ident Block."""
    start = p.starts[p.take("on")]
    name = p.name("the name of a stream")
    p.take("as")
    p.name("the name of an event")
    block(p)
    return ast.Interpreted(start, p.end(), "on", name)


def stream(p: Parser) -> ast.Interpreted:
    """Stream = "stream" Ident "{" {Field} "}"."""
    start = p.starts[p.take("stream")]
    name = p.name("the name of the stream")
    opening = p.take("{")
    while p.kinds[p.pos] not in {"}", END}:
        field_decl(p)
        p.accept(",")
    p.close("}", opening)
    return ast.Interpreted(start, p.end(), "stream", name)


def emit(p: Parser) -> ast.Interpreted:
    """Emit = "emit" Ident Fields."""
    start = p.starts[p.take("emit")]
    name = p.name("the name of a stream")
    field_inits(p)
    return ast.Interpreted(start, p.end(), "emit", name)


def model(p: Parser) -> ast.Stmt:
    """Model = "model" Ident "{" {Ident ":" Expr} "}"."""
    first = p.pos
    if p.kinds[first + 1] not in NAMES or p.kinds[first + 2] != "{":
        return name_statement(p)
    p.pos = first + 1
    name = p.name("the name of the model")
    opening = p.take("{")
    while p.kinds[p.pos] not in {"}", END}:
        p.name("a setting")
        p.take(":")
        expression(p)
        p.accept(",")
    p.close("}", opening)
    return ast.Interpreted(p.starts[first], p.end(), "model", name)


def fact(p: Parser) -> ast.Interpreted:
    """Fact = "fact" Predicate."""
    start = p.starts[p.take("fact")]
    found = predicate(p)
    return ast.Interpreted(start, p.end(), "fact", found.name)


def rule(p: Parser) -> ast.Interpreted:
    """Rule = "rule" Predicate ":-" Condition {"," Condition}."""
    start = p.starts[p.take("rule")]
    found = predicate(p)
    p.take(":-")
    _condition(p)
    while p.accept(","):
        _condition(p)
    return ast.Interpreted(start, p.end(), "rule", found.name)


def _condition(p: Parser) -> None:
    """Condition = Predicate | Ident "!=" Ident."""
    if p.kinds[p.pos] in NAMES and p.kinds[p.pos + 1] == "!=":
        p.pos += 2
        p.name("a variable")
    else:
        predicate(p)
