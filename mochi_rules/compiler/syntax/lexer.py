"""Source text to tokens.

One regular expression splits the whole text at once, each match being the text of a token and the
white space and comments after it. Whatever is to be known of a token is found once for each
different text; the four lists that the parser reads are then made by mapping over the texts, so
that no Python code runs for each token. Lists of strings and numbers take the place of token
objects because the parser mostly wants the kind of a token, which is one subscript away, and
because there is nothing to make and to collect.

The order of the alternatives is the language's own: longest punctuation first, and a reserved word
ends where an ASCII word ends, so that `iné` is `in` and `é`.
"""

from __future__ import annotations

import math
import re
import sys
import unicodedata
from itertools import accumulate, compress
from operator import add
from typing import TYPE_CHECKING, Any, NamedTuple

from mochi_rules.base.diagnostic import Diagnostic, Label
from mochi_rules.base.span import Span
from mochi_rules.compiler.syntax.tokens import (
    END,
    FLOAT,
    INT,
    KEYWORDS,
    NAME,
    STRING,
    WORDS,
    Tokens,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mochi_rules.base.diagnostic import Diagnostics
    from mochi_rules.base.span import Source

MAX_FAULTS = 100  # reported for one text; a file that is not Mochi has one per character

# Character classes say what they exclude, all of it ASCII: `re` compiles that ten times faster.
_WIDE = r"[^\x00-\x7f]"
_WORD = r"[^\x00-/:-@\[-^`{-\x7f]"  # an ASCII letter, a digit, `_`, or whatever is not ASCII
_NUMBER = (
    r"(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
    rf"{_WORD}*+"  # what no number has, to report it
)
_CLOSED_STRING = re.compile(r'"[^"\\]*+(?:\\[\s\S][^"\\]*+)*+"')
_ALTERNATIVES = (
    rf"[A-Za-z_][A-Za-z0-9_]*+(?!{_WIDE})",
    r"[(){}\[\],]",
    _CLOSED_STRING.pattern,
    _NUMBER,
    r"[=!<>]=|&&|\|\||=>|:-|\.\.|\?\?",
    r"/\*[\s\S]*",  # a comment without an end; those with one are part of the space
    r"[-+*/%=<>!|.:?]",
    rf"(?:{'|'.join(sorted(KEYWORDS))})(?={_WIDE})",
    rf"(?![0-9]){_WORD}++",
    r'"[\s\S]*',  # a string without an end
    r"'[^'\n]*+'|`[^`\n]*+`",  # strings of other languages
    r"[\s\S]",
)
# Not `)*+`: before Python 3.11.5, a possessive group keeps what its last, failed round consumed.
_SPACE = r"(?:[ \t\n\r;]++|//[^\n]*+|\#[^\n]*+|/\*[\s\S]*?\*/)*"
_SPACES = re.compile(_SPACE)
_TOKENS = re.compile(f"({'|'.join(_ALTERNATIVES)})({_SPACE})")

_INTEGER = re.compile(r"0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|[0-9]+")
_DECIMAL = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NO_DIGITS = re.compile(r"0(?:[xX](?![0-9a-fA-F])|[bB](?![01])|[oO](?![0-7]))")
_BASES = {"x": 16, "b": 2, "o": 8}
_MAX_INT = (1 << 63) - 1
_MAX_DIGITS = 63  # of an integer in range, in any base

_ESCAPE = re.compile(
    r"\\(?:x(?P<byte>[0-9a-fA-F]{2})|(?P<octal>[0-7]{3})|u(?P<short>[0-9a-fA-F]{4})"
    r"|U(?P<long>[0-9a-fA-F]{8})|(?P<simple>[\s\S]))"
)
_SIMPLE_ESCAPES = {
    "a": b"\a", "b": b"\b", "f": b"\f", "n": b"\n", "r": b"\r", "t": b"\t", "v": b"\v",
    "\\": b"\\", '"': b'"',
}  # fmt: skip

# What the parser is given for an unknown operator: `-` has one operand or two.
_STANDS_FOR = {"&": "-", "^": "-", "~": "-"}
_FAULT = "fault"  # the kind of what is not a token; it does not leave this module
_HIDING = frozenset({"P040", "P042"})  # faults after which the rest of the text is not understood
_BYTE_ORDER_MARK = "\ufeff"
_MAX_SHOWN = 40  # characters of a literal in a message
_ESCAPE_HELP = r"the escapes are \\ \" \n \r \t \b \f \v \a \xHH \NNN \uHHHH \UHHHHHHHH"
_NO_BIT_OPERATORS = "there are no bit operators; compute with `*`, `/` and `%`"
_CHARACTER_HELP = {
    "&": "write `&&` for the logical and; there are no bit operators",
    "^": _NO_BIT_OPERATORS,
    "~": _NO_BIT_OPERATORS,
    **dict.fromkeys("'`“”„«\u2018\u2019", 'write strings in double quotes: `"…"`'),
    **dict.fromkeys("\u2212\u2013", "write `-`"),  # the minus sign and the dash
    "\u00d7": "write `*`",
    "≤": "write `<=`",
    "≥": "write `>=`",
    "≠": "write `!=`",
    "\u00a0": "write an ordinary space",
}


def tokenize(source: Source, diagnostics: Diagnostics) -> Tokens:
    """Split a source into tokens; what is not a token is reported and left out.

    Emits: P040, P041, P042, P043, P045, P046, P048, P049.
    """
    text = source.text
    begin = next(_SPACES.finditer(text, text.startswith(_BYTE_ORDER_MARK))).end()
    texts, spaces = (
        zip(*_TOKENS.findall(text, begin), strict=True) if begin < len(text) else ((), ())
    )
    lexicon = _Lexicon()
    kinds = list(map(lexicon.__getitem__, texts))
    values = list(map(lexicon.values_of.__getitem__, texts))
    lengths = list(map(len, texts))
    starts = list(accumulate(map(add, lengths, map(len, spaces)), initial=begin))
    ends = list(map(add, starts, lengths))
    complete = True
    if lexicon.faults:
        complete = _report(source, diagnostics, zip(texts, starts, strict=False), lexicon)
        real = [kind is not _FAULT for kind in kinds]
        kinds, values = list(compress(kinds, real)), list(compress(values, real))
        starts, ends = [*compress(starts, real), starts[-1]], list(compress(ends, real))
    kinds.append(END)
    values.append("")
    ends.append(len(text))
    return Tokens(kinds, values, starts, ends, complete)


class _Fault(NamedTuple):
    """What is wrong with a token, and the part of it to underline."""

    code: str
    message: str
    help: str
    start: int
    end: int


_Entry = tuple[str, Any, _Fault | None]  # kind, value, fault


class _Lexicon(dict[str, str]):
    """The kinds of the texts of tokens; one that is not yet known is examined on the spot."""

    def __init__(self) -> None:
        super().__init__()
        self.values_of: dict[str, Any] = {}
        self.faults: dict[str, _Fault] = {}

    def __missing__(self, text: str) -> str:
        self[text], self.values_of[text], fault = _entry(text)
        if fault is not None:
            self.faults[text] = fault
        return self[text]


def _entry(text: str) -> _Entry:
    """Return what the text of a token is."""
    if text in WORDS:
        return text, text, None
    first = text[0]
    if first == "_" or first.isalpha() or not first.isascii():
        return _name(text)
    if first == '"':
        return _string(text)
    if "0" <= first <= "9":
        return _number(text)
    return _other(text)


def _other(text: str) -> _Entry:
    """Return what to make of the text of no token, which may be that of a whole string."""
    if text.startswith("/*"):
        remedy = "close it with `*/`; block comments do not nest"
        return _FAULT, "", _fault("P042", "unterminated block comment", remedy, text)
    first = text[0]
    message = f"unexpected character {_character(first)}"
    fault = _fault("P049", message, _CHARACTER_HELP.get(first, ""), text)
    if len(text) > 1:
        return STRING, text[1:-1].encode("utf-8", "surrogatepass"), fault
    return _STANDS_FOR.get(first, _FAULT), "", fault


def _name(text: str) -> _Entry:
    """Letters, emoji and `_`, and after the first also digits of any script."""
    if text.isascii():
        return NAME, sys.intern(text), None
    categories = ["So" if c == "_" else unicodedata.category(c) for c in text]
    fits = [c[0] == "L" or c == "So" or (c[0] == "N" and i > 0) for i, c in enumerate(categories)]
    if all(fits):
        return NAME, text, None
    index = fits.index(False)
    message = f"unexpected character {_character(text[index])}"
    remedy = _CHARACTER_HELP.get(text[index], "")
    rest = "".join(compress(text, fits))
    return NAME if rest else "-", rest, _Fault("P049", message, remedy, index, index + 1)


def _number(text: str) -> _Entry:
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _DECIMAL.fullmatch(text):
        if math.isfinite(number := float(text)):
            return FLOAT, number, None
        message = f"float literal {_shortened(text)} is out of range"
        return FLOAT, 0.0, _fault("P048", message, "the largest is about 1.8e308", text)
    if strange := next((c for c in text if not c.isascii() and not c.isalnum()), ""):
        message, index = f"unexpected character {_character(strange)}", text.index(strange)
        fault = _Fault("P049", message, _CHARACTER_HELP.get(strange, ""), index, index + 1)
        return INT, 0, fault
    shown = _shortened(text)
    if _NO_DIGITS.match(text):
        message = f"incomplete number `{shown}`: no digits after `{text[:2]}`"
        return INT, 0, _fault("P046", message, "write at least one digit of that base", text)
    joined = text.replace("_", "")
    remedy = "write a space after the number"
    if _DECIMAL.fullmatch(joined) or _INTEGER.fullmatch(joined):
        remedy = f"digits cannot be separated: write `{_shortened(joined)}`"
    return INT, 0, _fault("P043", f"invalid number `{shown}`", remedy, text)


def _integer(text: str) -> _Entry:
    base = _BASES.get(text[1:2].lower(), 10)
    digits = (text if base == 10 else text[2:]).lstrip("0") or "0"
    if len(digits) <= _MAX_DIGITS and (value := int(digits, base)) <= _MAX_INT:
        return INT, value, None
    message = f"integer literal {_shortened(text)} is out of range for a 64-bit signed integer"
    return INT, 0, _fault("P045", message, f"the largest literal is {_MAX_INT}", text)


def _string(text: str) -> _Entry:
    """Resolve the escapes, which are those of Go: one byte, or one character as UTF-8."""
    if not _CLOSED_STRING.fullmatch(text):
        first_line = text.partition("\n")[0]
        return (
            _FAULT,
            b"",
            _fault("P040", "unterminated string literal", 'close it with a `"`', first_line),
        )
    parts, done = [], 1
    for found in _ESCAPE.finditer(text):
        value = _escaped(found)
        if value is None:
            message = f"invalid escape `{found.group()}` in a string literal"
            fault = _Fault("P041", message, _ESCAPE_HELP, 0, found.end())
            return STRING, b"", fault
        parts += [text[done : found.start()].encode("utf-8", "surrogatepass"), value]
        done = found.end()
    parts.append(text[done:-1].encode("utf-8", "surrogatepass"))
    return STRING, b"".join(parts), None


def _escaped(found: re.Match[str]) -> bytes | None:
    """Return the bytes that an escape stands for, or None when there is no such escape."""
    kind, digits = found.lastgroup, found.group(found.lastindex or 0)
    if kind == "simple":
        return _SIMPLE_ESCAPES.get(digits)
    number = int(digits, 8 if kind == "octal" else 16)
    if kind in ("octal", "byte"):
        return bytes([number]) if number < 256 else None
    if number > sys.maxunicode or 0xD800 <= number < 0xE000:
        return None
    return chr(number).encode()


def _report(
    source: Source,
    diagnostics: Diagnostics,
    places: Iterable[tuple[str, int]],
    lexicon: _Lexicon,
) -> bool:
    """Report the faults wherever they occur; return whether the end of the text was understood."""
    spanning: Span | None = None
    count = 0
    for text, start in places:
        fault = lexicon.faults.get(text)
        if fault is None:
            if spanning is None and lexicon[text] == STRING and "\n" in text:
                spanning = Span(source, start, start + 1)
            continue
        count += 1
        if count > MAX_FAULTS:
            break
        labels: tuple[Label, ...] = ()
        if fault.code == "P040" and spanning is not None:
            labels = (Label(spanning, "this string spans several lines"),)
        span = Span(source, start + fault.start, start + fault.end)
        diagnostics.add(Diagnostic(fault.code, fault.message, span, labels=labels, help=fault.help))
    return not any(fault.code in _HIDING for fault in lexicon.faults.values())


def _fault(code: str, message: str, help: str, text: str) -> _Fault:
    return _Fault(code, message, help, 0, len(text))


def _character(character: str) -> str:
    """Show a character, by number too where it does not show itself."""
    if character.isascii() and character.isprintable():
        return f"`{character}`"
    name = unicodedata.name(character, "")
    shown = f"`{character}` " if character.isprintable() else ""
    return f"{shown}U+{ord(character):04X} {name}".rstrip()


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
