"""Properties of the lexer and the parser over any text, tokens in any order, and torn programs."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from mochi_rules.base.diagnostic import Diagnostics
from mochi_rules.base.render import render_all
from mochi_rules.base.span import Source
from mochi_rules.compiler.syntax.ast_print import print_module
from mochi_rules.compiler.syntax.lexer import tokenize
from mochi_rules.compiler.syntax.parser import parse_module
from mochi_rules.compiler.syntax.tokens import CONTEXTUAL, KEYWORDS, PUNCTUATION

GOLDEN = Path(__file__).parents[1] / "golden"
PROGRAMS = [path.read_text(encoding="utf-8") for path in sorted(GOLDEN.glob("ast/*.mochi"))]

SPACE = st.sampled_from(["", " ", "\n", "; ", "\t", "// c\n", "# c\n", "/* c */", "\r\n"])
WORDS = ["x", "Foo", "é", "🚀", "_", "1", "0x1F", "2.5", "1e3", '"s"', '"\\n"', "by", "into", "set"]
TOKENS = st.sampled_from(sorted(KEYWORDS | CONTEXTUAL | PUNCTUATION) + WORDS)
LETTERS = st.sampled_from(list("ab1 .:-=<>(){}[]\"'\\/*#\n_éⅧ🚀→\ufeff\u00a0"))


def check(text):
    """Parse a text, and check what holds for every text; return the diagnostics and the tree."""
    diagnostics = Diagnostics()
    module = parse_module(Source("t.mochi", text), diagnostics)
    for item in diagnostics:
        assert re.fullmatch(r"P\d{3}", item.code)
        assert 0 <= item.span.start < item.span.end <= len(text) + 1
    assert len(diagnostics.items) <= 300
    assert render_all(diagnostics.items).count("-->") >= min(len(diagnostics.items), 20)
    return diagnostics, print_module(module)


@given(st.text())
@example("\ufeff")
@example('"\\')
@example("0x")
@example("a\u0301")
def test_any_text_is_parsed(text):
    """Any text at all gives a tree and diagnostics, and raises nothing."""
    check(text)


@given(st.lists(LETTERS).map("".join))
@settings(max_examples=300)
def test_any_letters_are_parsed(text):
    """So does a text of the characters that matter to the lexer."""
    check(text)


@given(st.lists(st.tuples(TOKENS, SPACE)))
@settings(max_examples=300)
def test_any_tokens_are_parsed(pairs):
    """So do tokens in any order, with any space between them."""
    check("".join(word + space for word, space in pairs))


@given(st.data())
@settings(max_examples=300)
def test_torn_programs_are_parsed(data):
    """So does a program with tokens left out, doubled, exchanged or cut off at any place."""
    text = data.draw(st.sampled_from(PROGRAMS))
    tokens = tokenize(Source("t", text), Diagnostics())
    pieces = [text[i:j] for i, j in zip([0, *tokens.starts], tokens.starts, strict=False)]
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(pieces) - 1))
        other = data.draw(st.integers(0, len(pieces) - 1))
        new = data.draw(st.sampled_from([[], [pieces[at]] * 2, [pieces[other]], ["{"], [")"]]))
        pieces[at : at + 1] = new or [""]
    torn = "".join(pieces)
    check(torn[: data.draw(st.integers(0, len(torn)))] if data.draw(st.booleans()) else torn)


@given(st.lists(st.tuples(TOKENS, SPACE)), SPACE)
def test_tokens_tile_the_text(pairs, first):
    """Tokens follow each other, and between them is nothing but space and comments."""
    text = first + "".join(word + space for word, space in pairs)
    diagnostics = Diagnostics()
    tokens = tokenize(Source("t", text), diagnostics)
    if not diagnostics.items:
        gaps = [text[i:j] for i, j in zip([0, *tokens.ends], tokens.starts, strict=False)]
        for gap in gaps:
            assert re.sub(r"//[^\n]*|#[^\n]*|/\*.*?\*/|[\s;]", "", gap) == ""
        assert all(i < j for i, j in zip(tokens.starts[:-1], tokens.ends[:-1], strict=True))
        assert tokens.starts[-1] == tokens.ends[-1] == len(text)


@given(st.lists(st.tuples(TOKENS, SPACE)))
def test_token_is_read_alike_alone(pairs):
    """The text of a token is that same token when it stands alone."""
    text = " ".join(word + space for word, space in pairs)
    tokens = tokenize(Source("t", text), Diagnostics())
    if tokens.complete:
        for index, kind in enumerate(tokens.kinds[:-1]):
            part = text[tokens.starts[index] : tokens.ends[index]]
            alone = tokenize(Source("t", part), Diagnostics())
            assert (alone.kinds[0], alone.values[0]) == (kind, tokens.values[index])


@given(st.sampled_from(PROGRAMS), SPACE.filter(bool))
def test_space_means_nothing(text, space):
    """Any space between the tokens gives the same tree.

    Left out is the word that is told from a name by the line it stands on.
    """
    tokens = tokenize(Source("t", text), Diagnostics())
    words = [text[i:j] for i, j in zip(tokens.starts, tokens.ends, strict=True)]
    if "query" not in words:
        assert check(space.join(words))[1] == check(text)[1]


@given(st.sampled_from(PROGRAMS), st.integers(0, 3))
def test_parsing_is_deterministic(text, cut):
    """The same text gives the same tree and the same diagnostics."""
    torn = text[: len(text) - cut * 7]
    first, second = check(torn), check(torn)
    assert first[1] == second[1]
    assert [item.message for item in first[0]] == [item.message for item in second[0]]
