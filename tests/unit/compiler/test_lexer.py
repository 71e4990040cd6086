"""Tokens: what each piece of text becomes, and what is reported."""

from __future__ import annotations

import pytest

from mochi_rules.base.diagnostic import Diagnostics
from mochi_rules.base.span import Source
from mochi_rules.compiler.syntax.lexer import MAX_FAULTS, tokenize
from mochi_rules.compiler.syntax.tokens import END, FLOAT, INT, KEYWORDS, NAME, PUNCTUATION, STRING


def lex(text):
    """Return the tokens without the END as (kind, value, start, end), and the diagnostics."""
    diagnostics = Diagnostics()
    tokens = tokenize(Source("t.mochi", text), diagnostics)
    rows = list(zip(tokens.kinds, tokens.values, tokens.starts, tokens.ends, strict=True))
    assert rows[-1] == (END, "", len(text), len(text))
    return rows[:-1], diagnostics.items


def kinds(text):
    """Return the kinds of a text that has no faults."""
    rows, faults = lex(text)
    assert not faults
    return [kind for kind, *_ in rows]


def only(text):
    """Return the kind and the value of a text that is one token without faults."""
    rows, faults = lex(text)
    assert not faults
    ((kind, value, start, end),) = rows
    assert (start, end) == (0, len(text))
    return kind, value


@pytest.mark.parametrize("word", sorted(KEYWORDS | PUNCTUATION))
def test_word_is_its_own_kind(word):
    """A reserved word and a punctuation are kinds of their own."""
    assert kinds(word) == [word]


@pytest.mark.parametrize(
    "name",
    ["x", "_", "_a1", "Été", "変数", "π2", "🚀", "a🚀b", "x²", "iffy", "let_", "s3_a", "d2d"],
)
def test_name(name):
    """Letters, emoji, underscores and inner digits of any script make a name."""
    assert only(name) == (NAME, name)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("007", 7),
        ("42", 42),
        ("0x1F", 31),
        ("0Xff", 255),
        ("0b101", 5),
        ("0B1", 1),
        ("0o17", 15),
        ("0O7", 7),
        ("9223372036854775807", 2**63 - 1),
        ("0x7fffffffffffffff", 2**63 - 1),
        ("0" * 5000 + "1", 1),
        ("0x" + "0" * 5000 + "1", 1),
        ("0b" + "1" * 63, 2**63 - 1),
    ],
)
def test_integer(text, value):
    """Integers of the four bases, up to the largest of 64 bits, have their value."""
    assert only(text) == (INT, value)


@pytest.mark.parametrize(
    ("text", "value"), [("1.5", 1.5), ("1e9", 1e9), ("2E-3", 0.002), ("0.25e+2", 25.0)]
)
def test_float(text, value):
    """A fraction, an exponent or both make a float."""
    assert only(text) == (FLOAT, value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('""', b""),
        ('"a b"', b"a b"),
        ('"é🚀"', "é🚀".encode()),
        ('"two\nlines"', b"two\nlines"),
        (r'"\a\b\f\n\r\t\v\\\""', b'\a\b\f\n\r\t\v\\"'),
        (r'"\x41\xff"', b"A\xff"),
        (r'"\101\377"', b"A\xff"),
        (r'"\u00e9\U0001F680"', "é🚀".encode()),
        (r'"a\\"', b"a\\"),
        ('"// no # comment /* here */"', b"// no # comment /* here */"),
    ],
)
def test_string(text, value):
    """A string is the bytes of its text, with the escapes of Go resolved."""
    assert only(text) == (STRING, value)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("1..5", [INT, "..", INT]),
        ("1.x", [INT, ".", NAME]),
        (".5", [".", INT]),
        ("a<=b", [NAME, "<=", NAME]),
        ("a< =b", [NAME, "<", "=", NAME]),
        ("xs[:-1]", [NAME, "[", ":-", INT, "]"]),
        ("a??b?.c", [NAME, "??", NAME, "?", ".", NAME]),
        ("!!a", ["!", "!", NAME]),
        ("===", ["==", "="]),
        ("list<list<int>>", [NAME, "<", NAME, "<", NAME, ">", ">"]),
        ("iné", ["in", NAME]),
        ("élet", [NAME]),
        ("inside", [NAME]),
    ],
)
def test_division(text, want):
    """The longest punctuation wins, and a reserved word ends where an ASCII word ends."""
    assert kinds(text) == want


