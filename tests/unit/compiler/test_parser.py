"""The syntax tree: which tree each construct becomes, and which places its nodes have."""

from __future__ import annotations

from pathlib import Path

import pytest

from mochi_rules.base.diagnostic import Diagnostics, Severity
from mochi_rules.base.span import Source
from mochi_rules.compiler.syntax import ast
from mochi_rules.compiler.syntax.ast_print import print_module, print_node
from mochi_rules.compiler.syntax.parser import parse_module

GOLDEN = Path(__file__).parents[2] / "golden" / "ast"


def parse(text):
    """Return the module of a text without errors."""
    diagnostics = Diagnostics()
    module = parse_module(Source("t.mochi", text), diagnostics)
    assert not diagnostics.errors
    return module


def value_of(text):
    """Return the tree of an expression."""
    (statement,) = parse(f"_ = {text}").body
    assert isinstance(statement, ast.Assign)
    return statement.value


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a + b * c", "(Binary + a (Binary * b c))"),
        ("a * b + c", "(Binary + (Binary * a b) c)"),
        ("a - b - c % d", "(Binary - (Binary - a b) (Binary % c d))"),
        ("a < b == c > d", "(Binary == (Binary < a b) (Binary > c d))"),
        ("a in b != c", "(Binary != (Binary in a b) c)"),
        ("a && b || c && d", "(Binary || (Binary && a b) (Binary && c d))"),
        ("a ?? b || c", "(Binary ?? a (Binary || b c))"),
        ("a == b && c != d", "(Binary && (Binary == a b) (Binary != c d))"),
        ("a union b ?? c", "(Binary union a (Binary ?? b c))"),
        ("a union all b except c", "(Binary except (Binary union all a b) c)"),
        ("a except b intersect c", "(Binary intersect (Binary except a b) c)"),
        ("(a + b) * (c)", "(Binary * (Binary + a b) c)"),
        ("!x == -3", "(Binary == (Unary ! x) (Unary - 3))"),
        ("-!-x", "(Unary - (Unary ! (Unary - x)))"),
        ("-a as float", "(Unary - (Cast a float))"),
        ("-a.b[0](c)", "(Unary - (Call (Index (Field a b) 0) [c]))"),
        ("1 + a as float - 1", "(Binary - (Binary + 1 (Cast a float)) 1)"),
    ],
)
def test_precedence(text, tree):
    """Operators bind by level, to the left within one; prefixes tighter, postfixes tightest."""
    assert print_node(value_of(text)) == tree


def test_all_levels_in_one_chain():
    """Ten levels that rise and fall nest as ten levels."""
    rising = value_of("a union b ?? c || d && e == f < g + h * -i")
    falling = value_of("-a * b + c < d == e && f || g ?? h union i")

    def operators(node, side):
        found = []
        while isinstance(node, ast.Binary):
            found.append(node.op)
            node = getattr(node, side)
        return found

    order = ["union", "??", "||", "&&", "==", "<", "+", "*"]
    assert operators(rising, "right") == order
    assert operators(falling, "left") == order


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.mochi")), ids=lambda path: path.stem)
def test_tree(path, golden):
    """Each construct of the grammar becomes the tree of its golden file."""
    module = parse(path.read_text(encoding="utf-8"))
    golden(path.with_suffix(".ast"), print_module(module))


def test_golden_files_have_sources():
    """No golden tree is left without the program it is the tree of."""
    assert {path.stem for path in GOLDEN.glob("*.ast")} == {
        path.stem for path in GOLDEN.glob("*.mochi")
    }


def nodes(item):
    """Yield every node of a tree."""
    if isinstance(item, (list, tuple)):
        for part in item:
            yield from nodes(part)
    elif isinstance(item, ast.Node):
        yield item
        for kind in type(item).__mro__:
            for slot in getattr(kind, "__slots__", ()):
                yield from nodes(getattr(item, slot))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (ast.Name, "beta"),
        (ast.IntLit, "0x1F"),
        (ast.StringLit, '"s\\n"'),
        (ast.Call, "f(a, b)"),
        (ast.Index, "(xs)[i]"),
        (ast.Slice, "xs[:-1]"),
        (ast.Field, "a.b"),
        (ast.Cast, "a as list<int?>?"),
        (ast.Unary, "-(a)"),
        (ast.Binary, "(a) + (b)"),
        (ast.ListLit, "[a, b, ]"),
        (ast.MapLit, "{a: 1}"),
        (ast.StructLit, "P { x: 1 }"),
        (ast.IfExpr, "if a then b else (c)"),
        (ast.Match, "match x { a => (b) }"),
        (ast.FunExpr, "fun(x) => (x)"),
        (ast.Query, "from x in xs select (x)"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_span_of_expression(kind, text):
    """An expression's place is all of its text, with the parentheses of its parts."""
    source = f"_ = f({text})  // end\n"
    found = value_of(f"f({text})  // end\n").args[0]
    assert (type(found), source[found.start : found.end]) == (kind, text)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.mochi")), ids=lambda path: path.stem)
def test_spans_nest(path):
    """Every node lies in the text, is not empty, and holds what it is made of."""
    text = path.read_text(encoding="utf-8")
    for statement in parse(text).body:
        for node in nodes(statement):
            assert statement.start <= node.start < node.end <= statement.end
            assert not text[node.start].isspace()
            assert not text[node.end - 1].isspace()


def test_places_of_names_and_operators():
    """The places inside a node point to the name or the operator."""
    text = "let a = b. c + d fun f() {} for i in x {} import go 'p'".replace("'", '"')
    let, fun, loop, module = parse(text).body
    starts = [let.name_start, let.value.op_start, let.value.left.name_start]
    starts += [fun.name_start, loop.name_start, module.path_start]
    assert [text[start] for start in starts] == ["a", "+", "c", "f", "i", '"']


@pytest.mark.parametrize(
    "text",
    ["x + 1", "x", "xs[0]", "fun() { f() }", "[a, b]", "match x { _ => 1 }", "if a then b else c"],
)
def test_useless_expression_is_a_warning(text):
    """A statement that only computes a value is accepted with a warning."""
    diagnostics = Diagnostics()
    parse_module(Source("t", f"var x: int\n{text}\n"), diagnostics)
    assert [(item.code, item.severity, item.span.text) for item in diagnostics] == [
        ("P065", Severity.WARNING, text)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "f()",
        "x + f()",
        "[f()]",
        "xs[f()]",
        'save x to "f"',
        "match x { _ => { y = 1 } }",
        "if a then f() else b",
    ],
)
def test_expression_with_an_effect_is_no_warning(text):
    """A statement in which something is called, saved or assigned is silent."""
    diagnostics = Diagnostics()
    parse_module(Source("t", text), diagnostics)
    assert not diagnostics.items


def test_errors_silence_warnings():
    """A text with errors gets no warnings, as they may come of the errors."""
    diagnostics = Diagnostics()
    parse_module(Source("t", "x\nlet\n"), diagnostics)
    assert [item.code for item in diagnostics] == ["P031"]
