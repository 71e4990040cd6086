"""The vocabulary of the language, and what the lexer hands to the parser."""

from __future__ import annotations

from typing import Any

from mochi_rules.base.dataclass import dataclass

# Kinds of tokens that stand for many texts. Every other token's kind is its own text.
NAME = "name"
INT = "integer"
FLOAT = "float"
STRING = "string"
END = "end of file"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


KEYWORDS = _words(
    "test expect agent intent on stream emit type fun extern import return break continue let var "
    "if else then for while in generate match fetch load save package export fact rule all none "
    "true false"
)

# Words that are ordinary names except where the grammar wants them. Those that begin or continue
# a statement or an expression have a kind of their own, so that the parser dispatches on kinds
# alone; the words of clauses (`where`, `join`, `into`, …) are plain names.
CONTEXTUAL = _words("as union except intersect from query bench model update")

PUNCTUATION = _words("== != <= >= && || => :- .. ?? - + * / % = < > ! | { } [ ] ( ) , . : ?")

WORDS = KEYWORDS | CONTEXTUAL | PUNCTUATION
NAMES = CONTEXTUAL | {NAME}
KINDS = WORDS | {NAME, INT, FLOAT, STRING, END}

# How tightly the binary operators bind; all associate to the left.
LEVELS = {
    operator: level
    for level, row in enumerate(
        ("union except intersect", "??", "||", "&&", "== != in", "< <= > >=", "+ -", "* / %"), 1
    )
    for operator in row.split()
}


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a source in four lists of one length, the last token being END.

    A token is the index of its kind, value, start and end. The value is the text of a name, the
    number of an INT or FLOAT, the bytes of a STRING, and otherwise unspecified. `complete` is
    False where a string or comment without an end hides what follows.
    """

    kinds: list[str]
    values: list[Any]
    starts: list[int]
    ends: list[int]
    complete: bool