@pytest.mark.parametrize(
    "space",
    [" ", "\t\r\n", ";", "// to the end\n", "# to the end\n", "/* a * b */", "/**/", "/* /* */"],
)
def test_space(space):
    """White space, semicolons and the three comments separate tokens and mean nothing."""
    assert kinds(f"{space}a{space}{space}b{space}") == [NAME, NAME]


def test_comments_do_not_nest():
    """A block comment ends at the first end."""
    assert kinds("/* a /* b */ c */") == [NAME, "*", "/"]


def test_byte_order_mark_begins_a_text():
    """One byte-order mark is dropped; places still count it."""
    rows, faults = lex("\ufeffx")
    assert (rows, faults) == ([(NAME, "x", 1, 2)], [])


FAULTS = [
    ("unterminated string", 'x "abc', "P040", '"abc'),
    ("escaped quote at the end", r'"abc\"', "P040", r'"abc\"'),
    ("unknown escape", r'"a\qb"', "P041", r'"a\q'),
    ("quote escape", r'"\'"', "P041", r'"\''),
    ("short byte escape", r'"\x4"', "P041", r'"\x'),
    ("octal escape beyond a byte", r'"\400"', "P041", r'"\400'),
    ("surrogate escape", r'"\ud800"', "P041", r'"\ud800'),
    ("escape beyond Unicode", r'"\U00110000"', "P041", r'"\U00110000'),
    ("unterminated comment", "x /* y", "P042", "/* y"),
    ("digit separators", "1_000", "P043", "1_000"),
    ("number into name", "12ab", "P043", "12ab"),
    ("exponent without digits", "1e", "P043", "1e"),
    ("digit of a larger base", "0b12", "P043", "0b12"),
    ("too large", "9223372036854775808", "P045", "9223372036854775808"),
    ("far too large", "9" * 5000, "P045", "9" * 5000),
    ("too large in base 16", "0x8000000000000000", "P045", "0x8000000000000000"),
    ("base without digits", "0x", "P046", "0x"),
    ("base with other digits", "0b2", "P046", "0b2"),
    ("inner byte-order mark", "a\ufeffb", "P049", "\ufeff"),
    ("float too large", "1e999", "P048", "1e999"),
    ("unknown character", "@", "P049", "@"),
    ("no-break space", "let\u00a0x", "P049", "\u00a0"),
    ("no-break space after a number", "1\u00a0+ 2", "P049", "\u00a0"),
    ("minus sign after a number", "2\u22121", "P049", "\u2212"),
    ("digit of another script first", "²x", "P049", "²"),
    ("combining mark", "e\u0301", "P049", "\u0301"),
    ("single quotes", "'abc'", "P049", "'abc'"),
    ("lone single quote", "'", "P049", "'"),
    ("control character", "\x00", "P049", "\x00"),
]


@pytest.mark.parametrize(
    ("text", "code", "marked"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS]
)
def test_fault(text, code, marked):
    """What is not a token is reported once, with its code and at its place."""
    _, faults = lex(text)
    assert [(fault.code, fault.span.text) for fault in faults] == [(code, marked)]


def test_fault_is_reported_wherever_it_occurs():
    """The same wrong literal is reported at each of its places."""
    _, faults = lex("0x + 0x")
    assert [fault.span.start for fault in faults] == [0, 5]


def test_faults_are_limited():
    """A text that is no Mochi at all is not reported character by character."""
    _, faults = lex("@" * 10 * MAX_FAULTS)
    assert len(faults) == MAX_FAULTS


def test_faulty_literal_stays_a_token():
    """The parser still gets a value where a literal is wrong, so that it finds other errors."""
    rows, _ = lex(r'1_0 "\q" 1e999 99999999999999999999')
    assert [row[0] for row in rows] == [INT, STRING, FLOAT, INT]


def test_text_after_an_open_string_is_incomplete():
    """Only a string or a comment without an end makes the tokens incomplete."""
    complete = [
        tokenize(Source("t", text), Diagnostics()).complete for text in ('"a', "/*", "@", '"a"')
    ]
    assert complete == [False, False, True, True]


def test_open_string_points_to_one_that_spans_lines():
    """A string over several lines is shown as the likely cause of the last quote."""
    _, (fault,) = lex('print("a)\nprint("b")\n')
    assert [label.span.start for label in fault.labels] == [6]
